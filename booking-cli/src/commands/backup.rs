//! `booking backup`: a copy of a store's file, made by reading it: the server that works on it is not asked.

use std::path::PathBuf;

use booking_server::ServeArgs;
use clap::Args;
use serde::Serialize;

use crate::{
    console::{Console, note},
    failure::Failure,
};

/// `booking backup`.
#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// The copy; it must not be there yet. Start a server on it with `booking serve --store sqlite:FILE`. The queue is not
    /// copied: people enter again. The keys are not copied either: back up the file beside the store that ends in -secrets
    /// too, and put it beside the copy as FILE-secrets
    file: PathBuf,
    /// The store to copy
    #[arg(long, env = "BOOKING_STORE", default_value_t = ServeArgs::default().store, value_name = "URL")]
    store: String,
}

/// What was done, for machines.
#[derive(Serialize)]
struct Report<'a> {
    file: &'a PathBuf,
    bytes: u64,
}

pub(crate) fn run(args: &BackupArgs, console: Console) -> Result<(), Failure> {
    booking_server::backup(&args.store, &args.file)?;
    let bytes = std::fs::metadata(&args.file).map_or(0, |made| made.len());
    console.say(&format!("copied to {}: {bytes} bytes", args.file.display()));
    let store = args.store.strip_prefix("sqlite:").unwrap_or(&args.store);
    note(&format!(
        "the keys are not in the copy: back up {store}-secrets too, which a server on the copy reads as {}-secrets",
        args.file.display()
    ));
    console.document(&Report { file: &args.file, bytes })
}
