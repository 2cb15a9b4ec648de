//! `booking events`: the log of everything that happened.

use std::time::Duration;

use booking_api::{MOST_A_PAGE, client::Client};
use clap::Args;
use tokio::time::sleep;

use crate::{
    console::{Console, note},
    failure::Failure,
    interrupt::until_interrupted,
    options::{Server, needed_admin_key},
    told,
};

/// `booking events`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct EventsArgs {
    /// Begin after the event with this number; 0 is the beginning
    #[arg(long, default_value_t = 0, value_name = "N")]
    after: u64,
    /// Keep printing what happens from now on, until ctrl-c
    #[arg(long)]
    follow: bool,
}

/// How long a reader that follows rests at the end of the log.
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(args: EventsArgs, server: &Server, console: Console) -> Result<(), Failure> {
    let (client, admin_key) = (server.client(), needed_admin_key()?);
    until_interrupted(print(args, &client, &admin_key, console)).await
}

/// The number of the last event is the cursor, so nothing is missed and nothing comes twice.
async fn print(args: EventsArgs, client: &Client, admin_key: &str, console: Console) -> Result<(), Failure> {
    let mut after = args.after;
    loop {
        let page = client.events(admin_key, after, MOST_A_PAGE).await.inspect_err(|_| {
            if after > args.after {
                note(&format!("the last event printed is {after}: go on with --after {after}"));
            }
        })?;
        after = page.next_after;
        if console.items(page.items.iter().map(|event| (told::line(event), event))).is_gone() {
            return Ok(());
        }
        match page.items.len() {
            MOST_A_PAGE => {}
            _ if args.follow => sleep(PAUSE).await,
            _ => return Ok(()),
        }
    }
}
