//! What an operator tells a lane (I14, and Q8, Q9 for lanes that are closed or sold out).

use std::time::Duration;

use super::{
    Factory,
    stage::{CLAIM, SESSION, Stage, capacity},
};
use crate::{
    catalog::LaneSettings,
    id::UserId,
    queue::{Advanced, Place},
    refusal::Refusal,
    ticket::{EndReason, Ticket},
};

pub(super) fn older_settings_change_nothing(make: &Factory) {
    let stage = Stage::new(make, capacity(0));
    let old = stage.settings();
    stage.configure(|settings| settings.policy.capacity = 1);
    let new = stage.settings();
    let ticket = stage.entered();
    assert!(stage.is_admitted(&ticket));
    let before = stage.glance();
    let stale = [
        old,
        LaneSettings { closed: true, ..new.clone() },
        LaneSettings { closed: true, revision: 0, ..new.clone() },
        new.clone(),
    ];
    for settings in &stale {
        stage.elsewhere().tell(settings);
        assert_eq!(stage.glance(), before, "{settings:?}");
    }
    assert_eq!(before.settings, new);
    assert!(stage.is_admitted(&ticket));
}

pub(super) fn a_lowered_capacity_evicts_nobody(make: &Factory) {
    let stage = Stage::new(make, capacity(4));
    let tickets = stage.line(8);
    tickets[..4].iter().for_each(|ticket| assert!(stage.claim(ticket).is_ok()));
    stage.configure(|settings| settings.policy.capacity = 2);
    assert!(tickets[..4].iter().all(|ticket| stage.is_admitted(ticket)));
    for done in 0..2 {
        stage.finish(&tickets[done], EndReason::Completed);
        assert_eq!(stage.advance(), Advanced::default());
        assert!(!stage.is_admitted(&tickets[4]), "as many as may are still inside");
    }
    stage.finish(&tickets[2], EndReason::Completed);
    assert!(stage.is_admitted(&tickets[4]));
    assert!(!stage.is_admitted(&tickets[5]));
}

pub(super) fn a_raised_capacity_is_used_at_the_next_advance(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(5);
    stage.configure(|settings| settings.policy.capacity = 3);
    stage.advance();
    let inside: Vec<bool> = tickets.iter().map(|ticket| stage.is_admitted(ticket)).collect();
    assert_eq!(inside, [true, true, true, false, false]);
}

pub(super) fn a_paused_lane_takes_numbers_but_admits_nobody(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let inside = stage.entered();
    stage.configure(|settings| settings.paused = true);
    let late = stage.line(2);
    assert_eq!(stage.advance(), Advanced::default());
    assert_eq!((stage.rank(&late[0]), stage.rank(&late[1])), (Some(1), Some(2)));
    assert!(stage.claim(&inside).is_ok(), "who is inside goes on");
    stage.move_clock(SESSION);
    assert_eq!(stage.advance(), Advanced { admitted: 0, ended: 1 }, "time goes on");
    stage.configure(|settings| settings.paused = false);
    stage.advance();
    assert!(late.iter().all(|ticket| stage.is_admitted(ticket)));
}

/// Everybody's ticket is over, and nobody gets a new one.
fn is_drained(stage: &Stage, tickets: &[Ticket], reason: EndReason, refusal: &Refusal) {
    for ticket in tickets {
        assert_eq!(stage.standing(ticket), Place::Done(reason));
        assert_eq!(stage.claim(ticket), Err(Refusal::TicketOver(reason)));
        assert_eq!(stage.enter(ticket.user).err().as_ref(), Some(refusal));
    }
    assert_eq!(stage.enter(UserId::random()).err().as_ref(), Some(refusal));
    assert_eq!(stage.advance(), Advanced::default());
    let told = stage.snapshot(None);
    assert_eq!((told.users, told.waiting, told.admitted), (0, 0, 0));
}

pub(super) fn a_closed_lane_ends_every_ticket_and_takes_nobody(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let tickets = stage.line(6);
    assert!(stage.claim(&tickets[0]).is_ok());
    stage.finish(&tickets[4], EndReason::Left);
    stage.configure(|settings| settings.closed = true);
    assert_eq!(stage.standing(&tickets[4]), Place::Done(EndReason::Left), "that one was over before");
    let ended = [&tickets[..4], &tickets[5..]].concat();
    is_drained(&stage, &ended, EndReason::Closed, &Refusal::LaneClosed);
    is_drained(&stage.elsewhere(), &ended, EndReason::Closed, &Refusal::LaneClosed);
    stage.configure(|settings| settings.closed = false);
    let again = stage.entered();
    assert_eq!((again.seq, again.epoch), (7, tickets[0].epoch), "numbers and epoch go on");
    assert!(stage.is_admitted(&again));
    assert_eq!(stage.standing(&tickets[0]), Place::Done(EndReason::Closed), "ended tickets stay ended");
}

pub(super) fn a_sold_out_lane_opens_again_where_it_stopped(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(4);
    stage.finish(&tickets[0], EndReason::Completed);
    stage.configure(|settings| settings.sold_out = true);
    is_drained(&stage, &tickets[1..], EndReason::SoldOut, &Refusal::SoldOut);
    stage.configure(|settings| settings.policy.capacity = 5);
    assert_eq!(stage.enter(UserId::random()).err(), Some(Refusal::SoldOut), "still");
    stage.configure(|settings| settings.sold_out = false);
    let again = stage.enter(tickets[1].user).expect("a seat came back");
    assert_eq!((again.replayed, again.ticket.seq), (false, 5));
    assert!(stage.is_admitted(&again.ticket));
    assert_eq!(stage.standing(&tickets[1]), Place::Done(EndReason::SoldOut));
    stage.configure(|settings| (settings.closed, settings.sold_out) = (true, true));
    is_drained(&stage, &[again.ticket], EndReason::Closed, &Refusal::LaneClosed);
}

pub(super) fn changed_spans_count_for_what_begins_later(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let (first, second) = (stage.entered(), stage.entered());
    let third = stage.entered();
    let session = stage.claim(&first);
    let short = Duration::from_secs(1);
    stage.configure(|settings| (settings.policy.claim_ttl, settings.policy.session_ttl) = (short, short * 2));
    assert_eq!(stage.claim(&first), session, "a session that began keeps its end");
    let window = Place::Admitted { until: stage.now().after(CLAIM), claimed: false };
    assert_eq!(stage.standing(&second), window, "and so does a claim window");
    assert_eq!(stage.claim(&second), Ok(stage.now().after(short * 2)));
    stage.finish(&second, EndReason::Completed);
    let window = Place::Admitted { until: stage.now().after(short), claimed: false };
    assert_eq!(stage.standing(&third), window);
}
