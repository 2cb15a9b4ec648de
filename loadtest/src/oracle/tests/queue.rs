use booking_api::{Code, PlaceStatus};

use super::{BTreeSet, Evidence, found, only, world::*};
use crate::history::{Act, Fact, Heard, PlaceFact, Sample, Seen};

fn place_at(evidence: &mut Evidence, person: u32, ms: u64) -> &mut PlaceFact {
    let Heard::Acknowledged(Fact::Place(place)) = &mut record(evidence, person, ms).heard else {
        panic!("no place")
    };
    place
}

/// All tickets of a person get another number.
fn renumber(evidence: &mut Evidence, person: u32, order: u64) {
    for seen in evidence.history.iter_mut().filter(|seen| seen.person == person) {
        if let Heard::Acknowledged(Fact::Place(place)) = &mut seen.heard {
            place.ticket.order = order;
        }
    }
}

#[test]
fn i12_finds_a_lower_number_for_who_came_later() {
    let found = found(|evidence| renumber(evidence, 0, 3));
    assert!(found.contains("I12"), "{found:?}");
}

#[test]
fn i12_allows_any_order_among_those_who_ask_at_once() {
    let found = found(|evidence| {
        record(evidence, 0, 0).answered = 105_000;
        renumber(evidence, 0, 3);
    });
    assert!(!found.contains("I12"), "{found:?}");
}

#[test]
fn i12_counts_from_the_first_try_of_who_had_to_repeat() {
    let found = found(|evidence| {
        // Person 1 asked first, and the answer was lost.
        evidence.history.insert(0, Seen { sent: 0, ..seen(1, 0, Act::Enter, Heard::Unknown("lost")) });
        let other = record(evidence, 0, 0);
        (other.sent, other.answered) = (50_000, 60_000);
        renumber(evidence, 0, 3);
    });
    assert!(!found.contains("I12"), "{found:?}");
}

#[test]
fn i13_finds_a_number_given_twice() {
    let found = found(|evidence| {
        renumber(evidence, 1, 1);
        record(evidence, 1, 100).heard = place(1, 1, PlaceStatus::Waiting, Some(1));
    });
    assert!(found.contains("I13"), "{found:?}");
}

#[test]
fn i13_finds_an_admission_past_somebody_who_waits() {
    let overtaken = found(|evidence| {
        evidence.history.push(seen(2, 3_000, Act::Enter, place(2, 3, PlaceStatus::Admitted, None)));
        evidence.history.push(seen(1, 3_500, Act::Status, place(1, 2, PlaceStatus::Waiting, Some(1))));
    });
    assert_eq!(overtaken, only("I13"));
    let refused = found(|evidence| {
        let dates = seen(1, 3_500, Act::Dates, Heard::Refused(Code::NotYourTurn));
        evidence.history.push(seen(2, 3_000, Act::Enter, place(2, 3, PlaceStatus::Admitted, None)));
        evidence.history.push(dates);
    });
    assert_eq!(refused, only("I13"));
}

#[test]
fn i13_allows_for_a_snapshot_that_is_a_moment_old() {
    let found = found(|evidence| {
        evidence.history.push(seen(2, 3_000, Act::Enter, place(2, 3, PlaceStatus::Admitted, None)));
        evidence.history.push(seen(1, 3_200, Act::Status, place(1, 2, PlaceStatus::Waiting, Some(1))));
    });
    assert_eq!(found, BTreeSet::new());
}

#[test]
fn i13_finds_a_rank_that_rises_or_makes_no_sense() {
    let risen = found(|evidence| {
        evidence.history.push(seen(1, 3_500, Act::Status, place(1, 2, PlaceStatus::Waiting, Some(2))));
    });
    assert_eq!(risen, only("I13"));
    assert_eq!(found(|evidence| place_at(evidence, 1, 1_500).rank = Some((2, 0))), only("I13"));
    assert_eq!(found(|evidence| place_at(evidence, 1, 100).rank = Some((3, 2))), only("I13"));
}

