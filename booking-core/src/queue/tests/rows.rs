//! A lane as rows and back. That a lane follows its rows through anything is a model test.

use super::*;
use crate::queue::{BrokenLane, ChangedTickets, Course, LaneRow, TicketRow};

fn changes(room: &mut Room, commands: &[Command]) -> ChangedTickets {
    let mut log = Vec::new();
    for command in commands {
        room.lane.execute_logged(command, room.now, &mut log).unwrap();
    }
    room.lane.changed_tickets(&log)
}

#[test]
fn a_number_that_came_and_went_in_one_batch_is_one_row() {
    let mut room = Room::of_capacity(0);
    let leave = Command::Finish(ticket(1, 1), EndReason::Left);
    let changes = changes(&mut room, &[Command::Enter(user(1)), leave, Command::Enter(user(2))]);
    let left = Course { ended: Some(EndReason::Left), departed: Some(1), ..Course::default() };
    let row = |n: u64, course| TicketRow { seq: n, user: user(u128::from(n)), course };
    assert_eq!(changes.entered, [row(1, left), row(2, Course::default())]);
    assert_eq!(changes.moved, []);
}

#[test]
fn who_enters_after_a_drain_of_the_same_batch_is_not_drained() {
    let mut room = Room::of_capacity(0);
    room.fill(2);
    let settings = |revision, closed| LaneSettings { closed, revision, ..room.lane.settings().clone() };
    let commands = [
        Command::Configure(settings(2, true)),
        Command::Configure(settings(3, false)),
        Command::Enter(user(3)),
    ];
    let copy = room.lane.clone();
    let changes = changes(&mut room, &commands);
    assert_eq!(room.lane.row().drained, [(3, EndReason::Closed)]);
    assert_eq!(changes.entered.iter().map(|row| row.seq).collect::<Vec<_>>(), [3]);
    let mut follower = copy;
    follower.follow(room.lane.row(), &changes.entered).unwrap();
    assert_eq!(follower, room.lane);
}

#[test]
fn rows_with_a_gap_are_no_lane() {
    let lane = Room::of_capacity(0).lane;
    let load = |rows: &[TicketRow]| Lane::load(LaneName::main(), lane.row(), rows).map(|_| ());
    let row = |seq, departed: Option<u64>| {
        let ended = departed.map(|_| EndReason::Left);
        TicketRow { seq, user: user(1), course: Course { ended, departed, ..Course::default() } }
    };
    assert_eq!(load(&[row(1, Some(1))]), Ok(()));
    assert_eq!(load(&[row(2, None)]), Err(BrokenLane::Missing(1)));
    assert_eq!(load(&[row(0, None)]), Err(BrokenLane::Missing(1)));
    assert_eq!(load(&[row(1, Some(2))]), Err(BrokenLane::Departure(1)));
}

#[test]
fn a_lane_drained_beyond_its_numbers_is_no_lane() {
    let lane = Room::of_capacity(0).lane;
    let load = |below| {
        let row = LaneRow { drained: vec![(below, EndReason::Closed)], ..lane.row() };
        let ticket = TicketRow { seq: 1, user: user(1), course: Course::default() };
        Lane::load(LaneName::main(), row, &[ticket]).map(|_| ())
    };
    assert_eq!((load(0), load(1), load(2)), (Ok(()), Ok(()), Ok(())));
    assert_eq!((load(3), load(u64::MAX)), (Err(BrokenLane::Missing(2)), Err(BrokenLane::Missing(2))));
}
