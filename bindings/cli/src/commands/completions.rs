//! `completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::Output;

pub(super) fn run(shell: Shell, output: Output) -> Result<(), Failure> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    // Into memory first: the generator panics when its writer fails, as stdout may.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output.write(String::from_utf8_lossy(&script))
}