#[test]
fn i13_finds_a_rank_before_the_doors_open_that_miscounts_who_left() {
    // Person 1 has number 2; number 1 leaves at this time, if at all.
    let found_with = |left_at: Option<u64>, rank: u64| {
        let found = found(|evidence| {
            evidence.terms.opened = Some(1_800_000);
            evidence.history.retain(|seen| seen.person != 0 || seen.act == Act::Enter);
            let left = left_at.map(|ms| seen(0, ms, Act::Leave, Heard::Acknowledged(Fact::Plain)));
            evidence.history.extend(left);
            place_at(evidence, 1, 1_500).rank = Some((rank, rank - 1));
        });
        found.contains("I13")
    };
    assert!(!found_with(None, 2));
    assert!(found_with(None, 1), "nobody has left");
    assert!(!found_with(Some(300), 1));
    assert!(found_with(Some(300), 2), "number 1 left long ago");
    for rank in [1, 2] {
        assert!(!found_with(Some(1_400), rank), "it may be known already, or not yet");
    }
}

#[test]
fn i13_finds_two_lives_of_a_lane_at_once() {
    let found = found(|evidence| place_at(evidence, 1, 1_500).ticket.epoch = EPOCH + 1);
    assert!(found.contains("I13"), "{found:?}");
}

#[test]
fn i14_finds_more_admitted_than_there_is_room_for() {
    let heard = found(|evidence| {
        evidence.history.push(seen(2, 1_100, Act::Enter, place(2, 3, PlaceStatus::Admitted, None)));
        evidence.history.push(seen(2, 2_100, Act::Status, place(2, 3, PlaceStatus::Admitted, None)));
        evidence.history.push(seen(0, 2_150, Act::Status, place(0, 1, PlaceStatus::Admitted, None)));
    });
    assert!(heard.contains("I14"), "{heard:?}");
    assert_eq!(found(|evidence| evidence.samples[0].admitted = 2), only("I14"));
}

#[test]
fn i15_finds_a_second_number_of_one_person() {
    let found = found(|evidence| {
        evidence.history.push(seen(1, 1_000, Act::Enter, place(1, 5, PlaceStatus::Waiting, Some(4))));
    });
    assert!(found.contains("I15"), "{found:?}");
}

#[test]
fn i15_allows_a_new_number_when_the_old_one_is_over() {
    let found = found(|evidence| {
        evidence.history.push(seen(1, 5_000, Act::Leave, Heard::Acknowledged(Fact::Plain)));
        evidence.history.push(seen(1, 5_100, Act::Enter, place(1, 5, PlaceStatus::Waiting, Some(1))));
    });
    assert_eq!(found, BTreeSet::new());
}

#[test]
fn i16_finds_a_ticket_that_goes_back() {
    for status in [PlaceStatus::Waiting, PlaceStatus::Admitted] {
        let rank = (status == PlaceStatus::Waiting).then_some(1);
        let found =
            found(|evidence| evidence.history.push(seen(0, 3_900, Act::Status, place(0, 1, status, rank))));
        assert!(found.contains("I16"), "{status:?}: {found:?}");
    }
}

#[test]
fn i18_finds_a_free_slot_that_nobody_gets() {
    let idle = |sent: u64| Sample { sent, answered: sent, waiting: 5, admitted: 0, entered: 9, open: true };
    let stuck = |evidence: &mut Evidence| evidence.samples = vec![idle(0), idle(1_000_000), idle(1_600_000)];
    assert_eq!(found(stuck), only("I18"));
    // A lane that is closed, and one whose head moves, are at work.
    let closed = |evidence: &mut Evidence| {
        stuck(evidence);
        evidence.samples[1].open = false;
    };
    assert_eq!(found(closed), BTreeSet::new());
    let moving = |evidence: &mut Evidence| {
        stuck(evidence);
        evidence.samples[1].waiting = 4;
        evidence.samples[2].waiting = 3;
    };
    assert_eq!(found(moving), BTreeSet::new());
}
