//! `booking migrate`: the schema of a PostgreSQL database. Servers migrate when they start; this does it before, or only
//! looks.

use booking_server::SchemaStatus;
use clap::Args;
use serde::Serialize;

use crate::{console::Console, failure::Failure};

/// `booking migrate`.
#[derive(Args, Debug)]
pub(crate) struct MigrateArgs {
    /// The database: `postgres://user:password@host:5432/database`
    #[arg(long, env = "BOOKING_STORE", value_name = "URL")]
    store: String,
    /// Change nothing; exit with 1 if this build would have to migrate, or is too old for the schema
    #[arg(long)]
    check: bool,
}

/// What was found, for machines.
#[derive(Serialize)]
struct Report {
    /// `current`, `behind` or `newer`.
    schema: &'static str,
    version: i32,
    newest: i32,
}

pub(crate) async fn run(args: &MigrateArgs, console: Console) -> Result<(), Failure> {
    let report = match booking_server::migrate(&args.store, args.check).await? {
        SchemaStatus::Current { version } => Report { schema: "current", version, newest: version },
        SchemaStatus::Behind { version, newest } => Report { schema: "behind", version, newest },
        SchemaStatus::Newer { version, newest } => Report { schema: "newer", version, newest },
    };
    let Report { schema, version, newest } = &report;
    let sentence = match *schema {
        "current" => format!("the schema is up to date: version {version}"),
        "behind" => {
            format!("the schema has version {version}, this build works with {newest}: run booking migrate")
        }
        _ => format!("the schema has version {version}, this build knows {newest}: install a newer build"),
    };
    console.say(&sentence);
    console.document(&report)?;
    if *schema == "current" { Ok(()) } else { Err(Failure::Check(sentence)) }
}
