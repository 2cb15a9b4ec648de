//! `booking lane`: how the lanes stand, and their settings.

mod trail;
mod watch;

use std::{str::FromStr, time::Duration};

use booking_api::{LaneChange, LaneStatus, client::Client};
use booking_core::LaneName;
use clap::{Args, Subcommand};
use comfy_table::{Cell, Table};

use crate::{
    console::{Console, grouped, note, number, right, table},
    failure::Failure,
    options::{Server, needed_admin_key},
};

/// `booking lane`.
#[derive(Debug, Subcommand)]
pub(crate) enum LaneCommand {
    /// Show one lane, or all of them
    Show(ShowArgs),
    /// Change settings of a lane; one that is not there is made
    Set(SetArgs),
    /// Admit nobody until `resume`; people still enter and wait, and those already admitted continue
    Pause(Named),
    /// Admit again after `pause`
    Resume(Named),
    /// End the sale of a lane: nobody enters, and every token ends
    Close(Named),
    /// Let people enter again after `close`; tokens that have ended stay ended
    Open(Named),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ShowArgs {
    /// The lane [default: all of them]
    name: Option<LaneName>,
    /// Look every second until ctrl-c: in place on a terminal, else line by line; --json prints one object per line
    #[arg(long, requires = "name")]
    watch: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Named {
    /// The lane
    name: LaneName,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SetArgs {
    /// The lane
    name: LaneName,
    #[command(flatten)]
    settings: Settings,
}

/// What to change; at least one.
#[derive(Args, Clone, Copy, Debug)]
#[group(required = true, multiple = true)]
struct Settings {
    /// How many may be admitted at once; those already admitted stay
    #[arg(long, value_name = "N")]
    capacity: Option<u32>,
    /// How many are admitted a second at most, or `none`
    #[arg(long, value_name = "N")]
    admit_per_second: Option<Limit<u32>>,
    /// How many may wait at most, or `none`
    #[arg(long, value_name = "N")]
    max_waiting: Option<Limit<u64>>,
    /// How long an admitted person has to show up, such as 60s
    #[arg(long, value_name = "SPAN", value_parser = humantime::parse_duration)]
    claim_ttl: Option<Duration>,
    /// How long a session lasts, such as 15m
    #[arg(long, value_name = "SPAN", value_parser = humantime::parse_duration)]
    session_ttl: Option<Duration>,
}

/// A limit that can be taken away.
#[derive(Clone, Copy, Debug)]
struct Limit<T>(Option<T>);

impl<T: FromStr> FromStr for Limit<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            number => number
                .parse()
                .map(|limit| Self(Some(limit)))
                .map_err(|_| "write a whole number, or `none` to take the limit away".to_owned()),
        }
    }
}

impl From<Settings> for LaneChange {
    fn from(settings: Settings) -> Self {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            capacity: settings.capacity,
            max_waiting: settings.max_waiting.map(|limit| limit.0),
            admit_per_second: settings.admit_per_second.map(|limit| limit.0),
            claim_ttl_ms: settings.claim_ttl.map(millis),
            session_ttl_ms: settings.session_ttl.map(millis),
            ..Self::default()
        }
    }
}

pub(crate) async fn run(command: LaneCommand, server: &Server, console: Console) -> Result<(), Failure> {
    let admin_key = needed_admin_key()?;
    let client = server.client();
    let paused = |paused| LaneChange { paused: Some(paused), ..LaneChange::default() };
    let closed = |closed| LaneChange { closed: Some(closed), ..LaneChange::default() };
    let (named, change) = match command {
        LaneCommand::Show(args) => return show(&args, &client, &admin_key, console).await,
        LaneCommand::Set(args) => return set(&args, &client, &admin_key, console).await,
        LaneCommand::Pause(named) => (named, paused(true)),
        LaneCommand::Resume(named) => (named, paused(false)),
        LaneCommand::Close(named) => (named, closed(true)),
        LaneCommand::Open(named) => (named, closed(false)),
    };
    // Changing a lane makes one that is not there: a slip in its name must not pause a lane that nobody uses.
    client.lane(&admin_key, named.name.as_str()).await?;
    change_lane(&named.name, &change, &client, &admin_key, console).await
}

async fn show(args: &ShowArgs, client: &Client, admin_key: &str, console: Console) -> Result<(), Failure> {
    let Some(name) = &args.name else {
        let lanes = client.lanes(admin_key).await?;
        console.table(&overview(&lanes.items));
        return console.document(&lanes);
    };
    if args.watch {
        return watch::run(name, client, admin_key, console).await;
    }
    let lane = client.lane(admin_key, name.as_str()).await?;
    console.table(&details(&lane));
    console.document(&lane)
}

async fn set(args: &SetArgs, client: &Client, admin_key: &str, console: Console) -> Result<(), Failure> {
    let before = client.lanes(admin_key).await?.items;
    change_lane(&args.name, &args.settings.into(), client, admin_key, console).await?;
    if !before.iter().any(|lane| lane.lane == args.name.as_str()) {
        note(&format!("the lane {} is new", args.name));
    }
    Ok(())
}

async fn change_lane(
    name: &LaneName,
    change: &LaneChange,
    client: &Client,
    admin_key: &str,
    console: Console,
) -> Result<(), Failure> {
    let lane = client.change_lane(admin_key, name.as_str(), change).await?;
    console.table(&details(&lane));
    console.document(&lane)
}

/// What a lane does, in a word or two.
fn state(lane: &LaneStatus) -> &'static str {
    match lane {
        LaneStatus { closed: true, .. } => "closed",
        LaneStatus { sold_out: true, .. } => "sold out",
        LaneStatus { paused: true, .. } => "paused",
        _ => "open",
    }
}

fn limit(limit: Option<u64>) -> String {
    limit.map_or_else(|| "no limit".to_owned(), grouped)
}

/// A count of people; the queue may not know the lane yet.
fn people(count: Option<u64>) -> String {
    count.map_or_else(|| "not known yet".to_owned(), grouped)
}

fn overview(lanes: &[LaneStatus]) -> Table {
    let mut overview = table(&["lane", "state", "waiting", "admitted", "capacity", "admitted a second"]);
    for lane in lanes {
        overview.add_row([
            Cell::new(&lane.lane),
            Cell::new(state(lane)),
            right(people(lane.waiting)),
            right(people(lane.admitted)),
            number(lane.capacity),
            right(limit(lane.admit_per_second.map(Into::into))),
        ]);
    }
    overview
}

fn details(lane: &LaneStatus) -> Table {
    let span = |ms| right(humantime::format_duration(Duration::from_millis(ms)));
    let mut details = table(&[]);
    details.add_row([Cell::new("lane"), right(&lane.lane)]);
    details.add_row([Cell::new("state"), right(state(lane))]);
    details.add_row([Cell::new("numbers given"), right(people(lane.entered))]);
    details.add_row([Cell::new("waiting"), right(people(lane.waiting))]);
    details.add_row([Cell::new("admitted"), right(people(lane.admitted))]);
    details.add_row([Cell::new("capacity"), number(lane.capacity)]);
    details.add_row([Cell::new("most waiting"), right(limit(lane.max_waiting))]);
    details.add_row([Cell::new("admitted a second"), right(limit(lane.admit_per_second.map(Into::into)))]);
    details.add_row([Cell::new("time to show up"), span(lane.claim_ttl_ms)]);
    details.add_row([Cell::new("session"), span(lane.session_ttl_ms)]);
    details
}
