//! What the engine costs in memory: hold (seats by number, the best of a hall) and pay through the facade; enter, rank, place and advance with 1 thousand to
//! 10 million waiting, a tenth of whom have left. `cargo bench -p booking-core`; `-- rank` for a part of it.

use std::{
    cell::LazyCell,
    hint::black_box,
    time::{Duration, Instant},
};

use booking_core::{
    Amount, BookingPolicy, Engine, Epoch, LaneName, LanePolicy, ManualClock, Money, Ticket, Timestamp,
    catalog::{ConcertDraft, LaneChange, LaneSettings, PerformanceDraft},
    hold::SeatChoice,
    id::{ConcertId, EntryId, PerformanceId, ReservationId, UserId},
    queue::{Command, Lane},
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use pollster::block_on;
use uuid::Uuid;

/// Seats of a performance; the largest there are.
const SEATS: u32 = 50;
const LARGEST: u32 = 20_000;
/// Buyers of a world, all of whom hold: 200 performances of 50 seats.
const WORLD: u64 = 10_000;
const SIZES: [u64; 4] = [1_000, 100_000, 1_000_000, 10_000_000];

fn now() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000)
}

/// An admitted buyer and a seat nobody else wants.
struct Buyer {
    ticket: Ticket,
    reservation: ReservationId,
    performance: PerformanceId,
    seat: u32,
}

/// An engine in memory with `count` buyers, each admitted and able to pay, in halls of so many seats.
fn world(count: u64, seats: u32) -> (Engine, Vec<Buyer>) {
    let engine = Engine::in_memory(BookingPolicy::default(), ManualClock::at(now()));
    let lane = LaneName::main();
    let change = LaneChange { capacity: Some(u32::MAX), ..LaneChange::default() };
    block_on(engine.set_lane(&lane, change)).expect("the lane is new");
    let shows: Vec<PerformanceId> = (0..=count / u64::from(seats)).map(|_| PerformanceId::random()).collect();
    let draft = ConcertDraft {
        id: ConcertId::random(),
        title: "Concert".into(),
        lane: lane.clone(),
        performances: shows.iter().map(|id| performance(*id, seats)).collect(),
    };
    block_on(engine.put_concerts(vec![draft])).expect("the concert is new");
    let buyer = |number: u64| {
        let user = UserId::random();
        block_on(engine.open_wallet(user)).expect("the user is new");
        let amount = Amount::new(1_000).expect("it is positive");
        block_on(engine.charge(user, EntryId::random(), amount)).expect("the wallet is empty");
        let ticket = block_on(engine.enter(&lane, user)).expect("the lane is open").ticket;
        block_on(engine.admit(&ticket)).expect("the lane has room for all");
        let show = usize::try_from(number / u64::from(seats)).expect("it fits");
        let seat = u32::try_from(number % u64::from(seats)).expect("it fits") + 1;
        Buyer { ticket, reservation: ReservationId::random(), performance: shows[show], seat }
    };
    let buyers = (0..count).map(buyer).collect();
    (engine, buyers)
}

fn performance(id: PerformanceId, seats: u32) -> PerformanceDraft {
    let starts_at = chrono::DateTime::from(now().after(Duration::from_hours(24 * 30))).fixed_offset();
    let price = Money::new(1_000).expect("it is positive");
    PerformanceDraft { id, venue: "Hall".into(), starts_at, zone: None, price, seats, on_sale: true }
}

fn hold(engine: &Engine, buyer: &Buyer) {
    let Buyer { ticket, reservation, performance, seat } = buyer;
    block_on(engine.hold(ticket, *reservation, *performance, vec![*seat])).expect("the seat is free");
}

fn hold_best(engine: &Engine, buyer: &Buyer) {
    let Buyer { ticket, reservation, performance, .. } = buyer;
    block_on(engine.hold(ticket, *reservation, *performance, SeatChoice::Best(1))).expect("a seat is free");
}

/// Measures `iterations` in worlds of at most `WORLD` buyers each, and sums up.
fn in_worlds(
    iterations: u64,
    seats: u32,
    mut measure: impl FnMut(&Engine, &[Buyer]) -> Duration,
) -> Duration {
    let mut left = iterations;
    let mut total = Duration::ZERO;
    while left > 0 {
        let (engine, buyers) = world(left.min(WORLD), seats);
        total += measure(&engine, &buyers);
        left -= left.min(WORLD);
    }
    total
}

