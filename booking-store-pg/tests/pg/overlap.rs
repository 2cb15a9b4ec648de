//! Several instances at once on the same users, seats and wallets.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_core::{BookingPolicy, Command, Refusal, hold, id::UserId};
use booking_store_pg::{PgConfig, PgStore};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::{
    database::{Database, TestClock, connect, port, run, until_somebody_waits},
    proxy::{Proxy, Weather},
    world::{World, charge, open, pay, refund, reservation_of, taking, user},
};

fn policy() -> BookingPolicy {
    BookingPolicy { live_reservations_per_user: 3, seats_per_user: 20, ..BookingPolicy::default() }
}

async fn store(url: &str, policy: &BookingPolicy) -> Arc<PgStore> {
    PgStore::connect(PgConfig::new(url, policy.clone())).await.expect("the store opens")
}

async fn count(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.expect("a count")
}

/// What one client does in a round: a batch over a few users and seats, in no order, then what follows from it.
async fn round(world: &World, chance: &mut u64) -> (u32, u32) {
    let mut roll = |end: u64| {
        *chance ^= *chance << 13;
        *chance ^= *chance >> 7;
        *chance ^= *chance << 17;
        *chance % end
    };
    let mut batch: Vec<Command> = Vec::new();
    for _ in 0..4 {
        let user = user(u128::from(roll(6)) + 1);
        let seats = [roll(12), roll(12)].map(|seat| u32::try_from(seat).unwrap_or(0) + 1);
        batch.push(match roll(6) {
            0 | 1 => charge(user, 7),
            2 => world.place_best(user, u32::try_from(roll(3)).unwrap_or(0) + 1),
            _ => world.place(user, &seats[..=usize::from(seats[0] < seats[1])]),
        });
    }
    let answers = world.store.execute(batch).await.expect("nobody is in the way for ever");
    let (mut went, asked) = (0, 4);
    for outcome in answers.into_iter().flatten() {
        went += 1;
        if let booking_core::Effect::Reservation(held) = &outcome.effect {
            let user = held.user;
            let next = match roll(4) {
                0 => hold::Command::Release { reservation: held.id, user }.into(),
                1 => hold::Command::Leave(held.ticket.clone()).into(),
                _ => pay(held),
            };
            let paid = matches!(next, Command::Payment(_));
            let answer = world.ask(next).await.expect("nobody is in the way for ever");
            if paid && answer.is_ok() {
                world.ask(refund(held.id)).await.expect("nobody is in the way for ever").ok();
            }
        }
    }
    (went, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_instances_on_hot_rows_never_deadlock_and_keep_the_books_clean() {
    let database = Database::new(TestClock::Real).await;
    let first = World::new(store(&database.url(), &policy()).await).await;
    for n in 1..=6 {
        first.rich(n).await;
    }
    let mut clients = Vec::new();
    for instance in 0..3_u64 {
        let store = store(&database.url(), &policy()).await;
        for client in 0..4 {
            let world = first.at(store.clone(), (instance * 4 + client + 1) * 1_000_000);
            clients.push(tokio::spawn(async move {
                let mut chance = 0x9E37_79B9 + instance * 77 + client * 7_919;
                let (mut went, mut asked) = (0, 0);
                for _ in 0..60 {
                    let told = round(&world, &mut chance).await;
                    went += told.0;
                    asked += told.1;
                }
                (went, asked)
            }));
        }
    }
    let (mut went, mut asked) = (0, 0);
    for client in clients {
        let told = client.await.expect("no panic");
        went += told.0;
        asked += told.1;
    }
    assert!(went * 10 > asked * 3, "only {went} of {asked} went through, which shows little");
    first.books_are_clean().await;
    let mut connection = connect(&database.url()).await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(count(&mut connection, deadlocks).await, 0);
    log_is_in_order(&mut connection).await;
}

async fn log_is_in_order(connection: &mut PgConnection) {
    run(
        connection,
        "CREATE OR REPLACE TEMPORARY VIEW log AS SELECT seq, at FROM events UNION ALL SELECT made, created_at FROM reservations",
    )
    .await;
    let gaps = "SELECT count(*) FROM (SELECT seq - row_number() OVER (ORDER BY seq) AS off FROM log) AS e WHERE off <> 0";
    assert_eq!(count(connection, gaps).await, 0);
    let backwards =
        "SELECT count(*) FROM (SELECT at < lag(at) OVER (ORDER BY seq) AS back FROM log) AS e WHERE back";
    assert_eq!(count(connection, backwards).await, 0, "the log is in the order of time as well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_new_user_entry_and_reservation_from_three_instances_are_made_once() {
    let database = Database::new(TestClock::Real).await;
    let first = World::new(store(&database.url(), &policy()).await).await;
    let mut instances = vec![first.store.clone()];
    for _ in 0..2 {
        instances.push(store(&database.url(), &policy()).await);
    }
    for n in 1..=30_u128 {
        let charge = charge(user(n), 5);
        let place = first.place(user(n), &[1]);
        for (command, what) in [(open(user(n)), "wallet"), (charge, "entry"), (place, "reservation")] {
            let asking = instances.iter().map(|store| store.execute(vec![command.clone()]));
            let answers = futures_util::future::join_all(asking).await;
            let made =
                answers.into_iter().map(|answer| answer.expect("an answer").remove(0).expect("no refusal"));
            assert_eq!(made.filter(|outcome| !outcome.replayed).count(), 1, "{what} {n}");
        }
        let held = first.store.reservations(user(n), booking_core::store::PageRequest::first(9)).await;
        let held = held.expect("a read").items.remove(0);
        first.done(hold::Command::Release { reservation: held.id, user: user(n) }.into()).await;
    }
    first.books_are_clean().await;
}

/// A hall that grows while the best of its seats are chosen has seats that nobody has looked at yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_best_seats_of_a_hall_that_grows_meanwhile_are_sold_once() {
    let generous = BookingPolicy { live_reservations_per_user: 1_000, seats_per_user: 1_000, ..policy() };
    let database = Database::new(TestClock::Real).await;
    let first = World::new(store(&database.url(), &generous).await).await;
    let second = first.at(store(&database.url(), &generous).await, 1_000_000);
    let third = first.at(store(&database.url(), &generous).await, 2_000_000);
    let (one, two) = (first.rich(1).await, first.rich(2).await);
    let grow = async {
        for seats in (60..=250).step_by(10) {
            third.grow(seats).await;
        }
    };
    let hold = async |world: &World, user| {
        let (mut held, mut refused) = (Vec::new(), 0);
        while refused < 3 {
            match world.ask(world.place_best(user, 2)).await.expect("an answer") {
                Ok(outcome) => held.extend(reservation_of(outcome).seats.to_vec()),
                Err(Refusal::NoAdjacentSeats { .. }) if held.len() > 20 => refused += 1,
                Err(Refusal::NoAdjacentSeats { .. }) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
        held
    };
    let ((), one, two) = tokio::join!(grow, hold(&first, one), hold(&second, two));
    let mut all = [one, two].concat();
    let held = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), held, "no seat twice");
    first.books_are_clean().await;
}

/// An instance that stops inside a transaction: its COMMIT stays on the way, so that it holds its locks and says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_stops_inside_a_transaction_frees_its_locks_within_two_seconds() {
    an_instance_stops(|place, user| vec![place, charge(user, 1)]).await;
}

/// The same before what it saves without a lock has arrived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_stops_while_it_saves_holds_is_in_nobodys_way() {
    an_instance_stops(|place, _| vec![place]).await;
}

