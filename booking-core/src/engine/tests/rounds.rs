//! How a round of `tend` goes on: portion by portion, and past what fails (I18, I24).

use super::*;
use crate::{catalog::ConcertDraft, store::QueueStore};

/// This many holds of as many people ran out.
fn ran_out(holds: u32) -> Hall {
    let hall = Hall::new();
    let mut large = draft();
    large.performances[0].seats = holds.max(50);
    hall.put(large);
    for n in 1..=holds {
        let id = 1_000 + u128::from(n);
        block_on(hall.engine.open_wallet(user(id))).unwrap();
        let ticket = hall.enter(id);
        hall.hold(id, &ticket, &[n]).unwrap();
    }
    hall.pass(HOLD_TTL);
    hall
}

/// User 1 in the lane `hot`, which comes before `main`, with a concert of its own.
fn enter_hot(hall: &Hall) -> Ticket {
    let hot = lane("hot");
    block_on(hall.engine.set_lane(&hot, LaneChange::default())).unwrap();
    let performances = vec![performance_draft(2)];
    hall.put(ConcertDraft { id: concert(2), lane: hot.clone(), performances, ..draft() });
    block_on(hall.engine.enter(&hot, user(1))).unwrap().ticket
}

#[test]
fn more_holds_than_one_portion_are_swept_in_one_round() {
    let hall = ran_out(600);
    assert_eq!(hall.tend(), Tended { holds_expired: 600, tickets_ended: 600, ..Tended::default() });
}

#[test]
fn lanes_are_tended_between_the_portions_of_a_round() {
    let hall = ran_out(600);
    hall.tend();
    assert_eq!(hall.queue.advances(), 3);
}

#[test]
fn the_endings_of_a_portion_are_carried_together() {
    let hall = ran_out(300);
    hall.tend();
    assert_eq!(hall.queue.most_finishing(), 256);
}

#[test]
fn a_round_that_fails_halfway_has_done_its_first_half() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    hall.pass(HOLD_TTL);
    hall.queue.cut_off(true);
    assert_eq!(block_on(hall.engine.tend()), Err(ShakyQueue::failure().into()));
    assert_eq!(hall.pending_endings(), [(mine.clone(), EndReason::HoldExpired)]);
    hall.queue.cut_off(false);
    let tended = hall.tend();
    assert_eq!((tended.holds_expired, tended.tickets_ended), (0, 1));
    assert_eq!(hall.place(&mine), Ok(Place::Done(EndReason::HoldExpired)));
}

#[test]
fn a_lane_that_fails_stops_no_other() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    enter_hot(&hall);
    let (_, next) = (hall.enter(2), hall.enter(3));
    hall.pass(CLAIM_TTL);
    hall.queue.cut_off_lane(lane("hot"));
    assert_eq!(block_on(hall.engine.tend()), Err(ShakyQueue::failure().into()));
    assert!(hall.is_admitted(&next));
}

#[test]
fn a_stock_that_can_t_be_read_keeps_nobody_waiting() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    let (_, next) = (hall.enter(2), hall.enter(3));
    block_on(hall.booking.execute(vec![
            crate::catalog::Command::SetLane(
                LaneName::main(),
                LaneChange { max_waiting: Some(Some(9)), ..capacity(1) },
            )
            .into(),
        ]))
    .unwrap();
    hall.pass(CLAIM_TTL);
    let blind = hall.instance_without_stock();
    assert_eq!(block_on(blind.tend()), Err(StoppedBooking::failure().into()));
    assert!(hall.is_admitted(&next));
    let told = block_on(hall.queue.snapshot(&LaneName::main(), None)).unwrap().settings;
    assert_eq!(told.policy.max_waiting, Some(9));
}

#[test]
fn a_mark_that_can_t_be_looked_at_again_ends_nobody() {
    let hall = Hall::new();
    let waits = hall.enter(1);
    let mark = crate::catalog::Command::MarkSoldOut { lane: LaneName::main(), revision: 1, sold_out: true };
    block_on(hall.booking.execute(vec![mark.into()])).unwrap();
    let blind = hall.instance_without_stock();
    assert_eq!(block_on(blind.tend()), Err(StoppedBooking::failure().into()));
    assert!(hall.is_admitted(&waits));
}

#[test]
fn an_ending_that_fails_stays_pending_and_stops_neither_others_nor_the_lanes() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    let hot = enter_hot(&hall);
    block_on(hall.engine.hold(&hot, reservation(1), performance(2), vec![1])).unwrap();
    let (mine, next) = (hall.enter(2), hall.enter(3));
    hall.hold(2, &mine, &[7]).unwrap();
    hall.pass(HOLD_TTL);
    hall.queue.cut_off_lane(hot.lane.clone());
    assert_eq!(block_on(hall.engine.tend()), Err(ShakyQueue::failure().into()));
    assert_eq!(hall.pending_endings(), [(hot, EndReason::HoldExpired)]);
    assert_eq!(hall.place(&mine), Ok(Place::Done(EndReason::HoldExpired)));
    assert!(hall.is_admitted(&next));
}
