//! Lanes as the booking store keeps them, and when they count as sold out: Q9.

use std::time::Duration;

use crate::{
    catalog::{Command, LaneChange, LaneRecord, LaneSettings, Stock, sold_out_change},
    fixture::*,
    outcome::Effect,
    policy::InvalidPolicy,
    refusal::Refusal,
};

fn set(world: &mut World, name: &str, change: LaneChange) -> Result<LaneSettings, Refusal> {
    world.run(&Command::SetLane(lane(name), change).into())?;
    Ok(world.state.lanes[&lane(name)].clone())
}

#[test]
fn a_new_lane_has_the_default_settings_and_the_first_revision() {
    let made = set(&mut World::new(), "hot", LaneChange::default()).unwrap();
    assert_eq!(made, LaneSettings { revision: 1, ..LaneSettings::default() });
}

#[test]
fn a_change_that_changes_nothing_keeps_the_revision() {
    let mut world = World::new();
    let before = world.state.lanes[&lane("main")].clone();
    for change in [LaneChange::default(), LaneChange { capacity: Some(1_000), ..LaneChange::default() }] {
        let answer = world.run(&Command::SetLane(lane("main"), change).into()).unwrap();
        assert!(answer.replayed);
    }
    assert_eq!(world.state.lanes[&lane("main")], before);
}

#[test]
fn each_change_touches_what_it_names_and_grows_the_revision() {
    let mut world = World::new();
    let capacity = LaneChange { capacity: Some(7), max_waiting: Some(Some(9)), ..LaneChange::default() };
    set(&mut world, "main", capacity).unwrap();
    let spans = LaneChange {
        admit_per_second: Some(Some(5)),
        claim_ttl: Some(Duration::from_secs(10)),
        session_ttl: Some(Duration::from_secs(20)),
        ..LaneChange::default()
    };
    set(&mut world, "main", spans).unwrap();
    let flags = LaneChange { paused: Some(true), closed: Some(true), ..LaneChange::default() };
    let now = set(&mut world, "main", flags).unwrap();
    let policy = &now.policy;
    assert_eq!((policy.capacity, policy.max_waiting, policy.admit_per_second), (7, Some(9), Some(5)));
    assert_eq!((policy.claim_ttl.as_secs(), policy.session_ttl.as_secs()), (10, 20));
    assert_eq!((now.paused, now.closed, now.sold_out, now.revision), (true, true, false, 4));
}

#[test]
fn a_limit_can_be_taken_away_again() {
    let mut world = World::new();
    let limited =
        LaneChange { max_waiting: Some(Some(9)), admit_per_second: Some(Some(5)), ..LaneChange::default() };
    set(&mut world, "main", limited).unwrap();
    let free = LaneChange { max_waiting: Some(None), admit_per_second: Some(None), ..LaneChange::default() };
    let policy = set(&mut world, "main", free).unwrap().policy;
    assert_eq!((policy.max_waiting, policy.admit_per_second), (None, None));
}

#[test]
fn settings_nobody_can_work_under_are_refused() {
    let change = LaneChange { claim_ttl: Some(Duration::ZERO), ..LaneChange::default() };
    let refused = set(&mut World::new(), "main", change);
    assert_eq!(refused, Err(Refusal::InvalidLane(InvalidPolicy::Span("claim_ttl"))));
    let change = LaneChange { admit_per_second: Some(Some(0)), ..LaneChange::default() };
    let refused = set(&mut World::new(), "new", change);
    assert_eq!(refused, Err(Refusal::InvalidLane(InvalidPolicy::Zero("admit_per_second"))));
}

#[test]
fn the_sold_out_mark_is_set_once_and_taken_back_once() {
    let mut world = World::new();
    let mut mark =
        |revision, sold_out| world.run(&mark_sold_out("main", revision, sold_out)).unwrap().replayed;
    let marks = [mark(1, false), mark(1, true), mark(2, true), mark(2, false)];
    assert_eq!(marks, [true, false, true, false]);
    assert_eq!(world.state.lanes[&lane("main")].revision, 3);
}

#[test]
fn a_mark_judged_on_other_settings_than_the_lane_has_decides_nothing() {
    let mut world = World::new();
    world.run(&mark_sold_out("main", 1, true)).unwrap();
    world.run(&mark_sold_out("main", 2, false)).unwrap();
    for (revision, sold_out) in [(1, true), (2, true), (4, true)] {
        let late = world.run(&mark_sold_out("main", revision, sold_out)).unwrap();
        assert!(late.replayed, "revision {revision}");
    }
    set(&mut world, "main", LaneChange { capacity: Some(7), ..LaneChange::default() }).unwrap();
    let late = world.run(&mark_sold_out("main", 3, true)).unwrap();
    let now = LaneRecord { name: lane("main"), settings: world.state.lanes[&lane("main")].clone() };
    assert_eq!((late.replayed, late.effect), (true, Effect::Lane(now)), "it is told what the lane is now");
}

#[test]
fn a_revision_is_lifted_above_another_and_the_rest_stays() {
    let mut world = World::new();
    let before = set(&mut world, "main", LaneChange { capacity: Some(7), ..LaneChange::default() }).unwrap();
    let mut lift = |revision, above| {
        let lift = Command::LiftRevision { lane: lane("main"), revision, above };
        let replayed = world.run(&lift.into()).unwrap().replayed;
        (replayed, world.state.lanes[&lane("main")].clone())
    };
    for (revision, above) in [(2, 1), (1, 9), (3, 9)] {
        assert_eq!(lift(revision, above), (true, before.clone()), "{revision} above {above}");
    }
    assert_eq!(lift(2, 2), (false, LaneSettings { revision: 3, ..before.clone() }));
    assert_eq!(lift(3, 9), (false, LaneSettings { revision: 10, ..before.clone() }));
    assert_eq!(lift(3, 9), (true, LaneSettings { revision: 10, ..before }), "by another instance too");
    let nowhere = Command::LiftRevision { lane: lane("nowhere"), revision: 1, above: 1 };
    assert_eq!(world.run(&nowhere.into()), Err(Refusal::UnknownLane));
}

#[test]
fn the_sold_out_mark_of_an_unknown_lane_is_refused() {
    let refused = World::new().run(&mark_sold_out("nowhere", 1, true));
    assert_eq!(refused, Err(Refusal::UnknownLane));
}

#[test]
fn a_lane_is_sold_out_when_it_has_something_bookable_and_nothing_unsold() {
    let table = [
        // bookable, unsold, marked now, the change
        (true, false, false, Some(true)),
        (true, false, true, None),
        (true, true, true, Some(false)),
        (true, true, false, None),
        (false, false, false, None),
        (false, false, true, None),
    ];
    for (bookable, unsold, sold_out, change) in table {
        let settings = LaneSettings { sold_out, ..LaneSettings::default() };
        let stock = Stock { bookable, unsold };
        assert_eq!(sold_out_change(&settings, stock), change, "{stock:?}, marked {sold_out}");
    }
}
