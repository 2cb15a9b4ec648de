//! `booking-server`: the server alone, for containers. `booking serve` is the same with the rest of the command line.

use std::process::ExitCode;

use booking_server::ServeArgs;
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serve the booking engine over HTTP.
#[derive(Parser)]
#[command(version)]
struct Command {
    #[command(flatten)]
    args: ServeArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    match booking_server::run(Command::parse().args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("booking-server: {error}");
            ExitCode::FAILURE
        }
    }
}
