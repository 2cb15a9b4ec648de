//! Many callers of one instance at a few seats: some batches are answered from what was seen, by several at once, and some are
//! written, and what the next one will be is a guess each time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use booking_core::{BookingPolicy, Command, Refusal, hold};
use booking_store_pg::{PgConfig, PgStore};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::support::{
    database::{Database, TestClock, connect, run},
    world::{World, reservation_of, user},
};

const CLIENTS: u32 = 64;
const SEATS: u32 = 4;
const TIMES: u32 = 100;

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

/// Asks for all of it at once.
async fn ask_all(world: &World, commands: &[Command]) -> Vec<Result<booking_core::Outcome, Refusal>> {
    let asked = join_all(commands.iter().map(|command| world.ask(command.clone()))).await;
    asked.into_iter().map(|answer| answer.expect("an answer")).collect()
}

#[tokio::test]
async fn losers_of_a_rush_are_told_by_the_seats_alone_and_nobody_who_won_is_told_so() {
    let database = Database::new(TestClock::Real).await;
    let config = PgConfig::new(database.url(), BookingPolicy::default());
    let world = World::new(PgStore::connect(config).await.expect("the store opens")).await;
    let mut winners = Vec::new();
    for n in 1..=5 {
        let user = world.rich(n).await;
        winners.push(world.place(user, &[u32::try_from(n).expect("a seat")]));
    }
    let held: Vec<_> = ask_all(&world, &winners)
        .await
        .into_iter()
        .map(|won| reservation_of(won.expect("a seat")).id)
        .collect();
    // The first one gives the seat back, and another one takes it.
    world.done(hold::Command::Release { reservation: held[0], user: user(1) }.into()).await;
    world.hold(6, 1).await;
    let losers: Vec<Command> =
        (7..60).map(|n| world.place(user(n), &[u32::try_from(n % 5).expect("a seat") + 1])).collect();
    let is_told =
        |answer: &Result<_, Refusal>| matches!(answer, Err(Refusal::SeatTaken { seats }) if seats.len() == 1);
    assert!(ask_all(&world, &losers).await.iter().all(is_told), "losers come");

    // Now nobody can look at who asks; and some repeat what they asked before, or ask for what they have by another name.
    let mut keeper = connect(&database.url()).await;
    run(&mut keeper, "BEGIN; LOCK TABLE users").await;
    winners.push(world.place(user(2), &[2]));
    let (told, mut again) = (ask_all(&world, &losers), Box::pin(ask_all(&world, &winners)));
    tokio::select! {
        biased;
        told = told => assert!(told.iter().all(is_told), "{told:?}"),
        answers = &mut again => panic!("who won is looked at: {answers:?}"),
    }
    run(&mut keeper, "COMMIT").await;
    let again: Vec<_> =
        again.await.into_iter().map(|won| reservation_of(won.expect("what there is")).id).collect();
    assert_eq!(again, [&held[..], &held[1..2]].concat());
    world.books_are_clean().await;
}
