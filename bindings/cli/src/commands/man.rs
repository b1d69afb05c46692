//! `man`: the manual page of a command, for packagers.

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use loomkin_auth::error::{Error, ErrorCode};

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(path: &[String], output: Output) -> Result<(), Failure> {
    let mut command = Arguments::command();
    command.build();
    let mut name = command.get_name().to_owned();
    for word in path {
        command = inner(&command, word)?;
        name = format!("{name}-{}", command.get_name());
    }
    let mut page = Vec::new();
    // Into memory it cannot fail.
    let _always_ok = Man::new(command).title(name.to_uppercase()).render(&mut page);
    output.write(String::from_utf8_lossy(&page))
}

fn inner(command: &Command, word: &str) -> Result<Command, Error> {
    command.find_subcommand(word).cloned().ok_or_else(|| {
        Error::new(ErrorCode::Usage, format!("`{}` has no such command", command.get_name()))
            .with_advice("Run `loomkin-auth --help` for those there are.")
    })
}
