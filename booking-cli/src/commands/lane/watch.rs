//! `booking lane show NAME --watch`.

use std::time::{Duration, Instant};

use booking_api::{LaneStatus, client::Client};
use booking_core::LaneName;
use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    limit, people, state,
    trail::{Look, Trail},
};
use crate::{clock, console::Console, failure::Failure, interrupt::until_interrupted};

const PAUSE: Duration = Duration::from_secs(1);

/// Looks at the lane every second until ctrl-c, or until nobody reads any more.
pub(super) async fn run(
    name: &LaneName,
    client: &Client,
    admin_key: &str,
    console: Console,
) -> Result<(), Failure> {
    let screen = console.screen();
    let watched = until_interrupted(watch(name, client, admin_key, console, screen.as_ref())).await;
    if let Some(screen) = screen {
        screen.abandon();
    }
    watched
}

async fn watch(
    name: &LaneName,
    client: &Client,
    admin_key: &str,
    console: Console,
    screen: Option<&ProgressBar>,
) -> Result<(), Failure> {
    let (mut ticks, mut trail, mut last) = (interval(PAUSE), Trail::default(), Instant::now());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let lane = client.lane(admin_key, name.as_str()).await?;
        let look = trail.note(&lane, last.elapsed());
        last = Instant::now();
        if let Some(screen) = screen {
            screen.set_message(picture(&lane, look, &trail, clock::now()));
        } else if console.item(&line(&lane, look, clock::now()), &lane).is_gone() {
            return Ok(());
        }
    }
}

/// What is redrawn on a terminal.
fn picture(lane: &LaneStatus, look: Look, trail: &Trail, at: DateTime<Utc>) -> String {
    let row = |what: &str, value: String, of: String, bars: String| {
        format!("{what:<14}{value:>14}  {of:<18}{bars}")
    };
    let title = format!("lane {}: {}, {} UTC (ctrl-c ends)", lane.lane, state(lane), at.format("%H:%M:%S"));
    let most = format!("most {}", limit(lane.max_waiting));
    let at_once = format!("of {}", limit(Some(lane.capacity.into())));
    let rate = format!("most {}", limit(lane.admit_per_second.map(Into::into)));
    [
        title,
        row("waiting", people(lane.waiting), most, trail.sparkline(|look| look.waiting)),
        row("admitted", people(lane.admitted), at_once, trail.sparkline(|look| look.admitted)),
        row("served /s", limit(Some(look.served)), rate, trail.sparkline(|look| look.served)),
    ]
    .join("\n")
}

/// What is written where there is no terminal.
fn line(lane: &LaneStatus, look: Look, at: DateTime<Utc>) -> String {
    format!(
        "{} lane {}: {}, {} waiting, {} admitted of {}, {} served a second",
        at.format("%Y-%m-%dT%H:%M:%SZ"),
        lane.lane,
        state(lane),
        people(lane.waiting),
        people(lane.admitted),
        limit(Some(lane.capacity.into())),
        limit(Some(look.served)),
    )
}
