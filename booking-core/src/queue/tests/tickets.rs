//! What a ticket is good for: Q6, I16, I17.

use super::*;

/// What a lane says to a ticket it can't use.
fn refused(room: &mut Room, ticket: &Ticket) -> Refusal {
    let before = (room.lane.next(), room.lane.waiting(), room.lane.admitted());
    let refusal = room.claim(ticket).unwrap_err();
    assert_eq!(room.place(ticket), Err(refusal.clone()));
    assert_eq!(room.finish(ticket, EndReason::Left), []);
    assert_eq!((room.lane.next(), room.lane.waiting(), room.lane.admitted()), before);
    refusal
}

#[test]
fn a_ticket_of_another_epoch_is_refused() {
    let mut room = Room::of_capacity(1);
    for ticket in room.fill(2) {
        let foreign = Ticket { epoch: Epoch(2), ..ticket };
        assert_eq!(refused(&mut room, &foreign), Refusal::QueueReset);
    }
}

#[test]
fn a_number_that_was_never_given_is_refused() {
    let mut room = Room::of_capacity(1);
    room.fill(2);
    for seq in [0, 3, 4, u64::MAX] {
        assert_eq!(refused(&mut room, &ticket(1, seq)), Refusal::UnknownTicket, "number {seq}");
    }
}

#[test]
fn somebody_elses_number_is_refused() {
    let mut room = Room::of_capacity(1);
    room.fill(2);
    for (of, seq) in [(1, 2), (2, 1), (9, 1), (9, 2)] {
        assert_eq!(refused(&mut room, &ticket(of, seq)), Refusal::UnknownTicket, "user {of}, number {seq}");
    }
}

#[test]
fn who_waits_is_told_the_rank_and_when_to_come_back() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(3);
    match room.claim(&tickets[2]) {
        Err(Refusal::NotYourTurn { rank: 2, retry_after }) => assert!(retry_after <= CLAIM_TTL / 3),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_done_ticket_tells_why_and_stays_done() {
    let reasons = [EndReason::Completed, EndReason::HoldExpired, EndReason::Left];
    let mut room = Room::of_capacity(2);
    let tickets = room.fill(3);
    for (ticket, reason) in tickets.iter().zip(reasons) {
        assert_eq!(room.finish(ticket, reason)[0], Event::Finished { seq: ticket.seq, reason });
        assert_eq!(room.end(ticket), Some(reason));
        assert_eq!(room.claim(ticket), Err(Refusal::TicketOver(reason)));
        assert_eq!(room.finish(ticket, EndReason::Closed), []);
        assert_eq!(room.end(ticket), Some(reason));
    }
}

#[test]
fn a_ticket_that_ended_by_time_keeps_that_reason() {
    let mut room = Room::of_capacity(1);
    let mine = room.enter(1);
    room.pass(CLAIM_TTL);
    let events = room.finish(&mine, EndReason::Completed);
    assert_eq!(events, [Event::Finished { seq: 1, reason: EndReason::NoShow }]);
    assert_eq!(room.end(&mine), Some(EndReason::NoShow));
}

#[test]
fn finishing_an_old_ticket_does_not_end_the_new_one() {
    let mut room = Room::of_capacity(5);
    let old = room.enter(1);
    room.finish(&old, EndReason::Completed);
    let new = room.enter(1);
    assert_eq!(room.finish(&old, EndReason::Left), []);
    assert!(room.is_admitted(&new));
}

#[test]
fn the_head_of_the_line_may_leave() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(4);
    room.finish(&tickets[1], EndReason::Left);
    room.finish(&tickets[2], EndReason::Left);
    assert_eq!(room.rank(&tickets[3]), Some(1));
    assert_eq!(room.lane.snapshot(None, room.now).head, 4);
}
