use std::{sync::Arc, time::Duration};

use booking_api::{Code, PlaceStatus};
use tokio::sync::Semaphore;

use super::{Plan, dice, goals};
use crate::{
    arrivals::steady,
    failure::Failure,
    history::Act,
    oracle::{Evidence, Verdict},
    person::{Found, Person, Stop},
    stage::Stage,
};

/// How long somebody pauses who found no seat.
const LOOKS_AGAIN: Duration = Duration::from_millis(200);

/// The first half holds every seat and never pays; the second half buys them. There must be a person a seat in each.
pub(super) fn plan() -> Plan {
    Plan { people: 200, seats: 50, span: Duration::from_secs(1), ..Plan::default() }
}

pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    let half = stage.plan.people / 2;
    let arrivals = |count| steady(count, stage.plan.span, &mut dice(stage));
    // The second half comes when every seat is held, so that each seat is abandoned once.
    let held = Arc::new(Semaphore::new(0));
    let first = |mut person: Person| {
        let held = Arc::clone(&held);
        async move {
            hold_and_forget(&mut person, &held).await.ok();
            // Whoever got no seat does not keep the others waiting.
            held.add_permits(1);
            person
        }
    };
    let second = async {
        held.acquire_many(half).await.ok();
        let buyer = |mut person: Person| async {
            buy(&mut person).await.ok();
            person
        };
        stage.crowd(half, arrivals(stage.plan.people - half), buyer).await
    };
    let (first, second) = tokio::join!(stage.crowd(0, arrivals(half), first), second);
    Ok(first?.into_iter().chain(second?).collect())
}

async fn hold_and_forget(person: &mut Person, held: &Semaphore) -> Result<(), Stop> {
    person.sign_up().await?;
    person.charge(person.stage.plan.price).await?;
    person.queue().await?;
    let performance = person.some_performance();
    let Found::Seat(hold) = person.hold_any(performance).await? else { return person.leave().await };
    held.add_permits(1);
    let lasts = u64::try_from(hold.until - hold.created_at).unwrap_or(0);
    person.pause(Duration::from_micros(lasts) + LOOKS_AGAIN).await;
    // Too late; and the ticket is over now or soon.
    person.pay(hold.reservation).await.ok();
    person.pause(LOOKS_AGAIN).await;
    person.ask_place().await.map(drop)
}

async fn buy(person: &mut Person) -> Result<(), Stop> {
    person.sign_up().await?;
    person.charge(person.stage.plan.price).await?;
    person.queue().await?;
    loop {
        let performance = person.some_performance();
        match person.hold_any(performance).await? {
            Found::Seat(held) => return person.pay(held.reservation).await.map(drop),
            Found::Nothing => person.pause(LOOKS_AGAIN).await,
        }
    }
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let half = plan.people / 2;
    let sellable = plan.all_seats().min(usize::try_from(plan.people - half).unwrap_or(usize::MAX));
    let too_late = goals::refused(evidence, Code::HoldExpired, |act| matches!(act, Act::Pay(_)));
    let by_first = |seen: &&crate::history::Seen| seen.person < half;
    let held = evidence.history.iter().filter(by_first).filter(|seen| seen.held().is_some()).count();
    let over = evidence
        .history
        .iter()
        .filter(by_first)
        .filter(|seen| seen.act == Act::Status)
        .filter_map(|seen| seen.place())
        .filter(|place| place.status == PlaceStatus::Done && place.reason.as_deref() == Some("hold_expired"))
        .count();
    vec![
        goals::exactly_sold(evidence, sellable),
        goals::reached(
            "every hold that was forgotten is refused as too late, and ends its ticket",
            held > 0 && too_late == held && over == held,
            &format!("of {held} forgotten, {too_late} were refused and {over} ended their ticket"),
        ),
    ]
}
