use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use booking_api::Code;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

use super::{Plan, dice, goals};
use crate::{
    arrivals::steady,
    failure::Failure,
    history::Act,
    oracle::{Evidence, Verdict},
    person::{Person, Stop},
    stage::Stage,
};

/// Fewer pairs may by chance all fall on one side.
const ENOUGH_PAIRS: usize = 50;

/// People come in pairs: the even one holds a seat and pays at the last moment, the odd one wants the seat then.
pub(super) fn plan() -> Plan {
    Plan {
        people: 400,
        performances: 4,
        span: Duration::from_secs(2),
        // What they think over is how far around the end of the hold they come.
        think: Duration::from_millis(3),
        ..Plan::default()
    }
}

/// When a hold ends, as far as its holder can tell.
#[derive(Clone, Copy)]
struct End {
    at: Instant,
    /// It may be so much earlier or later.
    doubt: Duration,
}

/// When the hold of each pair ends, told by who holds to who waits. It ends unsaid when nothing was held.
type Ends = Arc<Mutex<BTreeMap<u32, watch::Sender<Option<End>>>>>;

pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    let ends: Ends = Arc::default();
    let pairs = (0..stage.plan.people / 2).map(|pair| (pair, watch::channel(None).0));
    ends.lock().unwrap_or_else(PoisonError::into_inner).extend(pairs);
    let arrivals = steady(stage.plan.people, stage.plan.span, &mut dice(stage));
    stage
        .crowd(0, arrivals, |mut person| {
            let ends = Arc::clone(&ends);
            async move {
                if person.number % 2 == 0 {
                    hold_and_pay_late(&mut person, &ends).await.ok();
                    ends.lock().unwrap_or_else(PoisonError::into_inner).remove(&(person.number / 2));
                } else {
                    take_over(&mut person, &ends).await.ok();
                }
                person
            }
        })
        .await
}

/// The seat of a pair.
fn seat_of(person: &Person) -> (Uuid, u32) {
    let (pair, plan) = (person.number / 2, &person.stage.plan);
    let performance = usize::try_from(pair / plan.seats % plan.performances).unwrap_or(0);
    (person.stage.performances[performance], pair % plan.seats + 1)
}

async fn ready(person: &mut Person) -> Result<(), Stop> {
    person.sign_up().await?;
    person.charge(person.stage.plan.price).await?;
    person.queue().await
}

/// A moment around an end, on both sides of it wherever it really is: where answers take long, all would come too early
/// otherwise, or too late.
fn around(person: &mut Person, end: End) -> Instant {
    let reach = person.stage.plan.think + end.doubt;
    end.at - reach + person.up_to(2 * reach)
}

async fn hold_and_pay_late(person: &mut Person, ends: &Ends) -> Result<(), Stop> {
    ready(person).await?;
    let asked = Instant::now();
    let (performance, seat) = seat_of(person);
    let held = person.hold(performance, seat).await?;
    // The store made the hold somewhere between question and answer.
    let doubt = asked.elapsed() / 2;
    let lasts = Duration::from_micros(u64::try_from(held.until - held.created_at).unwrap_or(0));
    let end = End { at: asked + doubt + lasts, doubt };
    if let Some(told) = ends.lock().unwrap_or_else(PoisonError::into_inner).get(&(person.number / 2)) {
        told.send_replace(Some(end));
    }
    let moment = around(person, end);
    person.pause_until(moment).await;
    person.pay(held.reservation).await.map(drop)
}

async fn take_over(person: &mut Person, ends: &Ends) -> Result<(), Stop> {
    let told = ends
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&(person.number / 2))
        .map(watch::Sender::subscribe);
    ready(person).await?;
    let Some(mut told) = told else { return Ok(()) };
    // An error: the other one went home without telling.
    let end = told.wait_for(Option::is_some).await.ok().and_then(|end| *end);
    let Some(end) = end else { return Ok(()) };
    let moment = around(person, end);
    person.pause_until(moment).await;
    let (performance, seat) = seat_of(person);
    person.hold(performance, seat).await.map(drop)
}

pub(super) fn goals(plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
    let is_pay = |act: &Act| matches!(act, Act::Pay(_));
    let (paid, late) =
        (goals::acknowledged(evidence, is_pay), goals::refused(evidence, Code::HoldExpired, is_pay));
    let pairs = usize::try_from(plan.people / 2).unwrap_or(usize::MAX);
    let found = format!("{paid} paid in time and {late} too late");
    let mut verdicts = vec![
        goals::exactly_sold(evidence, paid),
        goals::reached("every payment comes in time or too late", paid + late == pairs, &found),
    ];
    if pairs >= ENOUGH_PAIRS {
        verdicts.push(goals::reached("both sides of the instant are tried", paid > 0 && late > 0, &found));
    }
    verdicts
}
