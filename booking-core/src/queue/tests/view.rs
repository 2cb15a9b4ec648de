//! What an instance tells the waiting by itself, against the lane it was told of.

use super::*;
use crate::queue::{LaneView, NEAR_THE_HEAD};

/// The lane as an instance sees it that follows every snapshot.
fn look(view: &mut LaneView, room: &Room) {
    view.follow(room.lane.snapshot(Some(view.cursor()), room.now));
}

fn rank_of(place: Option<Place>) -> Option<u64> {
    place.map(|place| match place {
        Place::Waiting { rank, ahead, .. } => {
            assert_eq!(ahead, rank - 1);
            rank
        }
        other => panic!("a view told {other:?}"),
    })
}

#[test]
fn a_view_tells_the_ranks_of_its_lane_and_none_near_the_head() {
    let mut room = Room::of_capacity(3);
    let tickets = room.fill(3_000);
    let mut view = LaneView::new(tickets[0].epoch);
    for round in 0..40 {
        for ticket in tickets.iter().skip(round * 7).step_by(97) {
            room.finish(ticket, EndReason::Left);
        }
        look(&mut view, &room);
        for ticket in &tickets {
            let rank = room.rank(ticket).filter(|rank| *rank > NEAR_THE_HEAD);
            assert_eq!(rank_of(view.place(ticket)), rank, "{ticket:?}");
        }
    }
}

#[test]
fn a_rank_never_rises_whatever_order_snapshots_arrive_in() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(500);
    let mut view = LaneView::new(tickets[0].epoch);
    let mut snapshots = vec![room.lane.snapshot(Some(0), room.now)];
    for ticket in tickets.iter().step_by(3) {
        room.finish(ticket, EndReason::Left);
        snapshots.push(room.lane.snapshot(Some(0), room.now));
    }
    let mut last = u64::MAX;
    for at in 0..snapshots.len() {
        // Each second one is late by ten.
        let told = if at % 2 == 1 { at.saturating_sub(10) } else { at };
        view.follow(snapshots[told].clone());
        assert!(view.is_complete());
        let rank = rank_of(view.place(&tickets[499])).unwrap_or(0);
        assert!(rank <= last, "{rank} after {last}");
        last = rank;
    }
    assert!(last < 400);
}

#[test]
fn strangers_the_admitted_and_the_departed_are_sent_to_the_store() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(200);
    let mut view = LaneView::new(tickets[0].epoch);
    look(&mut view, &room);
    assert!(view.place(&tickets[150]).is_some());
    let late = room.enter(1_000);
    assert!(view.is_behind(&late) && !view.is_behind(&tickets[150]));
    let strange = [
        &late,
        &Ticket { epoch: Epoch(9), ..tickets[150].clone() },
        &Ticket { seq: 0, ..tickets[150].clone() },
        &Ticket { seq: u64::MAX, ..tickets[150].clone() },
        &tickets[0],
        &tickets[5],
    ];
    for ticket in strange {
        assert_eq!(view.place(ticket), None, "{ticket:?}");
    }
    room.finish(&tickets[150], EndReason::Left);
    look(&mut view, &room);
    assert_eq!(view.place(&tickets[150]), None);
    room.configure(|settings| settings.closed = true);
    look(&mut view, &room);
    assert_eq!(view.place(&tickets[199]), None, "everybody's ticket is over");
}

#[test]
fn while_departures_are_told_in_portions_nobody_is_answered_by_half_of_them() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(400);
    for ticket in &tickets[100..200] {
        room.finish(ticket, EndReason::Left);
    }
    let whole = room.lane.snapshot(Some(0), room.now);
    let mut view = LaneView::new(whole.epoch);
    let half =
        crate::queue::LaneSnapshot { departed: whole.departed[..50].to_vec(), cursor: 50, ..whole.clone() };
    view.follow(half);
    assert!(!view.is_complete());
    assert_eq!(view.place(&tickets[399]), None);
    view.follow(crate::queue::LaneSnapshot { departed: whole.departed[50..].to_vec(), ..whole });
    assert_eq!(rank_of(view.place(&tickets[399])), room.rank(&tickets[399]));
}

#[test]
fn another_life_of_the_lane_is_not_followed() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(300);
    let mut view = LaneView::new(tickets[0].epoch);
    look(&mut view, &room);
    let before = view.place(&tickets[250]);
    let told = room.lane.snapshot(Some(0), room.now);
    view.follow(crate::queue::LaneSnapshot { epoch: Epoch(9), head: 300, waiting: 1, ..told });
    assert_eq!(view.place(&tickets[250]), before);
}
