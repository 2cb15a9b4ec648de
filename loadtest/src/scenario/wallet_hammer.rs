use std::sync::Arc;

use futures_util::future::join_all;
use rand::seq::SliceRandom;

use super::{Plan, dice, goals};
use crate::{
    arrivals::steady,
    failure::Failure,
    history::Act,
    oracle::{Evidence, Verdict},
    person::{Person, Stop},
    stage::Stage,
};

/// How many different charges each wallet gets.
const CHARGES: u32 = 8;
/// How often each request is sent, at once and in any order.
const TIMES: u32 = 5;
/// Keys beyond those that anything else uses.
const FIRST_KEY: u32 = 1_000;

pub(super) fn plan() -> Plan {
    Plan {
        people: 200,
        performances: 4,
        seats: 50,
        span: std::time::Duration::from_secs(5),
        ..Plan::default()
    }
}

pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    let arrivals = steady(stage.plan.people, stage.plan.span, &mut dice(stage));
    stage
        .crowd(0, arrivals, |mut person| async {
            hammer(&mut person).await.ok();
            person
        })
        .await
}

/// All charges and payments at once; some payments come before the money does. Then a last payment that finds all of it.
async fn hammer(person: &mut Person) -> Result<(), Stop> {
    person.sign_up().await?;
    person.queue().await?;
    let plan = &person.stage.plan;
    let (seat, performance) =
        (person.number % plan.seats + 1, person.number / plan.seats % plan.performances);
    let performance = person.stage.performances[usize::try_from(performance).unwrap_or(0)];
    let amount = plan.price / i64::from(CHARGES) + 1;
    let held = person.hold(performance, seat).await?;
    let mut calls = Vec::new();
    for _ in 0..TIMES {
        calls.extend((0..CHARGES).map(|charge| person.charge_call(FIRST_KEY + charge, amount)));
        calls.extend([person.pay_call(held.reservation), person.wallet_call()]);
    }
    calls.shuffle(&mut person.dice);
    let tries = (0..).zip(calls).map(|(part, call)| {
        let mut twin = person.twin(part);
        async move { twin.ask_once(call).await }
    });
    let last = join_all(tries).await.into_iter().map(|answer| answer.at).max();
    person.due = last.map_or(person.due, Into::into);
    person.pay(held.reservation).await.map(drop)
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let charges = goals::acknowledged(evidence, |act| matches!(act, Act::Charge { .. }));
    let people = usize::try_from(plan.people).unwrap_or(usize::MAX);
    let sent = people * usize::try_from(CHARGES * TIMES).unwrap_or(usize::MAX);
    let entries = evidence.books.accounts.values().flat_map(|account| &account.entries);
    let written = entries.filter(|entry| entry.kind == "charge").count();
    let wanted = people * usize::try_from(CHARGES).unwrap_or(usize::MAX);
    vec![
        goals::exactly_sold(evidence, people.min(plan.all_seats())),
        goals::reached(
            "every charge is acknowledged each time",
            charges == sent,
            &format!("{charges} of {sent}"),
        ),
        goals::reached(
            "every charge is written once",
            written == wanted,
            &format!("{written} instead of {wanted}"),
        ),
    ]
}
