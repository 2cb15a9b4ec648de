//! Which rows there are of seats: those somebody has, however they came to have them. And what the log says of them.

use booking_core::{
    Command, Event,
    hold::{self, Reservation},
    id::ReservationId,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::support::{
    database::{Database, TestClock, connect, run},
    world::{World, pay, refund, reservation_of, store, user},
};

/// The seats of which there is a row: whose they are, and whether they are sold.
async fn rows(connection: &mut PgConnection) -> Vec<(i32, ReservationId, bool)> {
    let sql = "SELECT number::integer, reservation_id, held_until IS NULL FROM seats ORDER BY number";
    let rows: Vec<(i32, Uuid, bool)> = sqlx::query_as(sql).fetch_all(connection).await.expect("rows");
    rows.into_iter().map(|(number, of, is_sold)| (number, ReservationId(of), is_sold)).collect()
}

fn release(of: &Reservation) -> Command {
    hold::Command::Release { reservation: of.id, user: of.user }.into()
}

#[tokio::test]
async fn a_seat_has_a_row_while_somebody_has_it() {
    let database = Database::new(TestClock::Moved).await;
    let world = World::new(store(database.url()).await).await;
    let mut onlooker = connect(&database.url()).await;
    assert_eq!(rows(&mut onlooker).await, [], "nobody has any");

    let held = world.hold(1, 1).await;
    assert_eq!(rows(&mut onlooker).await, [(1, held.id, false)]);
    world.done(release(&held)).await;
    assert_eq!(rows(&mut onlooker).await, [], "it was given back");

    let late = world.hold(1, 2).await;
    run(&mut onlooker, "UPDATE test_clock SET micros = micros + 3600 * 1000000::bigint").await;
    let next = world.hold(2, 2).await;
    assert_eq!(rows(&mut onlooker).await, [(2, next.id, false)], "the hold of {} was over", late.id);
    world.done(pay(&next)).await;
    assert_eq!(rows(&mut onlooker).await, [(2, next.id, true)]);
    world.done(hold::Command::Expire(late.id).into()).await;
    assert_eq!(rows(&mut onlooker).await, [(2, next.id, true)], "it is not what is expired");
    world.done(refund(next.id)).await;
    assert_eq!(rows(&mut onlooker).await, []);
    world.books_are_clean().await;
}

#[tokio::test]
async fn a_seat_that_changes_hands_within_a_batch_has_the_row_of_who_has_it_then() {
    let database = Database::new(TestClock::Moved).await;
    let world = World::new(store(database.url()).await).await;
    let mut onlooker = connect(&database.url()).await;
    let before = world.hold(1, 1).await;
    for n in 2..=4 {
        world.rich(n).await;
    }
    let id = ReservationId::random();
    let place = |n: u128, seat: u32, id: ReservationId| match world.place(user(n), &[seat]) {
        Command::Hold(hold::Command::Place { ticket, performance, choice, .. }) => {
            hold::Command::Place { reservation: id, ticket, performance, choice }.into()
        }
        other => panic!("no hold: {other:?}"),
    };
    let given_back = hold::Command::Release { reservation: id, user: user(3) }.into();
    // Seat 1 is passed on, seat 2 is taken and given back, seat 3 is new.
    let batch = vec![
        release(&before),
        place(2, 1, ReservationId::random()),
        place(3, 2, id),
        given_back,
        place(4, 3, ReservationId::random()),
    ];
    let answers = world.store.execute(batch).await.expect("an answer");
    let done: Vec<_> =
        answers.into_iter().map(|answer| reservation_of(answer.expect("no refusal"))).collect();
    assert_eq!(rows(&mut onlooker).await, [(1, done[1].id, false), (3, done[4].id, false)]);
    world.books_are_clean().await;
}

#[tokio::test]
async fn the_log_tells_a_hold_as_it_was_made_whatever_became_of_it() {
    let database = Database::new(TestClock::Moved).await;
    let world = World::new(store(database.url()).await).await;
    let before = world.store.events(0, 100).await.expect("a read").len() as u64;
    let (sold, returned) = (world.hold(1, 1).await, world.hold(2, 2).await);
    world.done(pay(&sold)).await;
    world.done(release(&returned)).await;
    let again = world.hold(2, 2).await;
    let log = world.store.events(before, 100).await.expect("a read");
    let numbers: Vec<_> = log.iter().map(|entry| entry.seq).collect();
    assert_eq!(numbers, (before + 1..=before + log.len() as u64).collect::<Vec<_>>());
    let made = |log: &[booking_core::RecordedEvent]| -> Vec<_> {
        let held = log.iter().filter_map(|entry| match &entry.event {
            Event::Hold(hold::Event::SeatsHeld(made)) => Some((entry.at, Reservation::clone(made))),
            _ => None,
        });
        held.collect()
    };
    let of = |held: &Reservation| (held.created_at, held.clone());
    assert_eq!(made(&log), [of(&sold), of(&returned), of(&again)]);
    let history = world.store.seat_history(world.show, 2).await.expect("a read");
    assert_eq!(made(&history), [of(&returned), of(&again)]);
    assert!(history.is_sorted_by_key(|entry| entry.seq) && history.len() == 3, "{history:?}");
    let few = world.store.events(before, 2).await.expect("a read");
    assert_eq!(few, log[..2]);
}
