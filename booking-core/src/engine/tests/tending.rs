//! What a round of `tend` does, and that nothing waits for it that need not: H3, Q9, I18.

use super::*;
use crate::catalog::LaneSettings;

/// How many events there are.
fn log(hall: &Hall) -> usize {
    block_on(hall.booking.events(0, 1_000)).unwrap().len()
}

fn sold_out(hall: &Hall) -> bool {
    block_on(hall.engine.lane(&LaneName::main())).unwrap().record.settings.sold_out
}

/// User `n` holds the one seat there is as reservation `n`.
fn hold_the_seat(hall: &Hall, n: u128) -> Ticket {
    let ticket = hall.enter(n);
    block_on(hall.engine.hold(&ticket, reservation(n), performance(2), vec![1])).unwrap();
    ticket
}

#[test]
fn a_round_with_nothing_to_do_does_nothing() {
    assert_eq!(Hall::new().tend(), Tended::default());
}

#[test]
fn a_hold_that_ran_out_is_written_down_and_ends_its_ticket() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    hall.pass(just_before(HOLD_TTL));
    assert_eq!(hall.tend(), Tended::default());
    hall.pass(MICRO);
    assert!(hall.is_admitted(&mine));
    assert_eq!(hall.tend(), Tended { holds_expired: 1, tickets_ended: 1, ..Tended::default() });
    assert_eq!(hall.place(&mine), Ok(Place::Done(EndReason::HoldExpired)));
    assert_eq!(hall.tend(), Tended::default());
}

#[test]
fn a_slot_of_a_hold_that_ran_out_goes_to_the_next_one() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    let (mine, next) = (hall.enter(1), hall.enter(2));
    hall.hold(1, &mine, &[7]).unwrap();
    hall.pass(HOLD_TTL);
    assert!(!hall.is_admitted(&next));
    hall.tend();
    assert!(hall.is_admitted(&next));
}

#[test]
fn people_are_admitted_on_time_with_nobody_but_the_round_calling() {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    let (absent, next) = (hall.enter(1), hall.enter(2));
    hall.pass(just_before(CLAIM_TTL));
    assert_eq!(hall.tend(), Tended::default());
    hall.pass(MICRO);
    assert_eq!(hall.tend(), Tended { admitted: 1, admissions_ended: 1, ..Tended::default() });
    assert_eq!(hall.place(&absent), Ok(Place::Done(EndReason::NoShow)));
    assert!(hall.is_admitted(&next));
}

#[test]
fn settings_that_could_not_be_told_are_told_by_the_next_round() {
    let hall = Hall::new();
    hall.queue.cut_off(true);
    hall.set_lane(capacity(0));
    hall.queue.cut_off(false);
    hall.tend();
    let status = block_on(hall.engine.lane(&LaneName::main())).unwrap();
    assert_eq!(status.snapshot.unwrap().settings, status.record.settings);
    let waits = hall.enter(1);
    assert!(!hall.is_admitted(&waits));
}

/// The hall as it is when its bookings are restored as they were when the log had `events`.
fn restored(hall: &Hall, events: usize) -> Hall {
    let log = block_on(hall.booking.events(0, events)).unwrap();
    let clock = Arc::clone(&hall.clock);
    let booking =
        Arc::new(MemoryBooking::replay(BookingPolicy::default(), Arc::clone(&clock) as Arc<dyn Clock>, log));
    let queue = Arc::clone(&hall.queue);
    let engine = Engine::new(Arc::clone(&booking) as _, Arc::clone(&queue) as _);
    Hall { engine, clock, booking, queue }
}

/// What the lane is on record, and what the queue store was told.
fn settings(hall: &Hall) -> (LaneSettings, LaneSettings) {
    let status = block_on(hall.engine.lane(&LaneName::main())).unwrap();
    (status.record.settings, status.snapshot.unwrap().settings)
}

#[test]
fn settings_of_restored_bookings_count_though_the_queue_was_told_of_more() {
    for changes in 0..=5 {
        let hall = Hall::new();
        let events = log(&hall);
        for most in [11, 12, 13] {
            hall.set_lane(capacity(most));
        }
        let hall = restored(&hall, events);
        (0..changes).for_each(|most| hall.set_lane(capacity(most)));
        hall.tend();
        let (on_record, told) = settings(&hall);
        assert_eq!(told, on_record, "after {changes} changes");
        assert_eq!(told.policy.capacity, if changes == 0 { 1_000 } else { changes - 1 });
        hall.tend();
        assert_eq!(settings(&hall), (on_record, told), "once is enough");
    }
}

#[test]
fn restored_bookings_that_say_what_the_queue_was_told_stay_as_they_are() {
    let hall = Hall::new();
    let (before, events) = (settings(&hall).0, log(&hall));
    for most in [11, 1_000] {
        hall.set_lane(capacity(most));
    }
    let hall = restored(&hall, events);
    hall.tend();
    assert_eq!(settings(&hall).0, before);
}

#[test]
fn an_instance_that_read_a_lane_before_it_was_changed_changes_nothing() {
    for changes in 1..=3 {
        let hall = Hall::new();
        let engine = hall.engine.clone();
        let stopped = hall.instance_that_stops(move || {
            for most in 1..=changes {
                block_on(engine.set_lane(&LaneName::main(), capacity(most))).unwrap();
            }
        });
        block_on(stopped.tend()).unwrap();
        let (on_record, told) = settings(&hall);
        assert_eq!((on_record.revision, told), (1 + u64::from(changes), on_record.clone()));
    }
}

