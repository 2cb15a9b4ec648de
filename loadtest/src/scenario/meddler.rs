//! Somebody who tries what nobody may do, all the while.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    history::Probe,
    person::{Person, Stop},
    stage::Stage,
};

const PAUSE: Duration = Duration::from_millis(250);

/// Meddles until the run ends. The meddler's number is the first that no other person has.
pub(super) async fn meddle(stage: Arc<Stage>) {
    let person = Person::new(&stage, stage.plan.people, Instant::now());
    let ended = stage.ended();
    tokio::select! {
        _ = try_everything(person) => {}
        () = ended => {}
    }
}

async fn try_everything(mut person: Person) -> Result<(), Stop> {
    let stage = Arc::clone(&person.stage);
    person.sign_up().await?;
    person.enter_beside().await?;
    loop {
        let performance = person.some_performance();
        person.probe(Probe::ForgedToken { performance }).await;
        person.probe(Probe::UserToken { performance }).await;
        person.probe(Probe::WrongLane { performance }).await;
        if let Some(reservation) = stage.crew.latest_hold() {
            person.probe(Probe::PayForeign(reservation)).await;
            person.probe(Probe::ReleaseForeign(reservation)).await;
        }
        person.pause(PAUSE).await;
    }
}
