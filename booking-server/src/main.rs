//! `booking-server`: the server alone, for containers. `booking serve` is the same with the rest of the command line.

use std::process::ExitCode;

use booking_server::Configured;
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serve the booking engine over HTTP.
#[derive(Parser)]
#[command(version)]
struct Command {
    #[command(flatten)]
    configured: Configured,
}

#[tokio::main]
async fn main() -> ExitCode {
    match Command::parse().configured.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("booking-server: {error}");
            ExitCode::FAILURE
        }
    }
}
