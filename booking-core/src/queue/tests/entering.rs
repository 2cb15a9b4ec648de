//! Taking a number: Q1, Q3, Q8, Q10, I12, I13.

use super::*;

#[test]
fn numbers_follow_the_order_of_arrival() {
    let mut room = Room::of_capacity(0);
    assert_eq!(room.enter(3), ticket(3, 1));
    assert_eq!(room.enter(1), ticket(1, 2));
    assert_eq!(room.enter(2), ticket(2, 3));
    assert_eq!(room.lane.next(), 4);
}

#[test]
fn entering_twice_gives_the_same_place_waiting_or_admitted() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(3);
    for (n, known) in (1..).zip(&tickets) {
        let events = room.lane.execute(&Command::Enter(user(n)), room.now).unwrap();
        assert_eq!((events, room.lane.live_ticket(user(n)).as_ref()), (vec![], Some(known)));
    }
    assert_eq!((room.lane.next(), room.rank(&tickets[2])), (4, Some(2)));
}

#[test]
fn who_is_done_gets_a_new_number_at_the_end() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(3);
    room.finish(&tickets[0], EndReason::Completed);
    let again = room.enter(1);
    assert_eq!((again.seq, room.rank(&again)), (4, Some(2)));
    assert_eq!(room.end(&tickets[0]), Some(EndReason::Completed));
}

#[test]
fn a_number_is_never_given_twice() {
    let mut room = Room::of_capacity(0);
    for round in 1..=20 {
        let taken = room.enter(1);
        assert_eq!(taken.seq, round);
        room.finish(&taken, EndReason::Left);
    }
}

#[test]
fn a_full_waiting_room_refuses_and_takes_again_when_someone_left() {
    let mut room = Room::with(LanePolicy { capacity: 1, max_waiting: Some(2), ..LanePolicy::default() });
    let tickets = room.fill(3);
    assert_eq!(room.try_enter(4), Err(Refusal::LaneFull));
    assert_eq!(room.enter(3), tickets[2], "who is in keeps the place");
    room.finish(&tickets[1], EndReason::Left);
    assert!(room.try_enter(4).is_ok());
}

#[test]
fn a_free_slot_is_entered_at_once_where_nobody_may_wait() {
    let mut room = Room::with(LanePolicy { capacity: 2, max_waiting: Some(0), ..LanePolicy::default() });
    let tickets = room.fill(2);
    assert!(tickets.iter().all(|ticket| room.is_admitted(ticket)));
    assert_eq!(room.try_enter(3), Err(Refusal::LaneFull));
    room.finish(&tickets[0], EndReason::Completed);
    let third = room.enter(3);
    assert!(room.is_admitted(&third));
}

#[test]
fn an_overdue_slot_is_entered_at_once_where_nobody_may_wait() {
    let mut room = Room::with(LanePolicy { capacity: 1, max_waiting: Some(0), ..LanePolicy::default() });
    room.enter(1);
    room.pass(fixture::just_before(CLAIM_TTL));
    assert_eq!(room.try_enter(2), Err(Refusal::LaneFull));
    room.pass(fixture::MICRO);
    let second = room.enter(2);
    assert!(room.is_admitted(&second));
}

#[test]
fn nobody_goes_in_at_once_while_the_lane_rests() {
    let mut room = Room::with(LanePolicy { capacity: 1, max_waiting: Some(0), ..LanePolicy::default() });
    room.configure(|settings| settings.paused = true);
    assert_eq!(room.try_enter(1), Err(Refusal::LaneFull));
}

#[test]
fn a_closed_lane_refuses_before_a_sold_out_one_and_a_full_one() {
    let mut room = Room::with(LanePolicy { capacity: 0, max_waiting: Some(0), ..LanePolicy::default() });
    assert_eq!(room.try_enter(1), Err(Refusal::LaneFull));
    room.configure(|settings| settings.sold_out = true);
    assert_eq!(room.try_enter(1), Err(Refusal::SoldOut));
    room.configure(|settings| settings.closed = true);
    assert_eq!(room.try_enter(1), Err(Refusal::LaneClosed));
}