async fn an_instance_stops(batch: impl Fn(Command, UserId) -> Vec<Command>) {
    let database = Database::new(TestClock::Real).await;
    let proxy = Proxy::to(port(&database.url())).await;
    let stopped = World::new(store(&proxy.url(&database.url()), &policy()).await).await;
    let other = stopped.at(store(&database.url(), &policy()).await, 1_000);
    let (slow, quick) = (stopped.rich(1).await, stopped.rich(2).await);
    proxy.turn(Weather::SwallowCommit, Weather::Silence);
    let place = stopped.place(slow, &[1]);
    let (asked, begin) = (stopped.store.execute(batch(place.clone(), slow)), Instant::now());
    let others = async {
        proxy.has_hit(1).await;
        let held = other.ask(other.place(quick, &[1])).await.expect("it waits for the lock, and gets it");
        (held, begin.elapsed())
    };
    let (stopped_answer, (held, waited)) = tokio::join!(asked, others);
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    reservation_of(held.expect("the stopped instance's hold was undone"));
    assert!(stopped_answer.expect_err("it never heard").may_have_applied());
    // It wakes up, and commits nothing that it should not.
    proxy.turn(Weather::Fair, Weather::Fair);
    let mut answer = stopped.ask(place.clone()).await;
    for _ in 0..20 {
        if answer.is_ok() {
            break;
        }
        answer = stopped.ask(place.clone()).await;
    }
    assert_eq!(answer.expect("it is back"), Err(Refusal::SeatTaken { seats: vec![1] }));
    other.books_are_clean().await;
}

