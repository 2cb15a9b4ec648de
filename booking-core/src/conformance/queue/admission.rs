//! Who is admitted, when, and how many at once (Q8, I13, I14, I18).

use std::time::Duration;

use super::{
    Factory,
    stage::{CLAIM, SESSION, Stage, capacity},
};
use crate::{
    id::UserId,
    policy::LanePolicy,
    queue::{Advanced, Place},
    refusal::Refusal,
    ticket::EndReason,
};

pub(super) fn who_enters_a_free_lane_is_admitted_at_once(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let expected = Place::Admitted { until: stage.now().after(CLAIM), claimed: false };
    for _ in 0..2 {
        let entered = stage.enter(UserId::random()).expect("the lane takes people");
        assert_eq!(entered.place, expected, "in the same step");
        assert_eq!(stage.standing(&entered.ticket), expected);
    }
    assert_eq!(stage.rank(&stage.entered()), Some(1));
}

pub(super) fn nobody_is_admitted_while_the_capacity_is_in_use(make: &Factory) {
    let stage = Stage::new(make, capacity(3));
    let tickets = stage.line(10);
    for ticket in &tickets[..3] {
        assert!(stage.claim(ticket).is_ok());
    }
    stage.move_clock(CLAIM * 2);
    for _ in 0..5 {
        assert_eq!(stage.advance(), Advanced::default());
        stage.entered();
    }
    let told = stage.snapshot(None);
    assert_eq!((told.admitted, told.waiting), (3, 12));
    let admitted: Vec<bool> = tickets.iter().map(|ticket| stage.is_admitted(ticket)).collect();
    assert_eq!(admitted[..4], [true, true, true, false]);
}

pub(super) fn admission_is_by_number_skipping_those_gone(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(8);
    for gone in [1, 2, 5] {
        stage.finish(&tickets[gone], EndReason::Left);
    }
    let mut admitted = vec![0];
    while let Some(inside) = admitted.last().copied() {
        assert!(stage.claim(&tickets[inside]).is_ok());
        stage.finish(&tickets[inside], EndReason::Completed);
        let next: Vec<usize> = (0..8).filter(|other| stage.is_admitted(&tickets[*other])).collect();
        assert!(next.len() <= 1, "one at a time: {next:?}");
        if next.is_empty() {
            break;
        }
        admitted.extend(next);
        assert!(admitted.len() <= 8, "somebody is admitted again: {admitted:?}");
    }
    assert_eq!(admitted, [0, 3, 4, 6, 7]);
}

pub(super) fn a_freed_slot_reaches_the_head_in_the_same_step(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let tickets = stage.line(5);
    stage.finish(&tickets[1], EndReason::Completed);
    assert!(stage.is_admitted(&tickets[2]), "nobody called advance");
    assert_eq!(stage.rank(&tickets[3]), Some(1));
    stage.finish(&tickets[0], EndReason::Left);
    assert!(stage.is_admitted(&tickets[3]));
    assert_eq!(stage.advance(), Advanced::default(), "there is nothing left to do");
}

pub(super) fn entering_ends_what_time_has_ended(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let (first, second) = (stage.entered(), stage.entered());
    stage.move_clock(CLAIM);
    let third = stage.entered();
    assert_eq!(stage.standing(&first), Place::Done(EndReason::NoShow));
    let until = stage.now().after(CLAIM);
    assert_eq!(stage.standing(&second), Place::Admitted { until, claimed: false });
    assert_eq!(stage.rank(&third), Some(1));
    stage.move_clock(CLAIM);
    let again = stage.enter(second.user).expect("the lane takes people");
    assert!(!again.replayed, "the time of the old ticket is over: {again:?}");
    assert_eq!(stage.snapshot(None).admitted, 1);
    assert!(stage.is_admitted(&third));
}

