//! What an operator decides for a lane: Q8, Q9.

use super::*;

#[test]
fn a_paused_lane_takes_numbers_and_admits_nobody() {
    let mut room = Room::of_capacity(2);
    let first = room.enter(1);
    room.configure(|settings| settings.paused = true);
    let second = room.enter(2);
    assert!(room.is_admitted(&first), "who is in stays in");
    assert_eq!(room.rank(&second), Some(1));
    assert_eq!(admitted(&room.configure(|settings| settings.paused = false)), [2]);
}

#[test]
fn closing_ends_every_ticket() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(3);
    room.claim(&tickets[0]).unwrap();
    let events = room.configure(|settings| settings.closed = true);
    assert_eq!(events.last(), Some(&Event::Drained(EndReason::Closed)));
    for ticket in &tickets {
        assert_eq!(room.end(ticket), Some(EndReason::Closed));
    }
    assert_eq!((room.lane.admitted(), room.lane.waiting()), (0, 0));
}

#[test]
fn selling_out_ends_every_ticket() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(3);
    room.configure(|settings| settings.sold_out = true);
    for ticket in &tickets {
        assert_eq!(room.end(ticket), Some(EndReason::SoldOut));
    }
    assert_eq!(room.lane.snapshot(None, room.now).users, 0);
}

#[test]
fn what_ended_before_the_lane_closed_keeps_its_reason() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(3);
    room.finish(&tickets[0], EndReason::Completed);
    room.finish(&tickets[2], EndReason::Left);
    room.configure(|settings| settings.closed = true);
    let reasons = [EndReason::Completed, EndReason::Closed, EndReason::Left];
    assert_eq!(tickets.iter().map(|ticket| room.end(ticket)).collect::<Vec<_>>(), reasons.map(Some));
}

#[test]
fn an_admission_that_ran_out_before_the_lane_closed_keeps_its_reason() {
    let mut room = Room::of_capacity(1);
    let mine = room.enter(1);
    room.pass(CLAIM_TTL);
    room.configure(|settings| settings.closed = true);
    assert_eq!(room.end(&mine), Some(EndReason::NoShow));
}

#[test]
fn a_reopened_lane_goes_on_with_its_numbers_and_ended_tickets_stay_ended() {
    for reason in [EndReason::Closed, EndReason::SoldOut] {
        let mut room = Room::of_capacity(1);
        let old = room.fill(3);
        let mark = |settings: &mut LaneSettings, on| match reason {
            EndReason::Closed => settings.closed = on,
            _ => settings.sold_out = on,
        };
        room.configure(|settings| mark(settings, true));
        room.configure(|settings| mark(settings, false));
        let new = room.fill(2);
        assert_eq!(new.iter().map(|ticket| ticket.seq).collect::<Vec<_>>(), [4, 5]);
        assert!(room.is_admitted(&new[0]));
        assert_eq!(room.rank(&new[1]), Some(1));
        assert!(old.iter().all(|ticket| room.end(ticket) == Some(reason)));
    }
}

#[test]
fn stale_settings_are_ignored() {
    let mut room = Room::of_capacity(1);
    room.configure(|settings| settings.policy.capacity = 2);
    let current = room.lane.settings().clone();
    for revision in [0, current.revision - 1, current.revision] {
        let stale = LaneSettings { closed: true, revision, ..LaneSettings::default() };
        assert_eq!(room.lane.execute(&Command::Configure(stale), room.now), Ok(vec![]));
    }
    assert_eq!(room.lane.settings(), &current);
}

#[test]
fn a_revision_may_be_skipped() {
    let mut room = Room::of_capacity(1);
    room.configure(|settings| {
        settings.revision += 7;
        settings.policy.capacity = 9;
    });
    assert_eq!(room.lane.settings().policy.capacity, 9);
}

#[test]
fn a_snapshot_tells_the_departures_since_its_cursor() {
    let mut room = Room::of_capacity(1);
    let tickets = room.fill(5);
    room.finish(&tickets[3], EndReason::Left);
    room.finish(&tickets[1], EndReason::Left);
    let first = room.lane.snapshot(None, room.now);
    assert_eq!((first.departed, first.cursor), (vec![], 2));
    let all = room.lane.snapshot(Some(0), room.now);
    assert_eq!(
        (all.departed, all.head, all.next, all.waiting, all.admitted, all.users),
        (vec![4, 2], 3, 6, 2, 1, 3)
    );
    room.finish(&tickets[4], EndReason::Left);
    let later = room.lane.snapshot(Some(first.cursor), room.now);
    assert_eq!((later.departed, later.cursor), (vec![5], 3));
    assert_eq!(room.lane.snapshot(Some(u64::MAX), room.now).departed, []);
}
