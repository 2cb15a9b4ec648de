//! Importing concerts, once and again: S1, S2, S4.

use crate::{
    catalog::{Command, ConcertDraft, MOST_SEATS, Performance},
    fixture::*,
    hold::SeatStatus,
    refusal::Refusal,
};

fn stored(world: &World) -> &Performance {
    &world.state.performances[&performance(1)]
}

fn import(world: &mut World, draft: ConcertDraft) -> Result<(), Refusal> {
    world.run(&Command::PutConcerts(vec![draft]).into()).map(|_| ())
}

fn changed(change: impl FnOnce(&mut crate::catalog::PerformanceDraft)) -> ConcertDraft {
    let mut draft = draft();
    change(&mut draft.performances[0]);
    draft
}

fn refused_as_invalid(draft: ConcertDraft) -> String {
    match import(&mut World::new(), draft) {
        Err(Refusal::InvalidConcert(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_concert_counts_what_it_adds() {
    let mut world = World::new();
    let performances = (5..8).map(performance_draft).collect();
    let new = ConcertDraft { id: concert(2), performances, ..draft() };
    assert_eq!(world.put(new), (4, 0));
}

#[test]
fn the_same_import_again_is_a_replay_without_events() {
    let mut world = World::new();
    world.pass(HOLD_TTL);
    let before = world.state.clone();
    let again = world.run(&Command::PutConcerts(vec![draft()]).into()).unwrap();
    assert!(again.replayed);
    assert_eq!(world.state, before);
}

#[test]
fn an_import_changes_just_what_differs() {
    let mut world = World::new();
    assert_eq!(world.put(ConcertDraft { title: "Another title".into(), ..draft() }), (0, 1));
    assert_eq!(world.put(ConcertDraft { performances: vec![], ..draft() }), (0, 1));
    let mut more = changed(|one| one.venue = "Another hall".into());
    more.performances.push(performance_draft(2));
    assert_eq!(world.put(more), (1, 1));
    let concert = &world.state.concerts[&concert(1)];
    assert_eq!((concert.title.as_str(), concert.created_at), ("A concert", START));
}

#[test]
fn dates_that_an_import_leaves_out_stay() {
    let mut world = World::new();
    world.put(ConcertDraft { performances: vec![performance_draft(2)], ..draft() });
    assert!(world.hold(1, &ticket(1, 1), &[1]).is_ok());
}

#[test]
fn a_changed_price_affects_new_holds_only() {
    let mut world = World::new();
    world.charge(1, 1, PRICE).unwrap();
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    assert_eq!(world.put(changed(|one| one.price = money(2 * PRICE))), (0, 1));
    assert_eq!(world.hold(2, &ticket(2, 2), &[2]).unwrap().value.amount, money(2 * PRICE));
    assert_eq!(world.pay(1, &ticket(1, 1)).unwrap().value.payment.amount, money(PRICE));
}

#[test]
fn seats_grow_and_never_shrink() {
    let mut world = World::new();
    assert_eq!(world.put(changed(|one| one.seats = 10)), (0, 0));
    assert_eq!(stored(&world).seats, 50);
    assert_eq!(world.put(changed(|one| one.seats = 60)), (0, 1));
    assert!(world.hold(1, &ticket(1, 1), &[60]).is_ok());
}

#[test]
fn the_start_of_a_performance_to_come_is_kept_with_its_zone() {
    let mut world = World::new();
    world.pass(just_before(LEAD));
    let moved = changed(|one| {
        one.starts_at = in_seoul(START.after(LEAD * 2));
        one.zone = None;
    });
    assert_eq!(world.put(moved), (0, 0));
    assert_eq!(stored(&world).begins(), START.after(LEAD));
}

#[test]
fn a_performance_that_has_begun_may_move_and_is_bookable_again() {
    let mut world = World::new();
    world.pass(LEAD);
    let moved = changed(|one| {
        one.starts_at = in_seoul(START.after(LEAD * 2));
        one.zone = None;
    });
    assert_eq!(world.put(moved), (0, 1));
    assert_eq!((stored(&world).begins(), &stored(&world).zone), (START.after(LEAD * 2), &None));
    assert!(world.hold(1, &ticket(1, 1), &[1]).is_ok());
    let dates = &world.state.by_concert[&concert(1)];
    assert_eq!(dates.iter().copied().collect::<Vec<_>>(), [(START.after(LEAD * 2), performance(1))]);
}

#[test]
fn a_start_is_kept_in_whole_microseconds_and_the_same_import_again_changes_nothing() {
    let cases = [
        ("2031-05-04T19:30:00.123456789+09:00", "2031-05-04T19:30:00.123456+09:00"),
        ("1969-12-31T23:59:59.999999999+00:00", "1969-12-31T23:59:59.999999+00:00"),
    ];
    for (put, kept) in cases {
        let mut world = World::new();
        let mut precise = performance_draft(2);
        precise.starts_at = put.parse().unwrap();
        let draft = ConcertDraft { performances: vec![precise], ..draft() };
        assert_eq!(world.put(draft.clone()), (1, 0));
        assert_eq!(world.state.performances[&performance(2)].starts_at.to_rfc3339(), kept);
        assert_eq!(world.put(draft), (0, 0));
    }
}

#[test]
fn taking_off_sale_keeps_the_holds_there_are() {
    let mut world = World::new();
    world.charge(1, 1, PRICE).unwrap();
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    world.put(changed(|one| one.on_sale = false));
    assert_eq!(world.seat(1), SeatStatus::Held);
    assert!(world.pay(1, &ticket(1, 1)).is_ok());
}

#[test]
fn a_performance_of_another_concert_refuses_the_whole_draft() {
    let performances = vec![performance_draft(2), performance_draft(1)];
    let reason = refused_as_invalid(ConcertDraft { id: concert(2), performances, ..draft() });
    assert_eq!(reason, format!("performance {} belongs to another concert", performance(1)));
}

#[test]
fn a_performance_named_twice_is_refused() {
    let performances = vec![performance_draft(2), performance_draft(2)];
    let reason = refused_as_invalid(ConcertDraft { performances, ..draft() });
    assert_eq!(reason, format!("performance {} is named twice", performance(2)));
}

#[test]
fn a_performance_has_1_to_20_000_seats() {
    for seats in [0, MOST_SEATS + 1, u32::MAX] {
        let reason = refused_as_invalid(changed(|one| one.seats = seats));
        assert!(reason.ends_with(&format!("seats must be 1 to 20000, not {seats}")), "{reason}");
    }
    for seats in [1, MOST_SEATS] {
        assert_eq!(import(&mut World::new(), changed(|one| one.seats = seats)), Ok(()));
    }
}

#[test]
fn a_concert_needs_a_title_and_a_lane_there_is() {
    refused_as_invalid(ConcertDraft { title: " \t".into(), ..draft() });
    let elsewhere = ConcertDraft { lane: lane("nowhere"), ..draft() };
    assert_eq!(import(&mut World::new(), elsewhere), Err(Refusal::UnknownLane));
}

#[test]
fn a_text_with_control_characters_is_refused_by_name() {
    let bad = || "Hall\u{0}".to_owned();
    let cases = [
        ("title", ConcertDraft { title: bad(), ..draft() }),
        ("venue", changed(|one| one.venue = bad())),
        ("zone", changed(|one| one.zone = Some("Asia/\u{1b}[31mSeoul".into()))),
    ];
    for (field, draft) in cases {
        let reason = refused_as_invalid(draft);
        assert!(
            reason.starts_with(field) && reason.ends_with("control characters are not allowed"),
            "{reason}"
        );
    }
}

#[test]
fn a_performance_has_the_date_of_its_place() {
    let mut world = World::new();
    let late = "2031-05-04T00:30:00+09:00".parse().unwrap();
    let performances = vec![crate::catalog::PerformanceDraft { starts_at: late, ..performance_draft(2) }];
    world.put(ConcertDraft { performances, ..draft() });
    let stored = &world.state.performances[&performance(2)];
    assert_eq!(stored.local_date().to_string(), "2031-05-04");
    assert_eq!(stored.begins().to_string(), "2031-05-03T15:30:00Z");
}