fn through_the_engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.bench_function("hold", |bencher| {
        bencher.iter_custom(|iterations| {
            in_worlds(iterations, SEATS, |engine, buyers| {
                let started = Instant::now();
                for buyer in buyers {
                    hold(engine, buyer);
                }
                started.elapsed()
            })
        });
    });
    for seats in [SEATS, LARGEST] {
        group.bench_function(BenchmarkId::new("best", seats), |bencher| {
            bencher.iter_custom(|iterations| {
                in_worlds(iterations, seats, |engine, buyers| {
                    let started = Instant::now();
                    for buyer in buyers {
                        hold_best(engine, buyer);
                    }
                    started.elapsed()
                })
            });
        });
    }
    group.bench_function("pay", |bencher| {
        bencher.iter_custom(|iterations| {
            in_worlds(iterations, SEATS, |engine, buyers| {
                for buyer in buyers {
                    hold(engine, buyer);
                }
                let started = Instant::now();
                for buyer in buyers {
                    block_on(engine.pay(&buyer.ticket, buyer.reservation)).expect("the money is there");
                }
                started.elapsed()
            })
        });
    });
    group.finish();
}

/// A lane with `waiting` people in it, and nobody admitted.
fn lane(waiting: u64, capacity: u32) -> Lane {
    let policy = LanePolicy { capacity: 0, ..LanePolicy::default() };
    let mut lane = Lane::new(LaneName::main(), Epoch(1), LaneSettings { policy, ..LaneSettings::default() });
    // A tenth leave, so that ranks are not just differences.
    let leaving = waiting / 9;
    for number in 0..waiting + leaving {
        lane.execute(&Command::Enter(user(number)), now()).expect("the lane is open");
    }
    for number in (0..leaving).map(|nth| nth * 10 + 5) {
        let ticket = lane.live_ticket(user(number)).expect("the user waits");
        lane.execute(&Command::Finish(ticket, booking_core::EndReason::Left), now())
            .expect("ending is never refused");
    }
    assert_eq!(lane.waiting(), waiting);
    let policy = LanePolicy { capacity, ..LanePolicy::default() };
    let settings = LaneSettings { policy, revision: 1, ..LaneSettings::default() };
    lane.execute(&Command::Configure(settings), now()).expect("configuring is never refused");
    lane
}

fn user(number: u64) -> UserId {
    // Spread like random UUIDs, but the same in every run.
    let spread = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    UserId(Uuid::from_u128(spread))
}

/// What one looks up in a lane: places of people all over it.
fn some_tickets(lane: &Lane, size: u64) -> Vec<Ticket> {
    let step = usize::try_from(size / 1_000).expect("it fits");
    (0..size).step_by(step).filter_map(|number| lane.live_ticket(user(number * 7 % size))).collect()
}

fn told(size: u64) -> Lane {
    let lane = lane(size, 0);
    let tenths = lane.bytes() as u64 * 10 / size;
    println!("lane with {size} waiting: {}.{} bytes a waiting user, as allocated", tenths / 10, tenths % 10);
    lane
}

/// Admits `turns` people out of a lane of `size`, one a call: nobody shows up, so each call ends one and admits the next.
fn drain(size: u64, turns: u64) -> Duration {
    let mut lane = lane(size, 1);
    let mut clock = now();
    let started = Instant::now();
    for _ in 0..turns {
        clock = clock.after(Duration::from_mins(1));
        black_box(lane.execute(&Command::Advance, clock)).expect("advancing is never refused");
    }
    started.elapsed()
}

fn with_many_waiting(criterion: &mut Criterion) {
    for size in SIZES {
        let mut group = criterion.benchmark_group("queue");
        // Made only when a benchmark that was asked for needs it: ten million take a while.
        let waiting = LazyCell::new(|| told(size));
        let tickets = LazyCell::new(|| some_tickets(&waiting, size));
        group.bench_function(BenchmarkId::new("rank", size), |bencher| {
            let mut turn = tickets.iter().cycle();
            bencher.iter(|| black_box(&*waiting).rank(turn.next().map_or(1, |ticket| ticket.seq)));
        });
        group.bench_function(BenchmarkId::new("place", size), |bencher| {
            let mut turn = tickets.iter().cycle();
            bencher.iter(|| turn.next().map(|ticket| black_box(&*waiting).place(ticket, now())));
        });
        group.bench_function(BenchmarkId::new("enter", size), |bencher| {
            bencher.iter_custom(|iterations| {
                let mut lane = lane(size, 0);
                let started = Instant::now();
                for number in 0..iterations {
                    lane.execute(&Command::Enter(user(size * 2 + number)), now()).expect("the lane is open");
                }
                started.elapsed()
            });
        });
        group.bench_function(BenchmarkId::new("advance", size), |bencher| {
            bencher.iter_custom(|iterations| {
                let (mut left, mut total) = (iterations, Duration::ZERO);
                while left > 0 {
                    total += drain(size, left.min(size));
                    left -= left.min(size);
                }
                total
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = through_the_engine, with_many_waiting
}
criterion_main!(benches);