pub(super) fn claiming_ends_what_time_has_ended(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let (first, second) = (stage.entered(), stage.entered());
    let third = stage.entered();
    assert!(stage.claim(&first).is_ok());
    stage.move_clock(CLAIM);
    assert!(stage.claim(&third).is_ok(), "the slot of who did not come is free");
    assert_eq!(stage.standing(&second), Place::Done(EndReason::NoShow));
    assert_eq!(stage.snapshot(None).admitted, 2);
}

pub(super) fn advancing_tells_what_it_did_and_does_it_once(make: &Factory) {
    let stage = Stage::new(make, capacity(3));
    let tickets = stage.line(8);
    assert!(stage.claim(&tickets[0]).is_ok());
    stage.move_clock(CLAIM);
    assert_eq!(stage.advance(), Advanced { admitted: 2, ended: 2 });
    assert_eq!(stage.elsewhere().advance(), Advanced::default(), "any number of times");
    stage.move_clock(SESSION);
    assert_eq!(stage.advance(), Advanced { admitted: 3, ended: 3 });
    let told = stage.snapshot(None);
    assert_eq!((told.admitted, told.waiting, told.head), (3, 0, 9));
    let ends: Vec<Place> = tickets[..3].iter().map(|ticket| stage.standing(ticket)).collect();
    let (session, no_show) = (Place::Done(EndReason::SessionExpired), Place::Done(EndReason::NoShow));
    assert_eq!(ends, [session, no_show, no_show]);
}

pub(super) fn a_rate_limits_how_many_are_admitted(make: &Factory) {
    let policy = LanePolicy { admit_per_second: Some(4), ..capacity(1_000) };
    let stage = Stage::new(make, policy);
    let tickets = stage.line(60);
    let inside = || tickets.iter().filter(|ticket| stage.is_admitted(ticket)).count();
    let mut most = 2;
    assert!((1..=most).contains(&inside()), "no more than a quarter of a second's worth at first");
    for second in 1..=8 {
        for _ in 0..10 {
            stage.move_clock(Duration::from_millis(100));
            stage.advance();
        }
        most += 4;
        let inside = inside();
        assert!((4 * second..=most).contains(&inside), "{inside} after {second} seconds");
    }
    stage.move_clock(Duration::from_secs(30));
    let caught_up = stage.advance().admitted;
    assert!((1..=2).contains(&caught_up), "a lane that rested makes up for little: {caught_up}");
}

pub(super) fn a_full_waiting_room_is_refused(make: &Factory) {
    let stage = Stage::new(make, LanePolicy { max_waiting: Some(2), ..capacity(1) });
    let (inside, first, second) = (stage.entered(), stage.entered(), stage.entered());
    let late = UserId::random();
    assert_eq!(stage.enter(late).err(), Some(Refusal::LaneFull));
    for ticket in [&inside, &first, &second] {
        let again = stage.enter(ticket.user).expect("who is in keeps the place");
        assert_eq!((again.replayed, &again.ticket), (true, ticket));
    }
    assert_eq!(stage.snapshot(None).next, 4, "a refusal takes no number");
    stage.finish(&first, EndReason::Left);
    let entered = stage.enter(late).expect("there is room again");
    assert_eq!((entered.ticket.seq, stage.rank(&entered.ticket)), (4, Some(2)));
    let no_room = stage.other_lane("no-room", LanePolicy { max_waiting: Some(0), ..capacity(1) });
    assert!(no_room.enter(late).is_ok(), "who goes in at once does not wait");
    assert_eq!(no_room.enter(UserId::random()).err(), Some(Refusal::LaneFull));
}

pub(super) fn a_lane_without_capacity_admits_nobody(make: &Factory) {
    let stage = Stage::new(make, capacity(0));
    let tickets = stage.line(3);
    stage.move_clock(SESSION);
    assert_eq!(stage.advance(), Advanced::default());
    let ranks: Vec<_> = tickets.iter().map(|ticket| stage.rank(ticket)).collect();
    assert_eq!(ranks, [Some(1), Some(2), Some(3)], "waiting has no end of its own");
}
