use std::sync::Arc;

use rand::Rng;

use super::{Plan, dice, goals};
use crate::{
    arrivals::steady,
    failure::Failure,
    history::Act,
    oracle::{Evidence, Verdict},
    person::{Found, Person, Stop},
    stage::Stage,
};

/// Of a hundred who come, so many only look.
const LOOK: u32 = 60;
/// So many hold a seat and think better of it.
const CANCEL: u32 = 8;
/// So many hold a seat and forget it. All others buy.
const FORGET: u32 = 7;

pub(super) fn plan() -> Plan {
    Plan { people: 4_000, performances: 40, ..Plan::default() }
}

pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    let arrivals = steady(stage.plan.people, stage.plan.span, &mut dice(stage));
    stage
        .crowd(0, arrivals, |mut person| async {
            visit(&mut person).await.ok();
            person
        })
        .await
}

async fn visit(person: &mut Person) -> Result<(), Stop> {
    person.sign_up().await?;
    person.queue().await?;
    let think = |person: &mut Person| person.up_to(person.stage.plan.think);
    person.look_at_dates().await?;
    let (wants, performance) = (person.dice.random_range(0..100), person.some_performance());
    if wants < LOOK {
        person.free_seats(performance).await?;
        return person.leave().await;
    }
    let Found::Seat(held) = person.hold_any(performance).await? else { return person.leave().await };
    let thinks = think(person);
    person.pause(thinks).await;
    if wants < LOOK + CANCEL {
        person.release(held.reservation).await?;
        return person.leave().await;
    }
    if wants < LOOK + CANCEL + FORGET {
        return Ok(());
    }
    person.charge(held.amount).await?;
    person.pay(held.reservation).await?;
    person.balance().await
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let paid = goals::acknowledged(evidence, |act| matches!(act, Act::Pay(_)));
    let entered = goals::acknowledged(evidence, |act| *act == Act::Enter);
    let people = usize::try_from(plan.people).unwrap_or(usize::MAX);
    vec![
        goals::exactly_sold(evidence, paid),
        goals::reached(
            "nine of ten come in, and one of ten buys as long as there are seats",
            entered * 10 >= people * 9 && (paid * 10 >= people || paid * 10 >= plan.all_seats() * 8),
            &format!("{entered} of {people} came in and {paid} bought"),
        ),
    ]
}
