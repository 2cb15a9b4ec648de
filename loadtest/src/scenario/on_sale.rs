use std::{sync::Arc, time::Duration};

use rand::{Rng, seq::SliceRandom};

use super::{Plan, dice, goals};
use crate::{
    arrivals::opening,
    failure::Failure,
    history::{Act, HeldFact},
    oracle::{Evidence, Verdict},
    person::{Found, Person, Stop},
    stage::Stage,
};

/// The part of those with a seat in their basket who never pay: the second wave is about their seats.
const NEVER_PAYS: f64 = 0.3;
/// How many performances somebody looks at before pausing.
const LOOKS_AT: usize = 3;
/// How long somebody pauses who found nothing.
const LOOKS_AGAIN: Duration = Duration::from_secs(2);

pub(super) fn plan() -> Plan {
    Plan {
        people: 52_000,
        performances: 20,
        capacity: 500,
        span: Duration::from_mins(1),
        think: Duration::from_secs(2),
        claim_ttl: Duration::from_secs(30),
        ..Plan::default()
    }
}

pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    let arrivals = opening(stage.plan.people, stage.plan.span, &mut dice(stage));
    stage
        .crowd(0, arrivals, |mut person| async {
            journey(&mut person).await.ok();
            person
        })
        .await
}

async fn journey(person: &mut Person) -> Result<(), Stop> {
    person.sign_up().await?;
    person.queue().await?;
    person.look_at_dates().await?;
    let held = find_a_seat(person).await?;
    let think = person.up_to(person.stage.plan.think);
    person.pause(think).await;
    if person.dice.random_bool(NEVER_PAYS) {
        return Ok(());
    }
    person.charge(held.amount).await?;
    person.pay(held.reservation).await.map(drop)
}

/// Looks at some performances, and again after a pause, until a seat is held or the ticket is over.
async fn find_a_seat(person: &mut Person) -> Result<HeldFact, Stop> {
    let mut performances = person.stage.performances.clone();
    loop {
        let (some, _) = performances.partial_shuffle(&mut person.dice, LOOKS_AT);
        for performance in some.iter().copied() {
            let think = person.up_to(person.stage.plan.think);
            person.pause(think).await;
            if let Found::Seat(held) = person.hold_any(performance).await? {
                return Ok(held);
            }
        }
        person.pause(LOOKS_AGAIN).await;
    }
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let entered = goals::acknowledged(evidence, |act| *act == Act::Enter);
    vec![
        goals::exactly_sold(evidence, plan.all_seats()),
        goals::reached(
            "more people entered than there are seats",
            entered > plan.all_seats(),
            &format!("{entered} entered"),
        ),
    ]
}
