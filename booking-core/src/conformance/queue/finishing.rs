//! Tickets end once, for one reason, and never come back (Q9, I16).

use super::{
    Factory,
    stage::{CLAIM, Stage, capacity},
};
use crate::{
    id::UserId,
    queue::Place,
    refusal::Refusal,
    ticket::{EndReason, Ticket},
};

const REASONS: [EndReason; 7] = [
    EndReason::Completed,
    EndReason::HoldExpired,
    EndReason::SessionExpired,
    EndReason::NoShow,
    EndReason::Left,
    EndReason::SoldOut,
    EndReason::Closed,
];

pub(super) fn a_finished_ticket_is_over_with_its_reason(make: &Factory) {
    let stage = Stage::new(make, capacity(7));
    let tickets = stage.line(14);
    for half in [&tickets[7..], &tickets[..7]] {
        for (ticket, reason) in half.iter().zip(REASONS) {
            stage.finish(ticket, reason);
            assert_eq!(stage.standing(ticket), Place::Done(reason));
            assert_eq!(stage.claim(ticket), Err(Refusal::TicketOver(reason)));
            assert_eq!(stage.elsewhere().standing(ticket), Place::Done(reason));
        }
    }
    let told = stage.snapshot(None);
    assert_eq!((told.users, told.admitted, told.waiting), (0, 0, 0));
}

pub(super) fn a_ticket_that_is_over_stays_as_it_is(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let (no_show, completed, last) = (stage.entered(), stage.entered(), stage.entered());
    stage.move_clock(CLAIM);
    stage.finish(&no_show, EndReason::Completed);
    assert_eq!(stage.standing(&no_show), Place::Done(EndReason::NoShow), "its time was over before");
    assert!(stage.claim(&completed).is_ok());
    stage.finish(&completed, EndReason::Completed);
    let (before, over) = (stage.glance(), Place::Done(EndReason::Completed));
    for reason in REASONS {
        stage.finish(&completed, reason);
        assert_eq!(stage.standing(&completed), over, "the first reason stays");
    }
    assert_eq!(stage.glance(), before);
    assert!(stage.is_admitted(&last));
    assert_eq!(stage.claim(&completed), Err(Refusal::TicketOver(EndReason::Completed)), "no way back");
    stage.finish(&last, EndReason::Left);
    stage.advance();
    assert_eq!(stage.standing(&completed), over, "nor by a free slot");
    let again = stage.ticket(completed.user);
    stage.finish(&completed, EndReason::Left);
    assert!(stage.is_admitted(&again), "an old ticket does not end the user's new one");
    assert_eq!(stage.standing(&completed), over);
}

pub(super) fn finishing_what_is_not_there_is_no_failure(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let ticket = stage.entered();
    let before = stage.glance();
    let strange = [
        Ticket { lane: "nowhere".parse().expect("a lane name"), ..ticket.clone() },
        Ticket { seq: 9, ..ticket.clone() },
        Ticket { user: UserId::random(), ..ticket.clone() },
        Ticket { epoch: crate::ticket::Epoch(ticket.epoch.0.wrapping_add(1)), ..ticket.clone() },
    ];
    for strange in &strange {
        stage.finish(strange, EndReason::Left);
    }
    assert_eq!(stage.glance(), before);
    assert!(stage.is_admitted(&ticket));
}

pub(super) fn who_leaves_the_line_moves_up_those_behind(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(5);
    stage.finish(&tickets[2], EndReason::Left);
    let ranks: Vec<_> = [1, 3, 4].iter().map(|at| stage.rank(&tickets[*at])).collect();
    assert_eq!(ranks, [Some(1), Some(2), Some(3)]);
    assert!(stage.is_admitted(&tickets[0]), "a slot is not a place in the line");
    let told = stage.snapshot(None);
    assert_eq!((told.users, told.waiting, told.admitted), (4, 3, 1));
}
