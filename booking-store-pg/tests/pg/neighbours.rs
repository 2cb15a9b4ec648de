//! What the database refuses of one caller, the others do not suffer for.

use std::time::{Duration, Instant};

use booking_core::{Amount, BookingPolicy, Command, id::EntryId, wallet};
use booking_store_pg::{PgConfig, PgStore};
use futures_util::future::join_all;

use crate::support::{
    database::{Database, TestClock},
    world::{World, charge, pay},
};

/// All of them ask before anybody is answered, so that they are one batch: this runtime has one thread.
#[tokio::test]
async fn a_command_that_can_never_be_saved_fails_alone() {
    let database = Database::new(TestClock::Real).await;
    let config = PgConfig::new(database.url(), BookingPolicy::default());
    let world = World::new(PgStore::connect(config).await.expect("the store opens")).await;
    let (held, other) = (world.hold(1, 1).await, world.rich(2).await);
    // Somebody's charge has the identity that the debit of the payment is to have.
    let amount = Amount::new(1).expect("an amount");
    let taken = wallet::Command::Charge { entry: EntryId::debit_of(held.payment), user: other, amount };
    world.done(taken.into()).await;
    let charges: Vec<Command> = (0..20).map(|_| charge(other, 5)).collect();
    let begin = Instant::now();
    let (paid, charged) =
        tokio::join!(world.ask(pay(&held)), join_all(charges.into_iter().map(|charge| world.ask(charge))));
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    paid.expect_err("no two lines of the ledger have one identity");
    for charged in charged {
        charged.expect("it is none of its business").expect("a charge");
    }
    world.books_are_clean().await;
}
