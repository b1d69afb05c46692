//! `config check`, `config show` and `config schema`.

use std::path::{Path, PathBuf};

use loomkin_auth::config::Config;
use loomkin_auth::error::ErrorCode;

use crate::arguments::ConfigCommand;
use crate::context::{Context, no_file};
use crate::failure::Failure;
use crate::output::{Output, Style, plain};
use crate::table::{Cell, align};

pub(super) fn run(command: &ConfigCommand, path: Option<&PathBuf>, context: &Context) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check { path: named } => check(named.as_ref().or(path), context),
        ConfigCommand::Show => show(&context.config(path)?, context.output),
        ConfigCommand::Schema => context.output.line(format_args!("{:#}", Config::json_schema())),
    }
}

/// The problems are what was asked for, so they go to stdout, and the exit code says that there are some.
fn check(path: Option<&PathBuf>, context: &Context) -> Result<(), Failure> {
    let (output, environment) = (context.output, &context.environment);
    let path = path.cloned().or_else(|| Config::discover(environment)).ok_or_else(|| no_file(environment))?;
    let error = match Config::load(&path, environment) {
        Ok(config) => return fine(&config, &path, output),
        Err(error) => error,
    };
    if error.details().is_empty() {
        // It could not be read at all, so there is no place in it to name.
        return Err(error.into());
    }
    if output.json {
        let text = std::fs::read_to_string(&path).map_err(|_| error.clone())?;
        let problems = Config::parse(&text, &path, environment).err().ok_or(error)?;
        output.json(&problems.list())?;
    } else {
        error.details().iter().try_for_each(|line| output.line(line))?;
        output.hint(format_args!("{}.", error.message()));
    }
    Err(Failure::Told(ErrorCode::ConfigInvalid.exit_code()))
}

fn fine(config: &Config, path: &Path, output: Output) -> Result<(), Failure> {
    for note in config.notes() {
        output.note(&note.to_string());
    }
    if output.json {
        return output.json(&[(); 0]);
    }
    output.line(format_args!("{} is {}.", path.display(), output.styled(Style::Good, "ok")))
}

fn show(config: &Config, output: Output) -> Result<(), Failure> {
    let rows = config.rows();
    if output.json {
        return output.json(&rows);
    }
    match config.path() {
        Some(path) => output.hint(format_args!("{}\n", path.display())),
        None => output.hint("There is no .loomkin.toml here or above; these are the defaults.\n"),
    }
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            [
                Cell::plain(plain(&row.key)),
                Cell::plain(plain(&row.value)),
                Cell::styled(Style::Dim, plain(&row.origin.to_string())),
            ]
        })
        .collect();
    align(&cells, output).iter().try_for_each(|line| output.line(line))
}
