//! A lone hold is decided on what it is presumed to find, which is compared when it is saved.

use std::{sync::Arc, time::Duration};

use booking_core::{BookingPolicy, Command, EndReason, Refusal, hold, hold::Reservation};
use booking_store_pg::{PgConfig, PgStore};
use sqlx::PgConnection;

use crate::support::{
    database::{Database, TestClock, connect, run},
    world::{PRICE, World, reservation_of, taking, user},
};

struct Stage {
    database: Database,
    store: Arc<PgStore>,
    world: World,
    onlooker: PgConnection,
    /// Who has held a seat so far.
    users: u128,
}

impl Stage {
    async fn new() -> Self {
        let database = Database::new(TestClock::Real).await;
        let config = PgConfig::new(database.url(), BookingPolicy::default());
        let store = PgStore::connect(config).await.expect("the store opens");
        // However slow the machine is.
        store.presume_for(Duration::from_mins(1));
        let world = World::new(store.clone()).await;
        let onlooker = connect(&database.url()).await;
        Self { database, store, world, onlooker, users: 0 }
    }

    /// Another instance.
    async fn other(&self) -> World {
        let config = PgConfig::new(self.database.url(), BookingPolicy::default());
        self.world.at(PgStore::connect(config).await.expect("the store opens"), 1_000)
    }

    /// The hold of a new user, who can pay, of the seat with their number.
    async fn place(&mut self) -> Command {
        self.users += 1;
        let user = self.world.rich(self.users).await;
        self.world.place(user, &[u32::try_from(self.users).expect("a seat")])
    }

    /// Holds seats that are as they are presumed to be, until one of them was presumed to be, as the next one will be.
    async fn prime(&mut self) -> Reservation {
        let (before, _) = self.store.presumptions();
        for _ in 0..8 {
            let place = self.place().await;
            let held = reservation_of(self.world.done(place).await);
            if self.store.presumptions().0 > before {
                return held;
            }
        }
        panic!("nothing is presumed");
    }

    /// What a hold is answered that is presumed to find what it does not find.
    async fn ask_wrong(&mut self, place: Command) -> Result<Reservation, Refusal> {
        let (saved, wrong) = self.store.presumptions();
        let answer = self.world.ask(place).await.expect("an answer");
        assert_eq!(self.store.presumptions(), (saved, wrong + 1), "{answer:?}");
        answer.map(reservation_of)
    }

    /// When anything was last read by a connection that only reads.
    async fn last_read(&mut self) -> chrono::DateTime<chrono::Utc> {
        let last = "SELECT max(query_start) FROM pg_stat_activity \
            WHERE datname = current_database() AND query LIKE 'SELECT %' AND pid <> pg_backend_pid()";
        sqlx::query_scalar(last).fetch_one(&mut self.onlooker).await.expect("an instant")
    }

    /// A row like that of this reservation, but for these columns.
    async fn another(&mut self, like: &Reservation, id: &str, user: &str, seq: u64, status: &str) {
        let insert = format!(
            "INSERT INTO reservations SELECT {id}, {user}, performance_id, seats, ticket_lane, ticket_epoch, {seq}, \
                amount, created_at, hold_until, '{status}', \
                (SELECT max(made) + 1000 FROM reservations) FROM reservations WHERE reservation_id = '{}'",
            like.id
        );
        run(&mut self.onlooker, &insert).await;
    }
}

fn parts(place: &Command) -> (booking_core::id::ReservationId, &booking_core::Ticket) {
    match place {
        Command::Hold(hold::Command::Place { reservation, ticket, .. }) => (*reservation, ticket),
        other => panic!("no hold: {other:?}"),
    }
}

#[tokio::test]
async fn a_lone_hold_that_finds_what_is_presumed_is_saved_without_a_look() {
    let mut stage = Stage::new().await;
    let places = [stage.place().await, stage.place().await];
    stage.prime().await;
    let (before, (saved, wrong)) = (stage.last_read().await, stage.store.presumptions());
    for place in places {
        let held = reservation_of(stage.world.done(place.clone()).await);
        assert_eq!(held.id, parts(&place).0);
        assert_eq!(held.amount.units(), PRICE);
    }
    assert_eq!(stage.last_read().await, before, "nobody looked");
    assert_eq!(stage.store.presumptions(), (saved + 2, wrong));
    stage.world.books_are_clean().await;
}

#[tokio::test]
async fn what_is_there_against_all_presumption_decides() {
    let mut stage = Stage::new().await;
    let first = stage.prime().await;
    for case in ["held", "confirmed", "released", "identity", "seat", "user"] {
        let place = match case {
            "user" => stage.world.place(user(999), &[50]),
            _ => stage.place().await,
        };
        let number = u32::try_from(stage.users).expect("a seat");
        stage.prime().await;
        let (id, ticket) = parts(&place);
        let (own, new) = (format!("'{}'", ticket.user), "gen_random_uuid()");
        let expected = match case {
            "held" => {
                stage.another(&first, new, &own, 77, case).await;
                Some(Refusal::SeatLimitReached)
            }
            "confirmed" => {
                stage.another(&first, new, &own, ticket.seq, case).await;
                Some(Refusal::TicketOver(EndReason::Completed))
            }
            "released" => {
                stage.another(&first, new, &own, ticket.seq, case).await;
                None
            }
            "identity" => {
                stage.another(&first, &format!("'{id}'"), "user_id", 78, "released").await;
                Some(Refusal::IdempotencyKeyReused)
            }
            "seat" => {
                run(&mut stage.onlooker, &taking(&[number])).await;
                Some(Refusal::SeatTaken { seats: vec![number] })
            }
            _ => Some(Refusal::UnknownUser),
        };
        let answer = stage.ask_wrong(place.clone()).await;
        assert_eq!(answer.map(|held| held.id), expected.map_or(Ok(id), Err), "{case}");
    }
}

#[tokio::test]
async fn what_others_wrote_since_is_not_presumed_away() {
    let mut stage = Stage::new().await;
    let other = stage.other().await;
    let place = stage.place().await;
    stage.prime().await;
    other.price(3 * PRICE).await;
    let held = stage.ask_wrong(place).await.expect("a seat");
    assert_eq!(held.amount.units(), 3 * PRICE, "the catalogue changed");

    let place = stage.place().await;
    let seat = u32::try_from(stage.users).expect("a seat");
    stage.prime().await;
    other.hold(500, seat).await;
    let refusal = stage.ask_wrong(place).await.expect_err("it is taken");
    assert_eq!(refusal, Refusal::SeatTaken { seats: vec![seat] });

    let place = stage.place().await;
    let before = stage.prime().await.created_at;
    let clock = "CREATE OR REPLACE FUNCTION booking_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS \
        'SELECT clock_timestamp() + interval ''2 minutes'''";
    run(&mut stage.onlooker, clock).await;
    let held = stage.ask_wrong(place).await.expect("a seat");
    let ahead = held.created_at.micros() - before.micros();
    assert!(ahead > 110_000_000, "decided at the instant of the database's clock: {ahead} µs ahead");
    stage.world.books_are_clean().await;
}
