use std::{sync::Arc, time::Duration};

use booking_api::PlaceStatus;
use rand::Rng;
use tokio::time::Instant;

use super::{Plan, goals, rush};
use crate::{
    failure::Failure,
    history::Act,
    oracle::{Check, Evidence, Verdict},
    person::{Person, Stop},
    stage::Stage,
};

/// The part of the waiting who leave at some time.
const LEAVES: f64 = 0.01;

pub(super) fn plan() -> Plan {
    Plan {
        people: 20_000,
        capacity: 1_000,
        admit_per_second: Some(200),
        span: Duration::from_secs(30),
        gathers: true,
        ..Plan::default()
    }
}

pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    let ready = |mut person: Person| async {
        let ready = ready(&mut person).await;
        (person, ready)
    };
    rush(stage, ready, |mut person| async {
        poll(&mut person).await.ok();
        person
    })
    .await
}

async fn ready(person: &mut Person) -> Result<(), Stop> {
    person.sign_up().await?;
    person.enter().await.map(drop)
}

/// Asks as often as the service advises until the storm is over. Who is admitted leaves at once, and some leave before.
async fn poll(person: &mut Person) -> Result<(), Stop> {
    let (until, leaves) = (person.due + person.stage.plan.span, person.dice.random_bool(LEAVES));
    let leaves_at = person.due + person.up_to(person.stage.plan.span);
    // Nobody asks all at once: the doors are no news to those far behind.
    let spread = person.up_to(Duration::from_secs(5).min(person.stage.plan.span));
    person.pause(spread).await;
    while person.due < until {
        let (place, advised) = person.ask_place().await?;
        if place.status == PlaceStatus::Admitted || (leaves && person.due >= leaves_at) {
            return person.leave().await;
        }
        if place.status == PlaceStatus::Done {
            return Err(Stop::Over);
        }
        let next = person.due + advised;
        if next >= until {
            return Ok(());
        }
        person.pause_until(next.max(Instant::now())).await;
    }
    Ok(())
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let polls = goals::acknowledged(evidence, |act| *act == Act::Status);
    let people = usize::try_from(plan.people).unwrap_or(usize::MAX);
    vec![
        exact_ranks(evidence),
        goals::reached(
            "people ask once each or more, on average",
            polls >= people,
            &format!("{polls} asked"),
        ),
    ]
}

/// While nobody has been let in and nobody has left, a rank is the number itself.
fn exact_ranks(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("goal", "before the doors open, everybody's rank is the number taken");
    for seen in evidence.history.iter().filter(|seen| seen.act == Act::Enter) {
        let Some(place) = seen.place() else { continue };
        let is_exact = place.rank == Some((place.ticket.order, place.ticket.order - 1));
        check
            .expect(is_exact, || (format!("number {} has {:?}", place.ticket.order, place.rank), vec![seen]));
    }
    check.finish()
}
