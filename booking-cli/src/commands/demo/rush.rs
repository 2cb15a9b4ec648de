//! All buyers want a seat of the same performance at the same moment.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_api::{Code, LaneChange, PerformanceInput};
use comfy_table::{Cell, Table};
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::{task::JoinSet, time::sleep};

use super::Stage;
use crate::{
    buyer::{Buyer, Call, Meter, Purchase, Shop, Stop, millis},
    commands::flow::per_second,
    console::{Console, number, right, table},
    failure::Failure,
};

const LANE: &str = "rush";
/// Small against the crowd, so that the queue is seen.
const CAPACITY: u32 = 200;
/// Both ends of every socket are in this process, and many systems allow it 256 open files.
const MOST_IN_FLIGHT: usize = 64;
/// A demo is no place for long waits: people ask again after this long at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// The doors open when all are in the queue, or after this long.
const GATHER_WITHIN: Duration = Duration::from_mins(1);
/// The same choices at every demo.
const SEED: u64 = 17;

/// What came of the rush.
#[derive(Debug, Serialize)]
pub(super) struct Rush {
    buyers: u32,
    numbers_taken: usize,
    lane_capacity: u32,
    seats: u32,
    pub(super) seats_paid: usize,
    seat_taken: u64,
    found_no_seat: usize,
    too_late: usize,
    pub(super) unexpected: Vec<String>,
    requests: usize,
    requests_per_second: f64,
    hold_p50_ms: Option<f64>,
    hold_p99_ms: Option<f64>,
    from_open_doors_seconds: f64,
    elapsed_seconds: f64,
}

/// A buyer, and how it ended.
pub(super) struct Person {
    pub(super) buyer: Buyer,
    pub(super) ended: Result<Purchase, Stop>,
}

/// Makes the lane of the rush, with its doors closed.
pub(super) async fn close_doors(stage: &Stage) -> Result<(), Failure> {
    let change = LaneChange { capacity: Some(CAPACITY), paused: Some(true), ..LaneChange::default() };
    stage.client.change_lane(&stage.admin_key, LANE, &change).await?;
    Ok(())
}

/// Everybody enters, the doors open, everybody tries.
pub(super) async fn run(
    stage: &Stage,
    performance: &PerformanceInput,
    buyers: u32,
    console: Console,
) -> Result<(Rush, Vec<Person>), Failure> {
    let shop = Arc::new(Shop {
        client: stage.client.clone(),
        meter: Meter::new(MOST_IN_FLIGHT),
        lane: LANE.into(),
        admin_key: None,
        service_key: None,
        longest_pause: LONGEST_PAUSE,
    });
    let progress = console.progress(buyers.into(), "buyers done");
    let started = Instant::now();
    let mut crowd = JoinSet::new();
    for number in 0..buyers {
        let mut buyer = Buyer::new(Arc::clone(&shop), SEED, number.into());
        let (id, price, progress) = (performance.performance_id, performance.price, progress.clone());
        crowd.spawn(async move {
            let ended = buyer.buy_in(id, price).await;
            progress.inc(1);
            Person { buyer, ended }
        });
    }
    gather(stage, buyers, &progress).await?;
    stage.pause(LANE, false).await?;
    let opened = Instant::now();
    let mut people = Vec::new();
    while let Some(person) = crowd.join_next().await {
        people.push(person.map_err(|error| Failure::Check(format!("a buyer's task ended: {error}")))?);
    }
    progress.finish_and_clear();
    let rush = count(&shop.meter, &people, performance.seats, [started.elapsed(), opened.elapsed()]);
    Ok((Rush { buyers, ..rush }, people))
}

/// Waits until everybody is in the queue, or gave up before.
async fn gather(stage: &Stage, buyers: u32, progress: &ProgressBar) -> Result<(), Failure> {
    let since = Instant::now();
    while since.elapsed() < GATHER_WITHIN {
        let lanes = stage.client.lanes(&stage.admin_key).await?.items;
        let lane = lanes.into_iter().find(|lane| lane.lane == LANE);
        let entered = lane.and_then(|lane| lane.entered).unwrap_or(0);
        if entered + progress.position() >= buyers.into() {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn count(meter: &Meter, people: &[Person], seats: u32, took: [Duration; 2]) -> Rush {
    let stops = || people.iter().filter_map(|person| person.ended.as_ref().err());
    let unexpected = |stop: &&Stop| !stop.is_expected();
    let ms = |percent| meter.percentile(Call::Hold, percent).map(|took| took.as_secs_f64() * 1_000.0);
    let [elapsed, from_open_doors] = took;
    Rush {
        buyers: 0,
        numbers_taken: people.iter().filter(|person| person.buyer.order().is_some()).count(),
        lane_capacity: CAPACITY,
        seats,
        seats_paid: people.iter().filter(|person| person.ended.is_ok()).count(),
        seat_taken: meter.refused(Code::SeatTaken),
        found_no_seat: stops().filter(|stop| **stop == Stop::NoSeatLeft).count(),
        too_late: stops().filter(|stop| stop.is_too_late()).count(),
        unexpected: stops()
            .filter(unexpected)
            .map(|stop| format!("{}: {}", stop.label(), stop.detail()))
            .collect(),
        requests: meter.requests(),
        requests_per_second: per_second(meter.requests(), elapsed),
        hold_p50_ms: ms(50),
        hold_p99_ms: ms(99),
        from_open_doors_seconds: from_open_doors.as_secs_f64(),
        elapsed_seconds: elapsed.as_secs_f64(),
    }
}

impl Rush {
    /// What happened, for people.
    pub(super) fn table(&self) -> Table {
        let latency = |ms: Option<f64>| millis(ms.map(|ms| Duration::from_secs_f64(ms / 1_000.0)));
        let seconds = |seconds: f64| right(format!("{seconds:.2} s"));
        let rows = [
            ("buyers", number(self.buyers)),
            ("numbers taken in the queue", number(self.numbers_taken)),
            ("admitted at once, at most", number(self.lane_capacity)),
            ("seats", number(self.seats)),
            ("seats paid", number(self.seats_paid)),
            ("refusals on the way: seat_taken", number(self.seat_taken)),
            ("went home: found no free seat", number(self.found_no_seat)),
            ("went home: sold out before their turn", number(self.too_late)),
            ("ended in any other way", number(self.unexpected.len())),
            ("requests", number(self.requests)),
            ("requests a second", number(format!("{:.0}", self.requests_per_second))),
            ("hold, p50", right(latency(self.hold_p50_ms))),
            ("hold, p99", right(latency(self.hold_p99_ms))),
            ("from open doors to the last one home", seconds(self.from_open_doors_seconds)),
            ("elapsed, sign-ups included", seconds(self.elapsed_seconds)),
        ];
        let mut told = table(&[]);
        for (what, value) in rows {
            told.add_row([Cell::new(what), value]);
        }
        told
    }
}
