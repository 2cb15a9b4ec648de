//! Tickets and lanes that are not, or no longer, what they say (I17, I22).

use super::{
    Factory,
    stage::{Stage, capacity},
};
use crate::{
    id::UserId,
    queue::Place,
    refusal::Refusal,
    ticket::{EndReason, Epoch, LaneName, Ticket},
};

pub(super) fn an_unknown_lane_is_refused(make: &Factory) {
    let stage = Stage::untold(make);
    let ticket = Ticket { lane: LaneName::main(), epoch: Epoch(1), seq: 1, user: UserId::random() };
    assert_eq!(stage.enter(ticket.user).err(), Some(Refusal::UnknownLane));
    assert_eq!(stage.place(&ticket), Err(Refusal::QueueReset));
    assert_eq!(stage.claim(&ticket), Err(Refusal::QueueReset));
    stage.finish(&ticket, EndReason::Left);
    assert_eq!(stage.try_advance(), Err(Refusal::UnknownLane));
    assert_eq!(stage.try_snapshot(None).err(), Some(Refusal::UnknownLane));
    assert_eq!(stage.enter(ticket.user).err(), Some(Refusal::UnknownLane), "asking makes no lane");
    stage.configure(|settings| settings.policy = capacity(1));
    let entered = stage.enter(ticket.user).expect("now it exists");
    assert_eq!(entered.ticket.seq, 1);
}

/// Calls everything with a ticket that is none of the lane's; the lane stays as it is.
fn is_refused(stage: &Stage, strange: &Ticket, refusal: &Refusal) {
    let before = stage.glance();
    assert_eq!(stage.place(strange).as_ref(), Err(refusal), "{strange:?}");
    assert_eq!(stage.claim(strange).as_ref(), Err(refusal), "{strange:?}");
    stage.finish(strange, EndReason::Left);
    assert_eq!(stage.glance(), before, "{strange:?}");
}

pub(super) fn a_ticket_of_another_epoch_is_refused_and_changes_nothing(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(3);
    for ticket in &tickets {
        let epoch = Epoch(ticket.epoch.0 ^ 1);
        is_refused(&stage, &Ticket { epoch, ..ticket.clone() }, &Refusal::QueueReset);
    }
    assert!(stage.is_admitted(&tickets[0]));
    assert_eq!(stage.rank(&tickets[2]), Some(2));
}

pub(super) fn a_ticket_the_lane_never_gave_is_refused_and_changes_nothing(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(3);
    let (inside, waiting) = (&tickets[0], &tickets[1]);
    let never = [
        Ticket { seq: 0, ..waiting.clone() },
        Ticket { seq: 4, ..waiting.clone() },
        Ticket { seq: u64::MAX >> 1, ..waiting.clone() },
        Ticket { user: UserId::random(), ..waiting.clone() },
        Ticket { user: UserId::random(), ..inside.clone() },
        Ticket { user: inside.user, ..waiting.clone() },
        Ticket { user: waiting.user, ..inside.clone() },
    ];
    for strange in &never {
        is_refused(&stage, strange, &Refusal::UnknownTicket);
    }
    assert!(stage.is_admitted(inside));
    assert_eq!((stage.rank(waiting), stage.rank(&tickets[2])), (Some(1), Some(2)));
}

pub(super) fn a_lane_that_lost_its_numbers_starts_a_new_epoch(make: &Factory) {
    let mut stage = Stage::new(make, capacity(1));
    let old = stage.line(3);
    let epochs = [stage.snapshot(None).epoch, old[0].epoch, old[2].epoch];
    assert_eq!(epochs, [epochs[0]; 3], "one life, one epoch");
    stage.lose();
    assert_eq!(stage.enter(old[0].user).err(), Some(Refusal::UnknownLane), "until it is configured");
    assert_eq!(stage.place(&old[0]), Err(Refusal::QueueReset));
    stage.tell(&stage.settings());
    assert_ne!(stage.snapshot(None).epoch, epochs[0]);
    let new = stage.entered();
    assert_ne!(new.epoch, epochs[0]);
    for ticket in &old {
        assert_eq!(stage.place(ticket), Err(Refusal::QueueReset));
        assert_eq!(stage.claim(ticket), Err(Refusal::QueueReset));
        stage.finish(ticket, EndReason::Completed);
    }
    assert!(stage.is_admitted(&new), "an old ticket ends nobody's place");
    let again = stage.enter(old[1].user).expect("people enter anew");
    assert!(!again.replayed && matches!(again.place, Place::Waiting { rank: 1, .. }), "{again:?}");
    assert_eq!(stage.elsewhere().rank(&again.ticket), Some(1));
}
