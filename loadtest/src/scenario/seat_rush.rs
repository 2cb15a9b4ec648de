use std::sync::Arc;

use super::{Plan, get_ready, goals, rush};
use crate::{
    failure::Failure,
    oracle::{Evidence, Verdict},
    person::{Found, Person, Stop},
    stage::Stage,
};

pub(super) fn plan() -> Plan {
    Plan { people: 2_000, capacity: 2_000, gathers: true, ..Plan::default() }
}

pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    rush(stage, get_ready, |mut person| async {
        buy(&mut person).await.ok();
        person
    })
    .await
}

async fn buy(person: &mut Person) -> Result<(), Stop> {
    person.wait_for_turn().await?;
    let performance = person.some_performance();
    match person.hold_any(performance).await? {
        Found::Seat(held) => person.pay(held.reservation).await.map(drop),
        Found::Nothing => person.leave().await,
    }
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let people = usize::try_from(plan.people).unwrap_or(usize::MAX);
    vec![goals::exactly_sold(evidence, plan.all_seats().min(people))]
}
