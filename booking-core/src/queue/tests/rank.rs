//! Rank, wait and poll: Q2, Q4, against counting by hand.

use super::*;
use crate::queue::poll_after;

/// The rank each number must have: how many up to it are still waiting.
fn count_by_hand(tickets: &[Ticket], gone: &[u64]) -> Vec<Option<u64>> {
    let mut waiting = 0;
    let rank = |ticket: &Ticket| {
        let waits = gone.binary_search(&ticket.seq).is_err();
        waiting += u64::from(waits);
        waits.then_some(waiting)
    };
    tickets.iter().map(rank).collect()
}

#[test]
fn ranks_are_exact_after_departures_around_every_block_border() {
    let mut room = Room::of_capacity(0);
    let tickets = room.fill(66_200);
    let around = |border: u64| border.saturating_sub(2).max(1)..=border + 2;
    let borders = [64, 128, 512, 576, 1_024, 65_472, 65_536, 65_600, 66_048];
    let mut gone: Vec<u64> = borders.into_iter().flat_map(around).collect();
    gone.extend((1..66_200).step_by(97));
    gone.extend(30_000..31_000);
    gone.sort_unstable();
    gone.dedup();
    for seq in &gone {
        room.finish(&tickets[usize::try_from(seq - 1).unwrap()], EndReason::Left);
    }
    let ranks: Vec<_> = tickets.iter().map(|ticket| room.rank(ticket)).collect();
    assert!(ranks == count_by_hand(&tickets, &gone), "a rank differs from the count by hand");
    assert_eq!(room.lane.waiting(), 66_200 - gone.len() as u64);
}

#[test]
fn ranks_stay_exact_while_the_head_moves_over_departures() {
    let mut room = Room::of_capacity(0);
    let tickets = room.fill(1_100);
    let mut gone: Vec<u64> = (1..1_100).filter(|seq| seq % 3 == 0 || (60..70).contains(seq)).collect();
    for seq in &gone {
        room.finish(&tickets[usize::try_from(seq - 1).unwrap()], EndReason::Left);
    }
    let mut capacity = 0;
    while room.lane.waiting() > 0 {
        capacity += 50;
        let events = room.configure(|settings| settings.policy.capacity = capacity);
        gone.extend(admitted(&events));
        gone.sort_unstable();
        let ranks: Vec<_> = tickets.iter().map(|ticket| room.rank(ticket)).collect();
        assert_eq!(ranks, count_by_hand(&tickets, &gone), "at capacity {capacity}");
    }
}

#[test]
fn a_rank_falls_when_someone_ahead_leaves_and_not_when_someone_behind_does() {
    let mut room = Room::of_capacity(0);
    let tickets = room.fill(5);
    room.finish(&tickets[4], EndReason::Left);
    assert_eq!(room.rank(&tickets[2]), Some(3));
    room.finish(&tickets[0], EndReason::Left);
    assert_eq!(room.rank(&tickets[2]), Some(2));
}

#[test]
fn the_estimate_grows_with_the_rank_and_is_absent_until_something_was_measured() {
    let mut room = Room::of_capacity(0);
    let tickets = room.fill(40);
    let estimate = |room: &Room, ticket: &Ticket| match room.place(ticket) {
        Ok(Place::Waiting { estimated_wait, .. }) => estimated_wait,
        other => panic!("{other:?}"),
    };
    assert_eq!(estimate(&room, &tickets[39]), None);
    for capacity in 1..=20 {
        room.pass(Duration::from_secs(1));
        room.configure(|settings| settings.policy.capacity = capacity);
    }
    let waits = [20, 29, 39].map(|n| estimate(&room, &tickets[n]).unwrap().as_millis());
    assert!((900..=1_100).contains(&waits[0]), "{waits:?}");
    assert_eq!((waits[1] / waits[0], waits[2] / waits[0]), (10, 20));
}

#[test]
fn the_next_poll_is_never_later_than_a_third_of_the_claim_window() {
    let spans = [Duration::from_millis(1), Duration::from_secs(1), CLAIM_TTL, crate::LONGEST_SPAN];
    let estimates = [None, Some(Duration::ZERO), Some(Duration::from_secs(90)), Some(Duration::MAX)];
    for claim_ttl in spans {
        for (estimate, rank) in
            estimates.iter().flat_map(|of| [1, 10, 10_000, u64::MAX].map(|rank| (of, rank)))
        {
            for seed in 0..200 {
                let after = poll_after(rank, *estimate, claim_ttl, seed);
                let soonest = Duration::from_secs(1).min(claim_ttl / 3) * 3 / 4;
                assert!(after <= claim_ttl / 3, "{after:?} of {claim_ttl:?}");
                assert!(after >= soonest, "{after:?} of {claim_ttl:?}");
            }
        }
    }
}

#[test]
fn polls_grow_with_distance_and_are_spread() {
    let mean = |rank| (0..100).map(|seed| poll_after(rank, None, CLAIM_TTL, seed)).sum::<Duration>() / 100;
    assert!(mean(1) < mean(10_000) && mean(10_000) < mean(100_000));
    let distinct: std::collections::BTreeSet<_> =
        (0..100).map(|seed| poll_after(100_000, None, CLAIM_TTL, seed)).collect();
    assert!(distinct.len() > 50, "{} distinct", distinct.len());
}