/// Both decide ahead and find that the other one wrote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_only_hold_get_in_each_others_way_and_lose_nothing() {
    let database = Database::new(TestClock::Real).await;
    let first = Arc::new(World::new(store(&database.url(), &policy()).await).await);
    let second = Arc::new(first.at(store(&database.url(), &policy()).await, 1_000));
    for n in 1..=48 {
        first.rich(n).await;
    }
    let mut holding = Vec::new();
    for client in 0..8_u32 {
        let world = Arc::clone(if client % 2 == 0 { &first } else { &second });
        holding.push(tokio::spawn(async move {
            for seat in client * 6 + 1..=client * 6 + 6 {
                world.done(world.place(user(seat.into()), &[seat])).await;
            }
        }));
    }
    for client in holding {
        client.await.expect("every seat is free");
    }
    first.books_are_clean().await;
    let mut connection = connect(&database.url()).await;
    assert_eq!(count(&mut connection, "SELECT count(*) FROM seats").await, 48);
    log_is_in_order(&mut connection).await;
}

/// However early it was decided first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_waited_is_decided_when_its_wait_is_over() {
    let database = Database::new(TestClock::Real).await;
    let world = World::new(store(&database.url(), &policy()).await).await;
    let user = world.rich(1).await;
    let mut stranger = connect(&database.url()).await;
    run(&mut stranger, "BEGIN; SELECT FROM log_head FOR UPDATE").await;
    let mut onlooker = connect(&database.url()).await;
    let free = async {
        until_somebody_waits(&mut onlooker).await;
        // Longer than an instant decides that was read before the wait.
        let later = "SELECT pg_sleep(0.15), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let row = sqlx::query(later).fetch_one(&mut stranger).await.expect("the clock");
        run(&mut stranger, "ROLLBACK").await;
        sqlx::Row::get::<i64, _>(&row, 1)
    };
    let (held, free) = tokio::join!(world.done(world.place(user, &[1])), free);
    assert!(reservation_of(held).created_at.micros() >= free);
    world.books_are_clean().await;
}

/// A session that stops in a transaction for longer than anybody waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_never_freed_makes_unavailable_and_hurts_no_longer_than_it_is_there() {
    let database = Database::new(TestClock::Real).await;
    let world = World::new(store(&database.url(), &policy()).await).await;
    let (first, second) = (world.rich(1).await, world.rich(2).await);
    world.buy(9, 9).await;
    let mut stranger = connect(&database.url()).await;
    run(&mut stranger, &format!("BEGIN; {}", taking(&[1, 2]))).await;
    let cant = async |user, seat| {
        let begin = Instant::now();
        let error = world.ask(world.place(user, &[seat])).await.expect_err("the seat can't be had");
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(2) && !error.may_have_applied(), "{error} {took:?}");
    };
    // The second waits for the first, and then for its own seat: it is given up without doubt as well.
    let mut onlooker = connect(&database.url()).await;
    let late = async {
        until_somebody_waits(&mut onlooker).await;
        cant(second, 2).await;
    };
    tokio::join!(cant(first, 1), late);
    world.done(world.place(second, &[3])).await;
    run(&mut stranger, "ROLLBACK").await;
    world.done(world.place(first, &[1])).await;
    world.books_are_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_waited_past_the_end_of_its_hold_is_refused() {
    // Shorter than a payment waits for its lock.
    let short = BookingPolicy { hold_ttl: Duration::from_secs(1), ..policy() };
    let database = Database::new(TestClock::Real).await;
    let world = World::new(store(&database.url(), &short).await).await;
    let payer: UserId = world.rich(1).await;
    let held = world.hold(1, 1).await;
    let mut stranger = connect(&database.url()).await;
    run(&mut stranger, "BEGIN; SELECT FROM log_head FOR UPDATE").await;
    let mut onlooker = connect(&database.url()).await;
    let free = async {
        until_somebody_waits(&mut onlooker).await;
        // By the clock that decides.
        let end = held.hold_until.micros();
        let in_time =
            format!("SELECT timestamptz 'epoch' + {end} * interval '1 microsecond' > clock_timestamp()");
        let row = sqlx::query(AssertSqlSafe(in_time)).fetch_one(&mut stranger).await.expect("the clock");
        assert!(sqlx::Row::get::<bool, _>(&row, 0), "it waits since before the end of its hold");
        let over = format!("SELECT pg_sleep_until(timestamptz 'epoch' + {end} * interval '1 microsecond')");
        run(&mut stranger, &over).await;
        run(&mut stranger, "ROLLBACK").await;
    };
    // It is asked for in time, but gets its lock too late.
    let (paid, ()) = tokio::join!(world.ask(pay(&held)), free);
    assert_eq!(paid.expect("an answer"), Err(Refusal::HoldExpired));
    let payments = world.store.payments(payer, booking_core::store::PageRequest::first(1)).await;
    assert_eq!(payments.map(|page| page.items.len()), Ok(0));
    world.books_are_clean().await;
}
