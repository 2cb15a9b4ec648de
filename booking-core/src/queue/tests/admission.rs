//! Who is in, and for how long: Q3, Q8, Q9, I13, I14, I18.

use super::*;
use crate::fixture::MICRO;

#[test]
fn admission_is_in_the_order_of_the_numbers() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(5);
    for next in 1..5 {
        let events = room.finish(&tickets[next - 1], EndReason::Completed);
        assert_eq!(admitted(&events), [tickets[next].seq]);
    }
}

#[test]
fn who_left_while_waiting_is_skipped() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(5);
    for gone in [1, 3] {
        assert_eq!(admitted(&room.finish(&tickets[gone], EndReason::Left)), []);
    }
    assert_eq!(admitted(&room.finish(&tickets[0], EndReason::Completed)), [3]);
    assert_eq!(admitted(&room.finish(&tickets[2], EndReason::Completed)), [5]);
    assert_eq!(room.lane.waiting(), 0);
}

#[test]
fn nobody_is_admitted_while_the_capacity_is_in_use() {
    let mut room = Room::of_capacity(3);
    room.fill(10);
    room.advance();
    assert_eq!((room.lane.admitted(), room.lane.waiting()), (3, 7));
}

#[test]
fn a_lowered_capacity_evicts_nobody_and_admits_nobody_until_below_it() {
    let mut room = Room::of_capacity(3);
    let tickets = room.fill(5);
    assert_eq!(room.configure(|settings| settings.policy.capacity = 1).len(), 1);
    assert_eq!(room.lane.admitted(), 3);
    for ticket in &tickets[..2] {
        assert_eq!(admitted(&room.finish(ticket, EndReason::Completed)), []);
    }
    assert!(room.is_admitted(&tickets[2]));
    assert_eq!(admitted(&room.finish(&tickets[2], EndReason::Completed)), [4]);
}

#[test]
fn a_raised_capacity_admits_in_the_same_step() {
    let mut room = Room::of_capacity(1);
    room.fill(5);
    assert_eq!(admitted(&room.configure(|settings| settings.policy.capacity = 3)), [2, 3]);
}

#[test]
fn who_does_not_show_up_within_the_claim_window_frees_the_slot() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(2);
    room.pass(fixture::just_before(CLAIM_TTL));
    assert!(room.is_admitted(&tickets[0]));
    assert_eq!(room.advance(), []);
    room.pass(MICRO);
    assert_eq!(room.end(&tickets[0]), Some(EndReason::NoShow), "before any sweep");
    let until = room.now.after(CLAIM_TTL);
    let swept = room.advance();
    let no_show = Event::Finished { seq: 1, reason: EndReason::NoShow };
    assert_eq!(swept, [no_show, Event::Admitted { seq: 2, until, at: room.now }]);
}

#[test]
fn the_first_claim_starts_the_session_and_further_ones_do_not_lengthen_it() {
    let mut room = Room::of_capacity(1);
    let mine = room.enter(1);
    room.pass(fixture::just_before(CLAIM_TTL));
    let until = room.now.after(SESSION_TTL);
    assert_eq!(room.claim(&mine), Ok(vec![Event::Claimed { seq: 1, until }]));
    room.pass(fixture::just_before(SESSION_TTL));
    assert_eq!(room.claim(&mine), Ok(vec![]));
    assert_eq!(room.place(&mine), Ok(Place::Admitted { until, claimed: true }));
    room.pass(MICRO);
    assert_eq!(room.claim(&mine), Err(Refusal::TicketOver(EndReason::SessionExpired)));
    assert_eq!(room.end(&mine), Some(EndReason::SessionExpired));
}

#[test]
fn looking_at_the_place_claims_nothing() {
    let mut room = Room::of_capacity(1);
    let mine = room.enter(1);
    let until = START.after(CLAIM_TTL);
    assert_eq!(room.place(&mine), Ok(Place::Admitted { until, claimed: false }));
    room.pass(CLAIM_TTL);
    assert_eq!(room.end(&mine), Some(EndReason::NoShow));
}

#[test]
fn a_session_may_be_shorter_than_the_claim_window() {
    let policy = LanePolicy { session_ttl: Duration::from_secs(1), ..LanePolicy::default() };
    let mut room = Room::with(policy);
    let mine = room.enter(1);
    room.claim(&mine).unwrap();
    room.pass(Duration::from_secs(1));
    assert_eq!(room.end(&mine), Some(EndReason::SessionExpired));
}

