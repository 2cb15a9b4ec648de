//! Many threads on one lane, over two instances (I12 to I15, X1).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{
    Factory,
    stage::{CLAIM, Stage, capacity},
};
use crate::{
    conformance::tools::{RACERS, Random, at_once, while_repeating},
    id::UserId,
    policy::LanePolicy,
    queue::Place,
    ticket::{EndReason, Ticket},
};

const EACH: usize = 40;

pub(super) fn numbers_are_unique_and_ascending_under_eight_threads(make: &Factory) {
    let stage = Stage::new(make, capacity(10));
    let stages = [&stage, &stage.elsewhere()];
    let tickets = at_once(RACERS, |number| stages[number % 2].line(EACH));
    for line in &tickets {
        assert!(line.windows(2).all(|pair| pair[0].seq < pair[1].seq), "ascending for each: {line:?}");
    }
    let mut numbers: Vec<u64> = tickets.iter().flatten().map(|ticket| ticket.seq).collect();
    numbers.sort_unstable();
    let many = (RACERS * EACH) as u64;
    assert_eq!(numbers, (1..=many).collect::<Vec<_>>(), "each number once, and none left out");
    assert!(tickets.iter().flatten().all(|ticket| ticket.epoch == tickets[0][0].epoch));
    let told = stage.snapshot(None);
    assert_eq!((told.next, told.users, told.admitted, told.waiting), (many + 1, many, 10, many - 10));
}

pub(super) fn who_was_answered_before_another_asked_has_the_lower_number(make: &Factory) {
    let stage = Stage::new(make, capacity(0));
    let stages = [&stage, &stage.elsewhere()];
    let answered = AtomicU64::new(0);
    at_once(RACERS, |number| {
        for _ in 0..EACH {
            let before = answered.load(Ordering::SeqCst);
            let ticket = stages[number % 2].entered();
            assert!(ticket.seq > before, "{} was answered, then {} was given", before, ticket.seq);
            answered.fetch_max(ticket.seq, Ordering::SeqCst);
        }
    });
}

pub(super) fn one_user_in_eight_threads_has_one_place(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let stages = [&stage, &stage.elsewhere()];
    for round in 1..=20 {
        let user = UserId::random();
        let answers =
            at_once(RACERS, |number| stages[number % 2].enter(user).expect("the lane takes people"));
        assert_eq!(answers.iter().filter(|entered| !entered.replayed).count(), 1, "{answers:#?}");
        assert!(answers.iter().all(|entered| entered.ticket == answers[0].ticket), "{answers:#?}");
        let told = stage.snapshot(None);
        assert_eq!((told.users, told.next), (round, round + 1));
    }
}

pub(super) fn the_lowest_numbers_are_admitted_whoever_races(make: &Factory) {
    let stage = Stage::new(make, capacity(0));
    let stages = [&stage, &stage.elsewhere()];
    let tickets: Vec<Ticket> = at_once(RACERS, |number| stages[number % 2].line(10)).concat();
    let gone: Vec<&Ticket> = tickets.iter().filter(|ticket| ticket.seq % 5 == 2).collect();
    at_once(RACERS, |number| {
        for ticket in gone.iter().skip(number).step_by(RACERS) {
            stages[number % 2].finish(ticket, EndReason::Left);
        }
    });
    stage.configure(|settings| settings.policy.capacity = 20);
    let admitted = at_once(RACERS, |number| stages[number % 2].advance().admitted);
    assert!(admitted.iter().sum::<u64>() <= 20, "{admitted:?}");
    let mut inside: Vec<u64> =
        tickets.iter().filter(|ticket| stage.is_admitted(ticket)).map(|ticket| ticket.seq).collect();
    inside.sort_unstable();
    let expected: Vec<u64> = (1..=80).filter(|seq| seq % 5 != 2).take(20).collect();
    assert_eq!(inside, expected);
}

