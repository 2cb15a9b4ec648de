//! The database stops, freezes, crashes and comes back: every call answers within two seconds, and nothing has to be
//! restarted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_core::{BookingPolicy, StoreError};
use booking_store_pg::{PgConfig, PgStore};
use tokio::sync::watch;

use crate::support::{
    database::{Database, TestClock, connect, port, run},
    proxy::{Proxy, Weather},
    server::Server,
    world::{World, user},
};

/// Longer than any call may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A store that presumes nothing, not even for a moment: nothing is sent to a database that is gone but questions.
async fn open(url: &str) -> Arc<PgStore> {
    let config = PgConfig::new(url, BookingPolicy::default());
    let store = PgStore::connect(config).await.expect("the store opens");
    store.presume_for(Duration::ZERO);
    store
}

/// What a hold and what reads say, each within two seconds.
async fn all_calls(world: &World, seat: u32) -> Vec<Option<StoreError>> {
    async fn timed<T>(call: impl Future<Output = Result<T, StoreError>>) -> Option<StoreError> {
        let begin = Instant::now();
        let answer = call.await;
        assert!(begin.elapsed() < PATIENCE, "it took {:?}", begin.elapsed());
        answer.err()
    }
    let store = &world.store;
    let lane = booking_core::LaneName::main();
    let hold = timed(world.ask(world.place(user(1), &[seat])));
    let (hold, wallet, map, stock, expired, audit) = tokio::join!(
        hold,
        timed(store.wallet(user(1))),
        timed(store.seat_map(world.show)),
        timed(store.stock(&lane)),
        timed(store.expired_holds(10)),
        timed(store.audit()),
    );
    vec![hold, wallet, map, stock, expired, audit]
}

fn unavailable(errors: &[Option<StoreError>]) {
    for error in errors {
        let error = error.as_ref().expect("there is no database to answer");
        assert!(error.retryable() && !error.may_have_applied(), "{error:?}");
    }
}

