//! The lane at a glance, from which instances answer the waiting by themselves.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Factory,
    stage::{CLAIM, Stage, capacity},
};
use crate::ticket::{EndReason, Ticket};

pub(super) fn a_snapshot_tells_the_lane_at_a_glance(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let told = stage.snapshot(None);
    assert_eq!((told.head, told.next, told.waiting, told.admitted, told.users), (1, 1, 0, 0, 0));
    assert_eq!((told.per_admission, told.departed.is_empty()), (None, true));
    let tickets = stage.line(6);
    stage.finish(&tickets[4], EndReason::Left);
    let told = stage.snapshot(None);
    assert_eq!((told.head, told.next, told.waiting, told.admitted, told.users), (3, 7, 3, 2, 5));
    assert_eq!((told.epoch, &told.settings), (tickets[0].epoch, &stage.settings()));
    assert_eq!(stage.elsewhere().snapshot(None).waiting, 3);
    for ticket in &tickets[..3] {
        stage.move_clock(Duration::from_secs(2));
        stage.finish(ticket, EndReason::Completed);
    }
    let told = stage.snapshot(None);
    assert_eq!((told.head, told.waiting, told.admitted, told.users), (7, 0, 2, 2), "the head skips the gone");
    let each = told.per_admission.expect("a speed was measured");
    assert!(each > Duration::from_millis(500) && each < Duration::from_secs(10), "{each:?}");
    stage.move_clock(CLAIM);
    assert_eq!(stage.snapshot(None).admitted, 2, "whose time is over counts until the lane advances");
    stage.advance();
    assert_eq!(stage.snapshot(None).admitted, 0);
}

pub(super) fn departures_are_told_once_by_cursor(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let tickets = stage.line(12);
    let start = stage.snapshot(None).cursor;
    let leave =
        |numbers: &[usize]| numbers.iter().for_each(|at| stage.finish(&tickets[*at], EndReason::Left));
    leave(&[5, 3]);
    let first = stage.snapshot(Some(start));
    assert_eq!(first.departed, [6, 4], "in the order they left");
    assert_eq!(stage.snapshot(Some(first.cursor)).departed, [0; 0]);
    leave(&[5, 8]);
    stage.finish(&tickets[0], EndReason::Completed);
    leave(&[1, 6]);
    let second = stage.snapshot(Some(first.cursor));
    assert_eq!(second.departed, [9, 7], "only those that left while they waited, and once");
    assert_eq!(stage.elsewhere().snapshot(Some(start)).departed, [6, 4, 9, 7], "from any earlier cursor");
    assert_eq!(stage.snapshot(None).departed, [0; 0], "without a cursor, none");
    assert_eq!(stage.snapshot(None).cursor, second.cursor);
    assert_eq!(stage.snapshot(Some(second.cursor + 1_000)).departed, [0; 0], "a cursor from nowhere");
}

pub(super) fn ranks_follow_from_snapshots(make: &Factory) {
    let stage = Stage::new(make, capacity(3));
    let mut cursor = stage.snapshot(None).cursor;
    let (mut gone, mut tickets) = (BTreeSet::new(), Vec::<Ticket>::new());
    for round in 0..12 {
        tickets.extend(stage.line(5));
        for at in [round * 3, round * 4 + 1] {
            stage.finish(&tickets[at], EndReason::Left);
        }
        let told = stage.elsewhere().snapshot(Some(cursor));
        cursor = told.cursor;
        gone.extend(told.departed);
        for ticket in &tickets {
            let waits = ticket.seq >= told.head && !gone.contains(&ticket.seq);
            let rank =
                waits.then(|| ticket.seq - told.head - gone.range(told.head..ticket.seq).count() as u64 + 1);
            assert_eq!(stage.rank(ticket), rank, "{ticket:?}");
        }
    }
}
