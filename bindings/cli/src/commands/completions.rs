//! `completions`: the script by which a shell asks this program what could come next.

use clap_complete::Shell;
use clap_complete::env::Shells;
use loomkin_auth::error::{Error, ErrorCode};

use crate::complete::VARIABLE;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(shell: Shell, output: Output) -> Result<(), Failure> {
    let shells = Shells::builtins();
    let shell = shell.to_string();
    let completer = shells.completer(&shell).ok_or_else(|| {
        Error::new(ErrorCode::Usage, format!("there is no completion for {shell}"))
            .with_advice("Use bash, elvish, fish, powershell or zsh.")
    })?;
    let mut script = Vec::new();
    // Into memory it cannot fail.
    let _always_ok = completer.write_registration(VARIABLE, NAME, NAME, NAME, &mut script);
    output.write(String::from_utf8_lossy(&script))
}

const NAME: &str = "loomkin-auth";
