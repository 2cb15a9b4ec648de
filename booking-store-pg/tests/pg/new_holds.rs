//! While every hold is made, nobody looks whether a reservation has its identity already: the database tells when it is saved.

use std::{sync::Arc, time::Duration};

use booking_core::{
    Command, Refusal, Ticket,
    hold::{self, Reservation},
    id::ReservationId,
    store::BookingStore,
};
use booking_store_pg::PgStore;

use crate::support::{
    database::{Database, TestClock},
    world::{World, reservation_of, store},
};

struct Stage {
    _database: Database,
    store: Arc<PgStore>,
    world: World,
    /// Who has come so far.
    users: u128,
}

impl Stage {
    async fn new() -> Self {
        let database = Database::new(TestClock::Real).await;
        let store = store(database.url()).await;
        // Nothing but identities.
        store.presume_for(Duration::ZERO);
        let world = World::new(store.clone()).await;
        Self { _database: database, store, world, users: 0 }
    }

    /// The hold of a new user.
    async fn place(&mut self, seat: u32) -> Command {
        self.users += 1;
        let user = self.world.rich(self.users).await;
        self.world.place(user, &[seat])
    }

    /// Holds these seats, one after the other, until the identity of the next one will be presumed to be new.
    async fn prime(&mut self, seats: std::ops::Range<u32>) {
        for seat in seats {
            let place = self.place(seat).await;
            self.world.done(place).await;
        }
    }

    /// What a batch is answered of which the identities are presumed to be new.
    async fn ask(&self, batch: Vec<Command>) -> Vec<Result<Reservation, Refusal>> {
        let before = self.store.batches_presumed_new();
        let answers = self.store.execute(batch).await.expect("answers");
        assert_eq!(self.store.batches_presumed_new(), before + 1, "{answers:?}");
        answers.into_iter().map(|answer| answer.map(reservation_of)).collect()
    }
}

fn with(reservation: ReservationId, ticket: Ticket, place: &Command) -> Command {
    match place {
        Command::Hold(hold::Command::Place { performance, choice, .. }) => {
            let (performance, choice) = (*performance, choice.clone());
            hold::Command::Place { reservation, ticket, performance, choice }.into()
        }
        other => panic!("no hold: {other:?}"),
    }
}

#[tokio::test]
async fn an_identity_that_is_there_is_told_and_harms_no_other_hold_of_its_batch() {
    let mut stage = Stage::new().await;
    let place = stage.place(50).await;
    let first = reservation_of(stage.world.done(place).await);
    stage.world.done(hold::Command::Release { reservation: first.id, user: first.user }.into()).await;
    stage.prime(1..5).await;
    let (one, another) = (stage.place(10).await, stage.place(11).await);
    let again = with(first.id, stage.world.ticket(first.user), &stage.place(12).await);
    let answers = stage.ask(vec![one, again, another]).await;
    let told: Vec<_> = answers.iter().map(|answer| answer.as_ref().map(|held| &held.seats[..])).collect();
    assert_eq!(told, [Ok(&[10][..]), Err(&Refusal::IdempotencyKeyReused), Ok(&[11][..])]);
    let (before, place) = (stage.store.batches_presumed_new(), stage.place(13).await);
    stage.world.done(place).await;
    assert_eq!(stage.store.batches_presumed_new(), before, "the next ones are looked for");
    stage.world.books_are_clean().await;
}

#[tokio::test]
async fn who_is_refused_or_told_again_is_told_so_on_what_is_there() {
    let mut stage = Stage::new().await;
    let place = stage.place(50).await;
    let first = reservation_of(stage.world.done(place.clone()).await);
    stage.prime(1..5).await;
    let (taken, free) = (stage.place(50).await, stage.place(10).await);
    let answers = stage.ask(vec![place, taken, free]).await;
    assert_eq!(answers[..2], [Ok(first.clone()), Err(Refusal::SeatTaken { seats: vec![50] })]);
    assert_eq!(answers[2].as_ref().map(|held| &held.seats[..]), Ok(&[10][..]));
    // A key that is used for something else is told before all that may be wrong with the rest.
    stage.world.done(hold::Command::Release { reservation: first.id, user: first.user }.into()).await;
    stage.prime(20..24).await;
    let again = with(first.id, stage.world.ticket(first.user), &stage.place(10).await);
    assert_eq!(stage.ask(vec![again]).await, [Err(Refusal::IdempotencyKeyReused)]);
    stage.world.books_are_clean().await;
}