async fn back(world: &World, seat: u32) {
    let begin = Instant::now();
    loop {
        let errors = all_calls(world, seat).await;
        if errors.iter().all(Option::is_none) {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "still {errors:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashed_server_is_unavailable_and_comes_back_with_all_that_was_acknowledged() {
    let mut server = Server::start(&[]).await;
    let world = World::new(open(&server.url()).await).await;
    let bought = world.buy(1, 1).await;
    server.crash();
    unavailable(&all_calls(&world, 2).await);
    // Also those who ask while others already wait.
    let begin = Instant::now();
    let crowd = (0..200).map(|_| world.ask(world.place(user(1), &[3])));
    for answer in futures_util::future::join_all(crowd).await {
        unavailable(&[answer.err()]);
    }
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    server.resume().await;
    back(&world, 4).await;
    let again = world.store.reservation(user(1), bought.id).await.expect("a read").expect("it is kept");
    assert_eq!(again.status, booking_core::hold::ReservationStatus::Confirmed);
    world.books_are_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_a_hold_that_was_sent_to_a_database_just_gone_is_told_when_it_is_repeated() {
    let mut server = Server::start(&[]).await;
    let store = open(&server.url()).await;
    store.presume_for(Duration::from_mins(1));
    let world = World::new(store.clone()).await;
    world.rich(1).await;
    world.rich(2).await;
    for n in 3..=10 {
        world.hold(n, u32::try_from(n).expect("a seat")).await;
    }
    assert!(store.presumptions().0 > 0, "it is presumed that things are as they were");
    server.crash();
    let place = world.place(user(2), &[2]);
    let begin = Instant::now();
    let error = world.ask(place.clone()).await.expect_err("there is no database to answer");
    assert!(error.retryable() && error.may_have_applied(), "{error:?}");
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    server.resume().await;
    store.presume_for(Duration::ZERO);
    back(&world, 20).await;
    world.done(place).await;
    world.books_are_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_unavailable_until_it_thaws() {
    let server = Server::start(&[]).await;
    let world = World::new(open(&server.url()).await).await;
    world.rich(1).await;
    server.freeze(true);
    unavailable(&all_calls(&world, 1).await);
    unavailable(&all_calls(&world, 2).await);
    server.freeze(false);
    back(&world, 3).await;
    world.books_are_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_server_is_unavailable_until_the_wire_is_whole() {
    let database = Database::new(TestClock::Real).await;
    let proxy = Proxy::to(port(&database.url())).await;
    let world = World::new(open(&proxy.url(&database.url())).await).await;
    world.rich(1).await;
    for (weather, seat) in [(Weather::Silence, 1), (Weather::Cut, 3)] {
        proxy.turn(weather, weather);
        unavailable(&all_calls(&world, seat).await);
        proxy.turn(Weather::Fair, Weather::Fair);
        back(&world, seat + 1).await;
        let page = booking_core::store::PageRequest::first(10);
        for held in world.store.reservations(user(1), page).await.expect("a read").items {
            let release = booking_core::hold::Command::Release { reservation: held.id, user: user(1) };
            world.ask(release.into()).await.expect("the database is back").ok();
        }
    }
    world.books_are_clean().await;
}

/// It has a connection, on which nothing comes back any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audit_on_a_wire_that_falls_silent_is_unavailable_like_any_read() {
    let database = Database::new(TestClock::Real).await;
    let proxy = Proxy::to(port(&database.url())).await;
    let world = World::new(open(&proxy.url(&database.url())).await).await;
    world.books_are_clean().await;
    proxy.turn(Weather::Silence, Weather::Silence);
    let audit = tokio::time::timeout(PATIENCE, world.store.audit()).await.expect("it answers in time");
    unavailable(&[audit.err()]);
    proxy.turn(Weather::Fair, Weather::Fair);
    world.books_are_clean().await;
}

/// As when a name leads to another server than before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_as_a_standby_is_not_asked() {
    let mut server = Server::start(&[]).await;
    let world = World::new(open(&server.url()).await).await;
    world.buy(1, 1).await;
    server.crash();
    let standby = server.folder().path().join("data/standby.signal");
    std::fs::write(&standby, "").expect("a file");
    server.folder().hand_over();
    server.resume().await;
    unavailable(&all_calls(&world, 2).await);
    server.crash();
    std::fs::remove_file(&standby).expect("it is there");
    server.resume().await;
    back(&world, 3).await;
    world.books_are_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_sessions_are_hardly_noticed() {
    let database = Database::new(TestClock::Real).await;
    let store = open(&database.url()).await;
    let world = Arc::new(World::new(store).await);
    let asked = watch::Sender::new(0);
    let mut progress = asked.subscribe();
    let asking: Vec<_> = (1..=8_u128)
        .map(|n| {
            let (world, asked) = (Arc::clone(&world), asked.clone());
            tokio::spawn(async move {
                let user = world.rich(n).await;
                let (mut went, mut lost) = (0, 0);
                for _ in 0..100 {
                    asked.send_modify(|asked| *asked += 1);
                    let seat = u32::try_from(n).unwrap_or(0);
                    let place = world.place(user, &[seat]);
                    let booking_core::Command::Hold(booking_core::hold::Command::Place {
                        reservation, ..
                    }) = place
                    else {
                        unreachable!()
                    };
                    match world.ask(place).await {
                        Ok(answer) => {
                            answer.expect("nobody else wants the seat");
                            went += 1;
                        }
                        Err(error) => {
                            assert!(error.retryable(), "{error:?}");
                            lost += 1;
                        }
                    }
                    let release = booking_core::hold::Command::Release { reservation, user };
                    while world.ask(release.clone().into()).await.is_err() {}
                    world.store.wallet(user).await.ok();
                }
                (went, lost)
            })
        })
        .collect();
    let mut killer = connect(&database.url()).await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'booking'";
    // As often as there is progress, so that it is as hard on any machine.
    drop(asked);
    let mut next = 20;
    while progress.wait_for(|asked| *asked >= next).await.is_ok() {
        run(&mut killer, kill).await;
        next += 20;
    }
    let (mut went, mut lost) = (0, 0);
    for asking in asking {
        let told = asking.await.expect("no panic");
        went += told.0;
        lost += told.1;
    }
    assert!(went >= 700, "{went} went, {lost} were lost");
    // The one that audits may be dead as well.
    run(&mut killer, kill).await;
    world.books_are_clean().await;
}
