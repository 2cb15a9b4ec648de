//! Many callers of one instance at a few seats: some batches are answered from what was seen, by several at once, and some are
//! written, and what the next one will be is a guess each time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use booking_core::{BookingPolicy, Refusal, hold};
use booking_store_pg::{PgConfig, PgStore};
use tokio::time::timeout;

use crate::support::{
    database::{Database, TestClock},
    world::{World, reservation_of, user},
};

const CLIENTS: u32 = 64;
const SEATS: u32 = 4;
const TIMES: u32 = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn winners_and_losers_of_one_rush_are_all_answered_and_no_seat_has_two_owners() {
    let database = Database::new(TestClock::Real).await;
    let config = PgConfig::new(database.url(), BookingPolicy::default());
    let world = Arc::new(World::new(PgStore::connect(config).await.expect("the store opens")).await);
    for n in 1..=CLIENTS {
        world.rich(n.into()).await;
    }
    let owners: Arc<Vec<AtomicUsize>> = Arc::new((0..SEATS).map(|_| AtomicUsize::new(0)).collect());
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let (world, owners) = (Arc::clone(&world), Arc::clone(&owners));
            tokio::spawn(async move {
                let (mut won, mut lost, user) = (0, 0, user(client.into()));
                for time in 0..TIMES {
                    let seat = (client + time) % SEATS;
                    match world.ask(world.place(user, &[seat + 1])).await.expect("an answer") {
                        Ok(outcome) => {
                            let before = owners[seat as usize].fetch_add(1, Ordering::SeqCst);
                            assert_eq!(before, 0, "seat {} has an owner", seat + 1);
                            let reservation = reservation_of(outcome).id;
                            // So that the losers are many.
                            tokio::task::yield_now().await;
                            owners[seat as usize].fetch_sub(1, Ordering::SeqCst);
                            world.done(hold::Command::Release { reservation, user }.into()).await;
                            won += 1;
                        }
                        Err(Refusal::SeatTaken { .. }) => lost += 1,
                        Err(other) => panic!("{other}"),
                    }
                }
                (won, lost)
            })
        })
        .collect();
    let (mut won, mut lost) = (0, 0);
    for client in clients {
        let told = timeout(Duration::from_mins(1), client).await.expect("nobody waits for ever");
        let told = told.expect("no panic");
        won += told.0;
        lost += told.1;
    }
    assert!(won >= 50 && lost >= 50, "{won} won and {lost} lost, which shows little");
    world.books_are_clean().await;
}
