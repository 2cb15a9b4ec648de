//! Entering, waiting, leaving: Q1, Q3, Q9, Q10, Q11.

use super::*;

#[test]
fn an_unknown_user_does_not_enter() {
    let hall = Hall::new();
    for name in ["main", "nowhere"] {
        let answer = block_on(hall.engine.enter(&lane(name), user(9)));
        assert_eq!(answer, refused(Refusal::UnknownUser), "lane {name}");
    }
}

#[test]
fn an_unknown_lane_is_not_entered() {
    let hall = Hall::new();
    assert_eq!(block_on(hall.engine.enter(&lane("nowhere"), user(1))), refused(Refusal::UnknownLane));
}

#[test]
fn a_lane_on_record_that_the_queue_store_does_not_know_is_told_on_the_first_entry() {
    let hall = Hall::new();
    hall.queue.cut_off(true);
    let change = LaneChange { capacity: Some(0), ..LaneChange::default() };
    block_on(hall.engine.set_lane(&lane("hot"), change)).unwrap();
    hall.queue.cut_off(false);
    assert_eq!(block_on(hall.engine.lane(&lane("hot"))).unwrap().snapshot, None);
    let entered = block_on(hall.engine.enter(&lane("hot"), user(1))).unwrap();
    assert!(matches!(entered.place, Place::Waiting { rank: 1, .. }), "{entered:?}");
    let told = block_on(hall.engine.lane(&lane("hot"))).unwrap();
    assert_eq!(told.snapshot.unwrap().settings, told.record.settings);
}

#[test]
fn entering_twice_gives_the_same_ticket() {
    let hall = Hall::new();
    let first = block_on(hall.engine.enter(&LaneName::main(), user(1))).unwrap();
    let again = block_on(hall.engine.enter(&LaneName::main(), user(1))).unwrap();
    assert_eq!((first.replayed, again.replayed, &again.ticket), (false, true, &first.ticket));
}

#[test]
fn a_user_may_be_in_several_lanes() {
    let hall = Hall::new();
    block_on(hall.engine.set_lane(&lane("hot"), LaneChange::default())).unwrap();
    let main = hall.enter(1);
    let hot = block_on(hall.engine.enter(&lane("hot"), user(1))).unwrap().ticket;
    assert!(hall.is_admitted(&main) && hall.is_admitted(&hot));
}

#[test]
fn booking_calls_need_admission() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    let (first, second) = (hall.enter(1), hall.enter(2));
    let waits = hall.hold(1, &second, &[1]);
    assert!(matches!(waits, Err(Error::Refused(Refusal::NotYourTurn { rank: 1, .. }))), "{waits:?}");
    assert!(hall.hold(1, &first, &[1]).is_ok());
    assert!(block_on(hall.engine.admit(&first)).is_ok());
}

#[test]
fn the_first_booking_call_starts_the_session_and_a_poll_does_not() {
    let hall = Hall::new();
    let (polls, books) = (hall.enter(1), hall.enter(2));
    block_on(hall.engine.seat_map(&books, performance(1))).unwrap();
    hall.place(&polls).unwrap();
    hall.pass(CLAIM_TTL);
    assert_eq!(hall.place(&polls), Ok(Place::Done(EndReason::NoShow)));
    let until = START.after(SESSION_TTL);
    assert_eq!(hall.place(&books), Ok(Place::Admitted { until, claimed: true }));
}

#[test]
fn leaving_gives_the_hold_back_before_the_place() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    hall.queue.cut_off(true);
    let half_done = StoreError::unknown_outcome("the queue store is cut off");
    assert_eq!(block_on(hall.engine.leave(&mine)), Err(half_done.into()));
    assert_eq!(hall.seat(7), SeatStatus::Available);
    assert_eq!(block_on(hall.engine.leave(&mine)), Err(ShakyQueue::failure().into()), "nothing was done");
    hall.queue.cut_off(false);
    assert!(hall.is_admitted(&mine));
    hall.hold(2, &mine, &[7]).unwrap();
    assert_eq!(block_on(hall.engine.leave(&mine)), Ok(true));
    assert_eq!(hall.place(&mine), Ok(Place::Done(EndReason::Left)));
    assert_eq!(block_on(hall.engine.leave(&mine)), Ok(false), "leaving twice changes nothing");
}

#[test]
fn leaving_lets_the_next_one_in() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    let (first, second) = (hall.enter(1), hall.enter(2));
    block_on(hall.engine.leave(&first)).unwrap();
    assert!(hall.is_admitted(&second));
}

#[test]
fn leaving_after_paying_keeps_the_seat() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    hall.pay(1, &mine).unwrap();
    block_on(hall.engine.leave(&mine)).unwrap();
    assert_eq!(hall.seat(7), SeatStatus::Sold);
    assert_eq!(hall.place(&mine), Ok(Place::Done(EndReason::Completed)));
}

#[test]
fn with_the_queue_store_cut_off_nobody_is_admitted_and_the_failure_says_so() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.queue.cut_off(true);
    let failure = || Error::from(ShakyQueue::failure());
    assert_eq!(hall.hold(1, &mine, &[1]), Err(failure()));
    assert_eq!(block_on(hall.engine.enter(&LaneName::main(), user(2))), Err(failure()));
    assert_eq!(hall.seat(1), SeatStatus::Available);
}