#[test]
fn a_lane_is_sold_out_when_its_last_seat_is_sold_not_when_it_is_held() {
    let hall = Hall::of_one_seat();
    let buyer = hold_the_seat(&hall, 1);
    let late = hall.enter(2);
    assert_eq!(hall.tend().lanes_marked, 0);
    hall.pay(1, &buyer).unwrap();
    assert_eq!((sold_out(&hall), hall.tend().lanes_marked, sold_out(&hall)), (false, 1, true));
    assert_eq!(hall.place(&late), Ok(Place::Done(EndReason::SoldOut)));
    assert_eq!(block_on(hall.engine.enter(&LaneName::main(), user(3))), refused(Refusal::SoldOut));
    assert_eq!(hall.tend().lanes_marked, 0);
}

#[test]
fn a_sold_out_lane_opens_again_after_a_refund_and_ended_tickets_stay_ended() {
    let hall = Hall::of_one_seat();
    let buyer = hold_the_seat(&hall, 1);
    let late = hall.enter(2);
    hall.pay(1, &buyer).unwrap();
    hall.tend();
    block_on(hall.engine.refund(payment(1))).unwrap();
    assert_eq!((hall.tend().lanes_marked, sold_out(&hall)), (1, false));
    assert_eq!(hall.place(&late), Ok(Place::Done(EndReason::SoldOut)));
    let again = hold_the_seat(&hall, 2);
    assert!(again.seq > late.seq && again.epoch == late.epoch);
}

#[test]
fn a_sold_out_lane_opens_again_after_an_import_that_adds_seats() {
    let hall = Hall::of_one_seat();
    let buyer = hold_the_seat(&hall, 1);
    hall.pay(1, &buyer).unwrap();
    hall.tend();
    let mut more = draft();
    more.performances = vec![crate::catalog::PerformanceDraft { seats: 2, ..performance_draft(2) }];
    hall.put(more);
    assert_eq!((hall.tend().lanes_marked, sold_out(&hall)), (1, false));
}

#[test]
fn a_sold_out_mark_judged_before_others_took_theirs_back_ends_nobody() {
    let hall = Hall::of_one_seat();
    let buyer = hold_the_seat(&hall, 1);
    hall.pay(1, &buyer).unwrap();
    let engine = hall.engine.clone();
    let stopped = hall.instance_that_stops(move || {
        block_on(engine.tend()).unwrap();
        block_on(engine.refund(payment(1))).unwrap();
        block_on(engine.tend()).unwrap();
        block_on(engine.enter(&LaneName::main(), user(2))).unwrap();
    });
    assert_eq!(block_on(stopped.tend()).unwrap().lanes_marked, 0);
    assert!(!sold_out(&hall));
    let entered = block_on(hall.engine.enter(&LaneName::main(), user(2))).unwrap();
    assert!(entered.replayed && hall.is_admitted(&entered.ticket), "{entered:?}");
}

#[test]
fn a_refund_between_the_look_and_the_mark_ends_nobody() {
    let hall = Hall::of_one_seat();
    let buyer = hold_the_seat(&hall, 1);
    hall.pay(1, &buyer).unwrap();
    let waits = hall.enter(2);
    let engine = hall.engine.clone();
    let stopped = hall.instance_that_stops(move || {
        block_on(engine.refund(payment(1))).unwrap();
    });
    assert_eq!(block_on(stopped.tend()).unwrap().lanes_marked, 2, "it was set and taken back");
    assert_eq!((sold_out(&hall), hall.is_admitted(&waits)), (false, true));
}

#[test]
fn a_change_of_a_lane_whose_mark_was_not_looked_at_again_ends_nobody() {
    let hall = Hall::new();
    let waits = hall.enter(1);
    let lane = LaneName::main();
    let mark = crate::catalog::Command::MarkSoldOut { lane, revision: 1, sold_out: true };
    block_on(hall.booking.execute(vec![mark.into()])).unwrap();
    hall.set_lane(capacity(7));
    assert!(hall.is_admitted(&waits));
    assert_eq!(hall.tend().lanes_marked, 1);
    let (on_record, told) = settings(&hall);
    assert_eq!((on_record.sold_out, told.policy.capacity), (false, 7));
    assert!(hall.is_admitted(&waits));
}

#[test]
fn a_lane_with_nothing_bookable_keeps_its_mark() {
    let hall = Hall::of_one_seat();
    let buyer = hold_the_seat(&hall, 1);
    hall.pay(1, &buyer).unwrap();
    hall.tend();
    hall.pass(LEAD);
    assert_eq!((hall.tend().lanes_marked, sold_out(&hall)), (0, true));
    let empty = Hall::new();
    empty.pass(LEAD);
    assert_eq!((empty.tend().lanes_marked, sold_out(&empty)), (0, false));
}

#[test]
fn a_closed_lane_ends_everybody_and_holds_are_still_paid() {
    let hall = Hall::new();
    let mine = hall.enter(1);
    hall.hold(1, &mine, &[7]).unwrap();
    hall.set_lane(LaneChange { closed: Some(true), ..LaneChange::default() });
    assert_eq!(hall.place(&mine), Ok(Place::Done(EndReason::Closed)));
    assert_eq!(hall.hold(2, &mine, &[8]), refused(Refusal::TicketOver(EndReason::Closed)));
    assert!(hall.pay(1, &mine).is_ok());
}
