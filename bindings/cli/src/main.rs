//! The `loomkin-auth` command. It converts arguments, calls the core, and converts what comes back; what is true of
//! logins, tokens and stores is decided in the core.

mod arguments;
mod commands;
mod complete;
mod context;
mod core_files;
mod failure;
mod interrupt;
mod logging;
mod output;
mod paste;
mod qr;
mod shapes;
mod table;
mod words;

use std::process::ExitCode;

use clap::Parser;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::{Error, ErrorCode};

use arguments::Arguments;
use context::Context;
use failure::Failure;
use interrupt::Interrupts;
use output::Output;

fn main() -> ExitCode {
    core_files::forbid();
    complete::answer_shell();
    let environment = Environment::from_process();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A program that asks for JSON gets it even where the rest of its arguments cannot be read.
            let asks_for_json =
                std::env::args_os().skip(1).take_while(|text| text != "--").any(|text| text == "--json");
            let output = Output::new(asks_for_json, &environment);
            return Failure::Arguments(Box::new(error)).tell(output).into();
        }
    };
    let output = Output::new(arguments.json, &environment);
    logging::start(&environment, output);
    match run(arguments, Context::new(environment, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(output).into(),
    }
}

fn run(arguments: Arguments, context: Context) -> Result<(), Failure> {
    // One thread is enough for one command, and the quickest to start; the core brings its own for what blocks.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Error::new(
            ErrorCode::Unavailable,
            format!("the process cannot start its event loop: {}", error.kind()),
        )
    })?;
    let result = runtime.block_on(async {
        let mut interrupts = Interrupts::listen();
        let result = interrupts.end(commands::run(&arguments, &context)).await;
        tokio::select! {
            () = context.close() => result,
            exit_code = interrupts.next() => Err(Failure::Interrupted(exit_code)),
        }
    });
    // A browser that takes its time to start, on a thread of its own, must not hold up the exit.
    runtime.shutdown_background();
    result
}