pub(super) fn the_capacity_is_never_exceeded(make: &Factory) {
    const CAPACITY: u32 = 5;
    let claim_ttl = Duration::from_millis(40);
    let stage = Stage::new(make, LanePolicy { claim_ttl, session_ttl: claim_ttl * 4, ..capacity(CAPACITY) });
    let stages = [&stage, &stage.elsewhere()];
    let people = |number: usize| {
        let (stage, mut random) = (stages[number % 2], Random::of_case(number as u64));
        let mut tickets = Vec::new();
        for _ in 0..60 {
            tickets.push(stage.entered());
            let ticket = random.pick(&tickets);
            match random.below(6) {
                0 => stage.finish(ticket, EndReason::Left),
                1 => stage.finish(ticket, EndReason::Completed),
                2 => drop(stage.advance()),
                _ => drop(stage.claim(ticket)),
            }
        }
        tickets
    };
    let look = || {
        let told = stage.snapshot(None);
        assert!(told.admitted <= u64::from(CAPACITY), "{} are inside", told.admitted);
        assert_eq!(told.users, told.waiting + told.admitted, "one live number a user: {told:?}");
    };
    let tickets = while_repeating(
        || stage.move_clock(Duration::from_micros(100)),
        || while_repeating(look, || at_once(RACERS, people)),
    );
    stage.advance();
    let standing = |ticket: &Ticket| (ticket.seq, stage.standing(ticket));
    let mut places: Vec<(u64, Place)> = tickets.iter().flatten().map(standing).collect();
    places.sort_unstable_by_key(|(seq, _)| *seq);
    let inside = places.iter().filter(|(_, place)| matches!(place, Place::Admitted { .. })).count();
    assert!(inside <= 5, "{inside} are inside");
    let head = places.iter().find(|(_, place)| matches!(place, Place::Waiting { .. }));
    let head = head.map_or(u64::MAX, |(seq, _)| *seq);
    for (seq, place) in &places {
        let was_inside = match place {
            Place::Admitted { .. } | Place::Done(EndReason::NoShow | EndReason::SessionExpired) => true,
            Place::Waiting { .. } | Place::Done(_) => false,
        };
        assert!(!was_inside || *seq < head, "{seq} was admitted before {head}, which still waits");
    }
}

pub(super) fn one_claim_starts_the_session_for_eight(make: &Factory) {
    let stage = Stage::new(make, capacity(100));
    let stages = [&stage, &stage.elsewhere()];
    let tickets = stage.line(30);
    while_repeating(
        || stage.move_clock(Duration::from_micros(1)),
        || {
            for ticket in &tickets {
                let ends = at_once(RACERS, |number| stages[number % 2].claim(ticket));
                assert!(ends[0].is_ok() && ends.iter().all(|end| *end == ends[0]), "{ends:?}");
            }
        },
    );
    let claimed = |ticket: &Ticket| matches!(stage.standing(ticket), Place::Admitted { claimed: true, .. });
    assert!(tickets.iter().all(claimed));
}

pub(super) fn eight_finishes_free_one_slot(make: &Factory) {
    let stage = Stage::new(make, capacity(2));
    let stages = [&stage, &stage.elsewhere()];
    let reasons = [EndReason::Completed, EndReason::Left];
    let tickets = stage.line(20);
    for (done, ticket) in tickets[..15].iter().enumerate() {
        at_once(RACERS, |number| stages[number % 2].finish(ticket, reasons[number / 2 % 2]));
        let inside: Vec<usize> = (0..20).filter(|at| stage.is_admitted(&tickets[*at])).collect();
        assert_eq!(inside, [done + 1, done + 2], "one left, one came");
        let Place::Done(reason) = stage.standing(ticket) else { panic!("{ticket:?} is over") };
        assert!(reasons.contains(&reason));
    }
}

pub(super) fn two_instances_are_one_lane(make: &Factory) {
    let stage = Stage::new(make, capacity(1));
    let there = stage.elsewhere();
    let (first, second, third) = (stage.entered(), there.entered(), stage.entered());
    assert_eq!([first.seq, second.seq, third.seq], [1, 2, 3]);
    assert_eq!((there.rank(&third), stage.rank(&second)), (Some(2), Some(1)));
    assert_eq!(there.glance(), stage.glance());
    assert_eq!(there.claim(&first), stage.claim(&first));
    there.finish(&first, EndReason::Completed);
    assert!(stage.is_admitted(&second));
    there.move_clock(CLAIM);
    assert_eq!(stage.standing(&second), Place::Done(EndReason::NoShow), "time is the same everywhere");
    assert_eq!((there.advance().admitted, stage.advance().admitted), (1, 0));
    there.configure(|settings| settings.closed = true);
    assert_eq!(stage.standing(&third), Place::Done(EndReason::Closed));
}