#[test]
fn overdue_slots_reach_the_head_in_the_same_step_whatever_the_step() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(3);
    room.pass(CLAIM_TTL);
    let steps = [
        Command::Enter(user(9)),
        Command::Claim(tickets[1].clone()),
        Command::Finish(tickets[2].clone(), EndReason::Left),
        Command::Configure(LaneSettings::default()),
        Command::Advance,
    ];
    for step in steps {
        let events = room.clone().lane.execute(&step, room.now).unwrap();
        assert_eq!(admitted(&events), [2], "{step:?}");
    }
}

#[test]
fn a_refused_step_has_swept_and_admitted_all_the_same() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(3);
    room.pass(CLAIM_TTL);
    assert!(matches!(room.claim(&tickets[2]), Err(Refusal::NotYourTurn { rank: 1, .. })));
    assert_eq!(room.end(&tickets[0]), Some(EndReason::NoShow));
    assert!(room.is_admitted(&tickets[1]));
}

#[test]
fn everybody_whose_time_ran_out_at_once_is_replaced_at_once() {
    let mut room = Room::of_capacity(100);
    room.fill(250);
    room.pass(CLAIM_TTL);
    assert_eq!(admitted(&room.advance()), (101..=200).collect::<Vec<_>>());
    room.pass(CLAIM_TTL);
    assert_eq!(admitted(&room.advance()), (201..=250).collect::<Vec<_>>());
    assert_eq!((room.lane.admitted(), room.lane.waiting()), (50, 0));
}

#[test]
fn a_rate_spreads_the_admissions() {
    let policy = LanePolicy { admit_per_second: Some(4), ..LanePolicy::default() };
    let mut room = Room::with(policy);
    room.configure(|settings| settings.paused = true);
    room.fill(50);
    room.configure(|settings| settings.paused = false);
    let at_once = room.lane.admitted();
    assert!((1..=2).contains(&at_once), "{at_once} at once");
    for _ in 0..40 {
        room.pass(Duration::from_millis(250));
        let step = admitted(&room.advance()).len();
        assert!(step <= 2, "{step} in a quarter of a second");
    }
    let total = room.lane.next() - 1 - room.lane.waiting();
    assert!((40..=42).contains(&total), "{total} in ten seconds");
}

#[test]
fn a_rate_never_exceeds_the_capacity() {
    let policy = LanePolicy { capacity: 2, admit_per_second: Some(1_000), ..LanePolicy::default() };
    let mut room = Room::with(policy);
    room.fill(10);
    room.pass(Duration::from_secs(10));
    assert_eq!(admitted(&room.advance()), []);
    assert_eq!(room.lane.admitted(), 2);
}

#[test]
fn a_lane_admits_two_thousand_at_once_and_then_as_many_again() {
    let mut room = Room::of_capacity(0);
    room.fill(5_000);
    let configured = room.configure(|settings| settings.policy.capacity = 6_000);
    assert_eq!(admitted(&configured), (1..=2_000).collect::<Vec<_>>());
    assert_eq!(admitted(&room.advance()), (2_001..=5_000).collect::<Vec<_>>());
}

#[test]
fn what_is_over_is_ended_by_and_by_and_counts_as_over_at_once() {
    let mut room = Room::of_capacity(10_000);
    let tickets = room.fill(10_000);
    room.pass(CLAIM_TTL);
    let ended =
        |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Finished { .. })).count();
    assert_eq!(ended(&room.advance()), 6_000, "an advance before, the command, an advance after");
    assert_eq!((room.lane.admitted(), room.lane.waiting()), (4_000, 0), "who is not ended keeps a slot");
    assert_eq!(room.end(&tickets[9_999]), Some(EndReason::NoShow));
    assert_eq!(room.claim(&tickets[9_999]), Err(Refusal::TicketOver(EndReason::NoShow)));
}

#[test]
fn who_is_over_enters_anew_although_nobody_has_ended_the_old_number_yet() {
    let mut room = Room::of_capacity(5_000);
    let old = room.fill(5_000).pop().unwrap();
    room.pass(CLAIM_TTL);
    let new = room.enter(5_000);
    assert_eq!(new.seq, 5_001);
    assert!(room.is_admitted(&new));
    assert_eq!(room.end(&old), Some(EndReason::NoShow));
    assert_eq!(
        room.lane.admitted(),
        1_000 + 1 - 1,
        "four thousand were ended on the way, and the old number"
    );
}
