use std::{sync::Arc, time::Duration};

use booking_api::PlaceStatus;
use rand::{Rng, seq::SliceRandom};
use tokio::time::{Instant, sleep};

use super::{Plan, dice, gather, goals};
use crate::{
    failure::Failure,
    history::Act,
    oracle::{Evidence, Verdict},
    person::{Person, Stop},
    stage::Stage,
};

/// The part of the waiting who leave before the doors open.
const LEAVES_EARLY: f64 = 0.1;
/// The part of the waiting who leave later.
const LEAVES: f64 = 0.01;
/// How many are asked for their rank when the first have left.
const ROLL_CALL: usize = 1_000;
/// The service may answer from what it saw a quarter of a second ago; the rest is slack.
const SETTLES: Duration = Duration::from_millis(500);

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

/// Everybody enters, one in ten leaves, some are asked where they stand, and then the doors open.
pub(super) async fn play(stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
    let mut dice = dice(stage);
    let people = gather(stage, |mut person: Person| async {
        ready(&mut person).await.ok();
        person
    });
    let (mut waiting, mut others) = divide(people.await?, |person| person.ticket.is_some());
    waiting.shuffle(&mut dice);
    let (leaving, mut staying) = divide(waiting, |_| dice.random_bool(LEAVES_EARLY));
    let gone = stage.go_on(leaving, |mut person| async {
        person.leave().await.ok();
        person
    });
    others.extend(gone.await?);
    sleep(SETTLES).await;
    let called = staying.split_off(staying.len().saturating_sub(ROLL_CALL));
    let called = stage.go_on(called, |mut person| async {
        person.ask_place().await.ok();
        person
    });
    staying.extend(called.await?);
    stage.open_doors().await?;
    let polled = stage.go_on(staying, |mut person| async {
        poll(&mut person).await.ok();
        person
    });
    others.extend(polled.await?);
    Ok(others)
}

/// Those of whom it is true, and the others.
fn divide(people: Vec<Person>, is_so: impl FnMut(&Person) -> bool) -> (Vec<Person>, Vec<Person>) {
    people.into_iter().partition(is_so)
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
        goals::reached(
            "people ask once each or more, on average",
            polls >= people,
            &format!("{polls} asked"),
        ),
        roll_call(plan, evidence),
    ]
}

/// That the ranks are exact is I13's to find.
fn roll_call(plan: &Plan, evidence: &Evidence) -> Verdict {
    let opened = evidence.terms.opened.unwrap_or_default();
    let early = evidence.history.iter().filter(|seen| seen.answered < opened && seen.is_acknowledged());
    let (left, asked) = early.fold((0, 0), |(left, asked), seen| match seen.act {
        Act::Leave => (left + 1, asked),
        Act::Status => (left, asked + 1),
        _ => (left, asked),
    });
    // Of a small crowd some fewer may leave than one in ten, and all others are asked.
    let (people, few): (usize, _) =
        (usize::try_from(plan.people).unwrap_or(usize::MAX), plan.people < 10_000);
    let enough = if few { left > 0 } else { left * 11 >= people };
    let reached = enough && asked >= ROLL_CALL.min(people - left);
    goals::reached(
        "one in ten leaves before the doors open, and then up to 1,000 are asked for their rank",
        reached,
        &format!("{left} left, {asked} were asked"),
    )
}
