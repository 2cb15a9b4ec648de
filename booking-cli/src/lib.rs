//! The command line `booking`: a demo, the server, dummy data, the import of concert files, whole purchases, and what
//! operators do: lanes, audit, history, events, release and refund.
//!
//! Everything but `serve` and `demo` talks HTTP to a server, so it works the same over every store. A command is a
//! module of `commands`; what a person does who buys a seat is in [`buyer`]; files of concerts are read by [`import`].

mod audit;
pub mod buyer;
mod clock;
mod commands;
mod console;
mod dice;
mod failure;
pub mod import;
mod interrupt;
mod options;
mod told;
pub mod upload;

use std::process::ExitCode;

use clap::Parser;

use console::{Console, note};
use failure::Failure;
use options::Options;

/// Reads the arguments, does what they ask, and tells by the exit code how it went (see `booking --help`).
pub fn main() -> ExitCode {
    let options = Options::parse();
    let console = Console::new(options.server.json);
    match run(options, console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            note(&format!("error: {failure}"));
            failure.exit_code()
        }
    }
}

fn run(options: Options, console: Console) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Check(format!("no threads could be started: {error}")))?;
    runtime.block_on(commands::run(options, console))
}
