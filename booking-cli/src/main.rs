//! The binary `booking`; everything is in the library.

use std::process::ExitCode;

/// Many small requests a second: measured faster with this allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    booking_cli::main()
}
