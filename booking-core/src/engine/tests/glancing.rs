//! Answering the waiting without asking the queue store: Q4, I22.

use super::*;
use crate::queue::NEAR_THE_HEAD;

fn crowded() -> (Hall, Vec<Ticket>) {
    let hall = Hall::new();
    hall.set_lane(capacity(1));
    for n in 5..=200 {
        block_on(hall.engine.open_wallet(user(n))).unwrap();
    }
    let tickets = (1..=200).map(|n| hall.enter(n)).collect();
    (hall, tickets)
}

fn rank(place: Option<Place>) -> Option<u64> {
    place.map(|place| match place {
        Place::Waiting { rank, .. } => rank,
        other => panic!("a glance told {other:?}"),
    })
}

#[test]
fn a_glance_needs_no_store_and_tells_what_the_last_look_saw() {
    let (hall, tickets) = crowded();
    assert_eq!(hall.engine.glance(&tickets[150]), None, "nobody looked yet");
    block_on(hall.engine.look(&LaneName::main())).unwrap();
    hall.queue.cut_off(true);
    assert_eq!(rank(hall.engine.glance(&tickets[150])), Some(150));
    assert_eq!(hall.engine.glance(&tickets[0]), None, "who is admitted asks the store");
    let near = usize::try_from(NEAR_THE_HEAD).unwrap();
    assert_eq!(hall.engine.glance(&tickets[near]), None, "and so does who is near the head");
    assert_eq!(rank(hall.engine.glance(&tickets[near + 1])), Some(NEAR_THE_HEAD + 1));
}

#[test]
fn a_look_follows_what_changed_since_the_last_one() {
    let (hall, tickets) = crowded();
    let look = || block_on(hall.engine.look(&LaneName::main())).unwrap();
    look();
    block_on(hall.engine.leave(&tickets[20])).unwrap();
    let late = hall.enter(1);
    assert_eq!((late.seq, hall.engine.is_news(&late)), (1, false), "the same place");
    block_on(hall.engine.leave(&tickets[0])).unwrap();
    let late = hall.enter(1);
    assert!(hall.engine.is_news(&late));
    assert_eq!(rank(hall.engine.glance(&tickets[150])), Some(150));
    look();
    assert_eq!(rank(hall.engine.glance(&tickets[150])), Some(148), "one left before it, one was admitted");
    assert_eq!(rank(hall.engine.glance(&late)), Some(198));
    assert!(!hall.engine.is_news(&late));
}

#[test]
fn a_look_that_fails_forgets_what_was_seen() {
    let (hall, tickets) = crowded();
    block_on(hall.engine.look(&LaneName::main())).unwrap();
    hall.queue.cut_off(true);
    assert_eq!(block_on(hall.engine.look(&LaneName::main())), Err(ShakyQueue::failure().into()));
    assert_eq!(hall.engine.glance(&tickets[150]), None);
    hall.queue.cut_off(false);
    block_on(hall.engine.look(&LaneName::main())).unwrap();
    assert_eq!(rank(hall.engine.glance(&tickets[150])), Some(150));
    assert_eq!(block_on(hall.engine.look(&lane("nowhere"))), refused(Refusal::UnknownLane));
}
