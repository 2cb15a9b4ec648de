use std::sync::Arc;

use booking_api::Code;

use super::{Plan, get_ready, goals, rush};
use crate::{
    failure::Failure,
    history::Act,
    oracle::{Evidence, Verdict},
    person::{Person, Stop},
    stage::Stage,
};

const SEAT: u32 = 1;

pub(super) fn plan() -> Plan {
    Plan { people: 500, gathers: true, ..Plan::default() }
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
    let performance = person.stage.performances[0];
    match person.hold(performance, SEAT).await {
        Ok(held) => person.pay(held.reservation).await.map(drop),
        Err(Stop::Refused(Code::SeatTaken)) => person.leave().await,
        Err(stop) => Err(stop),
    }
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let is_hold = |act: &Act| matches!(act, Act::Hold { .. });
    let (held, taken) =
        (goals::acknowledged(evidence, is_hold), goals::refused(evidence, Code::SeatTaken, is_hold));
    let people = usize::try_from(plan.people).unwrap_or(usize::MAX);
    vec![
        goals::exactly_sold(evidence, 1),
        goals::reached(
            "one person held the seat and all others were told that it is taken",
            held == 1 && taken + 1 == people,
            &format!("{held} held it and {taken} were told"),
        ),
    ]
}
