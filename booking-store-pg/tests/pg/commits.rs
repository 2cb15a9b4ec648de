//! The connection is lost while a batch commits: what became of it is found out, or told to be unknown.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_core::{BookingPolicy, Command, hold, id::ReservationId, store::BookingStore};
use booking_store_pg::{PgConfig, PgStore};

use crate::support::{
    database::{Database, TestClock, connect, port},
    proxy::{Proxy, Weather},
    world::{World, pay},
};

struct Stage {
    database: Database,
    proxy: Proxy,
    /// Through the proxy.
    world: World,
    /// Past the proxy.
    direct: Arc<PgStore>,
}

async fn stage() -> Stage {
    let database = Database::new(TestClock::Real).await;
    let proxy = Proxy::to(port(&database.url())).await;
    let open = |url: String| PgStore::connect(PgConfig::new(url, BookingPolicy::default()));
    let store = open(proxy.url(&database.url())).await.expect("the store opens through the proxy");
    let direct = open(database.url()).await.expect("the store opens");
    let world = World::new(store).await;
    Stage { database, proxy, world, direct }
}

impl Stage {
    async fn reservations(&self, n: u128) -> usize {
        let page = booking_core::store::PageRequest::first(100);
        let user = crate::support::world::user(n);
        self.direct.reservations(user, page).await.expect("a read").items.len()
    }

    async fn end(self) {
        self.world.at(self.direct.clone(), 1_000).books_are_clean().await;
        drop(self.database);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_went_through_is_found_in_the_log() {
    let stage = stage().await;
    let user = stage.world.rich(1).await;
    stage.proxy.turn(Weather::CutAfterCommit, Weather::Fair);
    let held = crate::support::world::reservation_of(stage.world.done(stage.world.place(user, &[1])).await);
    assert_eq!((stage.proxy.hits(), stage.reservations(1).await), (1, 1));
    stage.proxy.turn(Weather::CutAfterCommit, Weather::Fair);
    stage.world.done(pay(&held)).await;
    assert_eq!(stage.proxy.hits(), 2);
    let wallet = stage.direct.wallet(user).await.expect("a read").expect("a wallet");
    assert_eq!(wallet.entries, 2, "paid once");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_never_arrived_is_done_again() {
    let stage = stage().await;
    let user = stage.world.rich(1).await;
    let mut connection = connect(&stage.database.url()).await;
    let mut version = async || {
        let version = sqlx::query_scalar::<_, i64>("SELECT catalog_version FROM log_head");
        version.fetch_one(&mut connection).await.expect("the head of the log")
    };
    let before = version().await;
    stage.proxy.turn(Weather::CutBeforeCommit, Weather::Fair);
    let held = crate::support::world::reservation_of(stage.world.done(stage.world.place(user, &[1])).await);
    assert_eq!((stage.proxy.hits(), stage.reservations(1).await), (1, 1));
    assert_eq!(version().await, before + 1, "what may still be on its way can't be saved any more");
    stage.proxy.turn(Weather::CutBeforeCommit, Weather::Fair);
    stage.world.done(pay(&held)).await;
    assert_eq!(stage.proxy.hits(), 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_find_out_in_time_is_told_to_be_unknown_and_repeating_it_tells() {
    let stage = stage().await;
    let user = stage.world.rich(1).await;
    for (weather, seat, applied) in [(Weather::CutAfterCommit, 1, true), (Weather::CutBeforeCommit, 2, false)]
    {
        let before = stage.reservations(1).await;
        let place = stage.world.place(user, &[seat]);
        stage.proxy.turn(weather, Weather::Silence);
        let begin = Instant::now();
        let error = stage.world.ask(place.clone()).await.expect_err("nobody knows");
        assert!(error.may_have_applied() && error.retryable(), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        let now = stage.reservations(1).await;
        assert_eq!(now - before, usize::from(applied), "{weather:?}");
        stage.proxy.turn(Weather::Fair, Weather::Fair);
        // The same identity again: what is there is answered, what is not is made.
        let again = stage.world.done(place.clone()).await;
        assert_eq!(again.replayed, applied, "{weather:?}");
        assert_eq!(stage.reservations(1).await - before, 1);
        let Command::Hold(hold::Command::Place { reservation, .. }) = place else { unreachable!() };
        give_back(&stage, reservation, user).await;
    }
    stage.end().await;
}

async fn give_back(stage: &Stage, reservation: ReservationId, user: booking_core::id::UserId) {
    stage.world.done(hold::Command::Release { reservation, user }.into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_effect_is_lost_or_doubled_when_every_tenth_commit_is_cut() {
    let stage = stage().await;
    let (mut answered, mut unknown) = (0, 0);
    for n in 1..=40_u32 {
        let weather = [Weather::CutAfterCommit, Weather::CutBeforeCommit][usize::from(n % 20 < 10)];
        let user = stage.world.rich(n.into()).await;
        if n.is_multiple_of(5) {
            stage.proxy.turn(weather, Weather::Fair);
        }
        match stage.world.ask(stage.world.place(user, &[n])).await {
            Ok(answer) => {
                answer.expect("the seat is free");
                answered += 1;
                assert_eq!(stage.reservations(n.into()).await, 1);
            }
            Err(error) => {
                assert!(error.may_have_applied(), "{error}");
                unknown += 1;
            }
        }
    }
    assert_eq!((answered, unknown), (40, 0), "the database was there all the time");
    assert_eq!(stage.proxy.hits(), 8);
    stage.end().await;
}
