use std::sync::Arc;

use futures_util::future::join_all;

use super::{Plan, dice, goals};
use crate::{
    arrivals::steady,
    crew::{Answer, Call},
    failure::Failure,
    history::{Fact, Heard, HeldFact},
    oracle::{Check, Evidence, Verdict},
    person::{Person, Stop},
    stage::Stage,
};

/// How many times each bot asks at once.
const TIMES: u16 = 25;

pub(super) fn plan() -> Plan {
    Plan { people: 40, performances: 2, span: std::time::Duration::from_secs(3), ..Plan::default() }
}

pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    let arrivals = steady(stage.plan.people, stage.plan.span, &mut dice(stage));
    stage
        .crowd(0, arrivals, |mut person| async {
            grab(&mut person).await.ok();
            person
        })
        .await
}

/// Asks many times at once.
async fn at_once(person: &mut Person, call: impl Fn(&mut Person, u16) -> Call) -> Vec<Answer> {
    let tries = (0..TIMES).map(|part| {
        let mut twin = person.twin(part);
        let call = call(&mut twin, part);
        async move { twin.ask_once(call).await }
    });
    let answers = join_all(tries).await;
    person.due = answers.iter().map(|answer| answer.at).max().map_or(person.due, Into::into);
    answers
}

async fn grab(person: &mut Person) -> Result<(), Stop> {
    person.sign_up().await?;
    person.charge(person.stage.plan.price * i64::from(TIMES)).await?;
    at_once(person, |twin, _| twin.enter_call()).await;
    person.queue().await?;
    let performance = person.some_performance();
    let first = person.number * u32::from(TIMES);
    let seats = person.stage.plan.seats;
    let held = at_once(person, |twin, part| {
        let (key, seat) = (twin.fresh_key(), (first + u32::from(part)) % seats + 1);
        twin.hold_call(key, performance, seat)
    });
    let Some(held) = held.await.into_iter().find_map(the_hold) else { return person.leave().await };
    at_once(person, |twin, _| twin.pay_call(held.reservation)).await;
    // With the spent ticket nothing more can be had.
    at_once(person, |twin, part| {
        let (key, seat) = (twin.fresh_key(), u32::from(part) % seats + 1);
        twin.hold_call(key + u32::from(TIMES), performance, seat)
    })
    .await;
    Ok(())
}

fn the_hold(answer: Answer) -> Option<HeldFact> {
    if let Heard::Acknowledged(Fact::Held(held)) = answer.heard { Some(held) } else { None }
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let mut check = Check::new("goal", "nobody has more than one seat, however often they try");
    for (person, account) in &evidence.books.accounts {
        let seats: usize = account.reservations.iter().map(|made| made.seats.len()).sum();
        check.expect(seats <= 1, || (format!("person {person} got {seats} seats"), evidence.of(*person)));
    }
    let sold = goals::sold(evidence);
    let wanted = plan.all_seats().min(usize::try_from(plan.people).unwrap_or(usize::MAX));
    vec![
        check.finish(),
        goals::reached("most bots get one", sold * 2 >= wanted, &format!("{sold} of {wanted}")),
    ]
}
