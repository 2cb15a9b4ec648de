//! The claim window and the session (Q6, Q9, I16).

use std::time::Duration;

use super::{
    Factory,
    stage::{CLAIM, SESSION, Stage, capacity},
};
use crate::{queue::Place, refusal::Refusal, ticket::EndReason};

const MICROSECOND: Duration = Duration::from_micros(1);

pub(super) fn a_poll_claims_nothing(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let ticket = stage.entered();
    let expected = Place::Admitted { until: stage.now().after(CLAIM), claimed: false };
    for _ in 0..3 {
        stage.move_clock(Duration::from_secs(10));
        assert_eq!(stage.standing(&ticket), expected);
        assert_eq!(stage.enter(ticket.user).map(|entered| entered.place), Ok(expected));
    }
    stage.move_clock(CLAIM);
    assert_eq!(stage.standing(&ticket), Place::Done(EndReason::NoShow));
}

pub(super) fn the_first_claim_starts_the_session(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let ticket = stage.entered();
    stage.move_clock(CLAIM.saturating_sub(MICROSECOND));
    let until = stage.now().after(SESSION);
    assert_eq!(stage.claim(&ticket), Ok(until), "a microsecond before the window closes");
    assert_eq!(stage.standing(&ticket), Place::Admitted { until, claimed: true });
    stage.move_clock(SESSION.saturating_sub(MICROSECOND));
    assert!(stage.is_admitted(&ticket), "the claim window is past, the session goes on");
}

pub(super) fn a_later_claim_keeps_the_end_of_the_session(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let ticket = stage.entered();
    let until = stage.claim(&ticket);
    assert!(until.is_ok());
    for at in [&stage, &stage.elsewhere(), &stage] {
        stage.move_clock(Duration::from_mins(1));
        assert_eq!(at.claim(&ticket), until);
    }
}

pub(super) fn who_does_not_claim_in_time_is_a_no_show(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let (ticket, next) = (stage.entered(), stage.entered());
    stage.move_clock(CLAIM.saturating_sub(MICROSECOND));
    assert!(stage.is_admitted(&ticket));
    assert_eq!(stage.rank(&next), Some(1));
    stage.move_clock(MICROSECOND);
    let over = Place::Done(EndReason::NoShow);
    assert_eq!(stage.standing(&ticket), over, "at the end it is over, whether or not anything swept it");
    assert_eq!(stage.claim(&ticket), Err(Refusal::TicketOver(EndReason::NoShow)));
    stage.advance();
    assert!(stage.is_admitted(&next));
    assert_eq!(stage.standing(&ticket), over);
    assert_eq!(stage.claim(&ticket), Err(Refusal::TicketOver(EndReason::NoShow)));
}

pub(super) fn a_session_ends_by_time(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let (ticket, next) = (stage.entered(), stage.entered());
    assert!(stage.claim(&ticket).is_ok());
    stage.move_clock(SESSION);
    let over = Place::Done(EndReason::SessionExpired);
    assert_eq!(stage.standing(&ticket), over);
    assert_eq!(stage.claim(&ticket), Err(Refusal::TicketOver(EndReason::SessionExpired)));
    stage.advance();
    assert_eq!(stage.standing(&ticket), over);
    assert!(stage.claim(&next).is_ok());
    let again = stage.enter(ticket.user).expect("the user may queue again");
    assert!(!again.replayed && again.ticket != ticket, "{again:?}");
}

pub(super) fn who_waits_cannot_claim(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(4);
    for (rank, ticket) in (1..).zip(&tickets[1..]) {
        let refusal = stage.claim(ticket);
        let told = matches!(refusal, Err(Refusal::NotYourTurn { rank: told, retry_after })
            if told == rank && !retry_after.is_zero() && retry_after <= CLAIM / 3);
        assert!(told, "rank {rank}: {refusal:?}");
        assert_eq!(stage.rank(ticket), Some(rank), "asking costs no place");
    }
    assert_eq!(stage.snapshot(None).admitted, 1);
}
