//! Numbers in the order of arrival, one live place a user, exact ranks (Q3, Q4, Q10, I12, I13, I15).

use std::time::Duration;

use super::{
    Factory,
    stage::{CLAIM, Stage, capacity},
};
use crate::{
    id::UserId,
    queue::Place,
    ticket::{EndReason, Ticket},
};

pub(super) fn numbers_are_given_in_the_order_of_arrival(make: &Factory) {
    let stage = Stage::new(make, capacity(0));
    let users: Vec<UserId> = (0..40).map(|_| UserId::random()).collect();
    for (number, user) in (1..).zip(&users) {
        let entered = stage.enter(*user).expect("the lane takes people");
        assert!(!entered.replayed);
        assert_eq!((&entered.ticket.lane, entered.ticket.user), (&stage.lane, *user));
        assert_eq!(entered.ticket.seq, number);
        assert!(
            matches!(entered.place, Place::Waiting { rank, ahead, .. } if rank == number && ahead == number - 1)
        );
    }
    let ranks: Vec<_> = users.iter().map(|user| stage.rank(&stage.ticket(*user))).collect();
    assert_eq!(ranks, (1..=40).map(Some).collect::<Vec<_>>());
    assert_eq!(stage.snapshot(None).next, 41);
}

pub(super) fn entering_twice_gives_the_same_place(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let (inside, waiting) = (stage.entered(), stage.entered());
    stage.entered();
    stage.move_clock(Duration::from_secs(1));
    for (at, ticket) in [(&stage, &inside), (&stage.elsewhere(), &waiting)] {
        let again = at.enter(ticket.user).expect("the lane takes people");
        assert!(again.replayed);
        assert_eq!(&again.ticket, ticket);
    }
    assert!(stage.is_admitted(&inside));
    assert_eq!(stage.rank(&waiting), Some(1));
    assert!(stage.claim(&inside).is_ok());
    let again = stage.enter(inside.user).expect("the lane takes people");
    assert_eq!((again.replayed, again.ticket), (true, inside));
    let told = stage.snapshot(None);
    assert_eq!((told.users, told.waiting, told.admitted, told.next), (3, 2, 1, 4));
}

pub(super) fn ten_thousand_enters_of_one_user_leave_one_place(make: &Factory) {
    let stage = Stage::new(make, capacity(0));
    let first = stage.entered();
    for _ in 1..10_000 {
        let again = stage.enter(first.user).expect("the lane takes people");
        assert!(again.replayed && again.ticket == first, "{again:?}");
    }
    let told = stage.snapshot(None);
    assert_eq!((told.users, told.waiting, told.next), (1, 1, 2));
    assert_eq!(stage.rank(&stage.entered()), Some(2));
}

pub(super) fn who_is_done_gets_a_new_number_at_the_end(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(4);
    stage.finish(&tickets[0], EndReason::Completed);
    stage.finish(&tickets[2], EndReason::Left);
    for (done, expected) in [(&tickets[0], 2), (&tickets[2], 3)] {
        let again = stage.enter(done.user).expect("the lane takes people");
        assert!(!again.replayed);
        assert_eq!(again.ticket.seq, expected + 3);
        assert_eq!(stage.rank(&again.ticket), Some(expected), "behind who was there before");
    }
    assert_eq!(stage.standing(&tickets[0]), Place::Done(EndReason::Completed));
    assert_eq!(stage.standing(&tickets[2]), Place::Done(EndReason::Left), "the old one stays over");
}

pub(super) fn ranks_are_exact_after_departures(make: &Factory) {
    let stage = Stage::new(make, capacity(0));
    let mut waiting = stage.line(60);
    // From the head, the tail and the middle, some neighbours among them.
    for index in [0, 0, 57, 10, 10, 10, 30, 5, 51, 20, 1] {
        stage.finish(&waiting.remove(index), EndReason::Left);
        for (rank, ticket) in (1..).zip(&waiting) {
            assert_eq!(stage.rank(ticket), Some(rank));
        }
    }
    let last = stage.entered();
    assert_eq!(stage.rank(&last), Some(waiting.len() as u64 + 1));
    assert_eq!(stage.elsewhere().rank(&last), Some(waiting.len() as u64 + 1));
    assert_eq!(stage.snapshot(None).waiting, waiting.len() as u64 + 1);
}

pub(super) fn a_waiting_place_tells_when_to_ask_again(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let told = |ticket: &Ticket| match stage.standing(ticket) {
        Place::Waiting { estimated_wait, poll_after, .. } => (estimated_wait, poll_after),
        other => panic!("it waits, and is told {other:?}"),
    };
    let tickets = stage.line(30);
    for ticket in &tickets[1..] {
        let (_, poll_after) = told(ticket);
        assert!(!poll_after.is_zero() && poll_after <= CLAIM / 3, "{poll_after:?}");
    }
    for ticket in &tickets[..10] {
        stage.move_clock(Duration::from_secs(1));
        stage.finish(ticket, EndReason::Completed);
    }
    let (near, _) = told(&tickets[12]);
    let (far, _) = told(&tickets[29]);
    let (near, far) = (near.expect("a speed was measured"), far.expect("a speed was measured"));
    assert!(near < far && far < Duration::from_mins(10), "{near:?}, {far:?}");
    let fresh = stage.other_lane("fresh", capacity(0));
    let place = fresh.standing(&fresh.entered());
    assert!(matches!(place, Place::Waiting { estimated_wait: None, .. }), "nothing was measured: {place:?}");
}

pub(super) fn lanes_do_not_touch_each_other(make: &Factory) {
    let main = Stage::new(make, capacity(1));
    let side = main.other_lane("side", capacity(2));
    let user = UserId::random();
    let (first, second) = (main.ticket(user), side.ticket(user));
    assert_eq!((first.seq, second.seq), (1, 1), "each lane counts by itself");
    assert_ne!(first.epoch, second.epoch);
    let (waits, inside) = (main.entered(), side.entered());
    assert_eq!((main.rank(&waits), side.is_admitted(&inside)), (Some(1), true));
    main.finish(&first, EndReason::Left);
    assert!(side.is_admitted(&second), "a user may be in two lanes");
    assert!(main.is_admitted(&waits));
    let told = main.glance();
    side.configure(|settings| settings.closed = true);
    assert_eq!(main.glance(), told);
    assert_eq!(side.standing(&inside), Place::Done(EndReason::Closed));
}
