//! Concerts, performances and lanes as operators put them, and as they are listed (S1 to S5).

use std::time::Duration;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::{
    Factory,
    stage::{ALL, SEATS, Stage, concert, generous, lane, mark_sold_out, money, performance, set_lane},
};
use crate::{
    catalog::{Changes, Command, ConcertDraft, LaneChange, LaneSettings, MOST_SEATS, PerformanceDraft},
    id::{ConcertId, PerformanceId},
    outcome::Effect,
    policy::{BookingPolicy, LanePolicy},
    refusal::Refusal,
    store::{Listing, PageRequest, PerformanceFilter},
    ticket::LaneName,
};

fn new_performance(stage: &Stage) -> PerformanceDraft {
    performance(PerformanceId::random(), stage.begins(), SEATS)
}

fn listing(stage: &Stage, id: PerformanceId) -> Listing {
    stage.read(stage.store.performance(id)).expect("the performance exists")
}

fn found(
    stage: &Stage,
    lane: &LaneName,
    concert: Option<ConcertId>,
    date: Option<NaiveDate>,
) -> Vec<PerformanceId> {
    let filter = PerformanceFilter { lane: lane.clone(), concert, date };
    let page = stage.read(stage.store.performances(&filter, PageRequest::first(ALL)));
    page.items.into_iter().map(|listing| listing.performance.id).collect()
}

pub(super) fn a_draft_adds_then_updates_then_changes_nothing(make: &Factory) {
    let stage = Stage::new(make);
    let (old, new) = (new_performance(&stage), new_performance(&stage));
    let draft = concert(ConcertId::random(), &LaneName::main(), vec![old.clone()]);
    let put = |draft: &ConcertDraft| stage.done(Command::PutConcerts(vec![draft.clone()]));
    let counted = |added, changed| {
        Effect::Catalog(Changes { added, changed, unchanged: u64::from(added + changed == 0) })
    };
    assert_eq!(put(&draft).effect, counted(2, 0));
    let added_at = stage.now();
    stage.advance(Duration::from_secs(1));
    let again = put(&draft);
    assert_eq!((again.replayed, again.effect), (true, counted(0, 0)));
    let changed = PerformanceDraft {
        venue: "Another hall".into(),
        zone: Some("Asia/Seoul".into()),
        starts_at: old.starts_at + chrono::Duration::hours(5),
        price: money(7),
        seats: 10,
        on_sale: false,
        ..old.clone()
    };
    let draft = ConcertDraft { title: "New".into(), performances: vec![changed, new], ..draft };
    assert_eq!(put(&draft).effect, counted(1, 2));
    let read = stage.read(stage.store.concert(draft.id)).expect("it exists");
    assert_eq!((read.title.as_str(), read.created_at), ("New", added_at));
    let read = listing(&stage, old.id).performance;
    assert_eq!((read.venue.as_str(), read.price, read.on_sale), ("Another hall", money(7), false));
    assert_eq!(read.seats, SEATS, "seats never shrink");
    assert_eq!((read.starts_at, read.zone), (old.starts_at, None), "people have booked this date");
    assert_eq!(read.created_at, added_at);
    let absent = ConcertDraft { performances: Vec::new(), ..draft };
    assert!(put(&absent).replayed, "dates that are absent stay as they are");
    assert!(stage.read(stage.store.performance(old.id)).is_some());
}

pub(super) fn a_draft_with_a_fault_changes_nothing(make: &Factory) {
    let stage = Stage::new(make);
    let (good, events) = (new_performance(&stage), stage.events());
    let with = |performances| concert(ConcertId::random(), &LaneName::main(), performances);
    let seats = |seats| PerformanceDraft { seats, ..new_performance(&stage) };
    let faulty = [
        with(vec![good.clone(), seats(0)]),
        with(vec![good.clone(), seats(MOST_SEATS + 1)]),
        with(vec![good.clone(), good.clone()]),
        with(vec![good.clone(), PerformanceDraft { id: stage.show, ..good.clone() }]),
        ConcertDraft { title: "  ".into(), ..with(vec![good.clone()]) },
    ];
    for draft in faulty {
        let id = draft.id;
        let answer = stage.ask(Command::PutConcerts(vec![draft]));
        assert!(matches!(answer, Err(Refusal::InvalidConcert(_))), "{answer:?}");
        assert_eq!(stage.read(stage.store.concert(id)), None, "all of it or nothing");
    }
    let nowhere = concert(ConcertId::random(), &lane("nowhere"), vec![good.clone()]);
    assert_eq!(stage.ask(Command::PutConcerts(vec![nowhere])), Err(Refusal::UnknownLane));
    assert_eq!(stage.read(stage.store.performance(good.id)), None);
    assert_eq!(stage.events(), events);
}

pub(super) fn performances_are_filtered_by_lane_concert_and_date(make: &Factory) {
    let stage = Stage::new(make);
    let (main, side) = (LaneName::main(), lane("side"));
    stage.done(set_lane(&side, LaneChange::default()));
    let day = |days: u32| {
        let begins = stage.begins().after(Duration::from_hours(24) * days);
        performance(PerformanceId::random(), begins, SEATS)
    };
    let (near, far, aside) = (day(1), day(2), day(1));
    let of = ConcertId::random();
    let hot = ConcertId::random();
    stage.put(concert(of, &main, vec![far.clone(), near.clone()]));
    stage.put(concert(hot, &side, vec![aside.clone()]));
    let date = Some(near.starts_at.date_naive());
    assert_eq!(found(&stage, &main, None, None), [stage.show, near.id, far.id]);
    assert_eq!(found(&stage, &main, Some(of), None), [near.id, far.id]);
    assert_eq!(found(&stage, &main, None, date), [near.id]);
    assert_eq!(found(&stage, &main, Some(of), date), [near.id]);
    assert_eq!(found(&stage, &main, Some(stage.concert), date), []);
    assert_eq!(found(&stage, &side, None, None), [aside.id]);
    assert_eq!(found(&stage, &side, Some(of), None), [], "that concert is reached by another lane");
    assert_eq!(found(&stage, &main, Some(hot), None), []);
    assert_eq!(found(&stage, &lane("nowhere"), None, None), []);
    assert_eq!(listing(&stage, aside.id).lane, side);
    let moved = concert(hot, &main, Vec::new());
    stage.put(moved);
    assert_eq!(found(&stage, &main, Some(hot), None), [aside.id], "the concert changed its lane");
}

pub(super) fn a_performance_keeps_its_offset_zone_and_local_date(make: &Factory) {
    let stage = Stage::new(make);
    let offset = FixedOffset::east_opt(9 * 60 * 60).expect("nine hours east");
    let utc = DateTime::<Utc>::from(stage.begins()).date_naive();
    let local = utc.succ_opt().expect("a day later");
    let midnight = local.and_hms_micro_opt(0, 30, 0, 5).expect("half past midnight");
    let starts_at = midnight.and_local_timezone(offset).single().expect("offsets have no gaps");
    let zone = Some("Asia/Seoul".into());
    let draft = PerformanceDraft { starts_at, zone, ..new_performance(&stage) };
    let of = ConcertId::random();
    stage.put(concert(of, &LaneName::main(), vec![draft.clone()]));
    let read = listing(&stage, draft.id).performance;
    assert_eq!((read.starts_at, read.starts_at.offset()), (starts_at, &offset));
    assert_eq!((read.zone.as_deref(), read.local_date()), (Some("Asia/Seoul"), local));
    assert_eq!(found(&stage, &LaneName::main(), Some(of), Some(local)), [draft.id]);
    assert_eq!(found(&stage, &LaneName::main(), Some(of), Some(utc)), [], "the date at its place counts");
}

pub(super) fn a_start_is_kept_in_whole_microseconds(make: &Factory) {
    let stage = Stage::new(make);
    let whole = performance(PerformanceId::random(), stage.now().after(Duration::from_secs(1)), SEATS);
    let starts_at = whole.starts_at + chrono::Duration::nanoseconds(789);
    let precise = PerformanceDraft { starts_at, ..whole.clone() };
    let put = |performance: &PerformanceDraft| {
        let draft = concert(stage.concert, &LaneName::main(), vec![performance.clone()]);
        stage.done(Command::PutConcerts(vec![draft]))
    };
    assert!(!put(&precise).replayed);
    assert_eq!(listing(&stage, whole.id).performance.starts_at, whole.starts_at);
    stage.advance(Duration::from_secs(2));
    for again in [&precise, &whole] {
        assert!(put(again).replayed, "it has begun, so that another start would count");
    }
}

pub(super) fn only_bookable_performances_are_listed(make: &Factory) {
    let stage = Stage::new(make);
    let soon = stage.now().after(Duration::from_mins(1));
    let soon = performance(PerformanceId::random(), soon, SEATS);
    let closed = PerformanceDraft { on_sale: false, ..new_performance(&stage) };
    stage.put(concert(stage.concert, &LaneName::main(), vec![soon.clone(), closed.clone()]));
    let all = || found(&stage, &LaneName::main(), None, None);
    assert_eq!(all(), [soon.id, stage.show]);
    stage.advance(Duration::from_micros(59_999_999));
    assert_eq!(all(), [soon.id, stage.show]);
    assert_eq!(listing(&stage, soon.id).seats_available, SEATS);
    stage.advance(Duration::from_micros(1));
    assert_eq!(all(), [stage.show], "at its start it can't be booked any more");
    for id in [soon.id, closed.id] {
        assert_eq!(listing(&stage, id).seats_available, 0, "it exists, but nothing can be held");
        let map = stage.read(stage.store.seat_map(id)).expect("it exists");
        assert!(!map.bookable && map.available().next().is_none());
    }
}

pub(super) fn lanes_are_listed_by_name_and_changed_setting_by_setting(make: &Factory) {
    let stage = Stage::empty(make, BookingPolicy::default());
    assert_eq!(stage.read(stage.store.lanes()), []);
    let names = ["b", "main", "a-2", "a"].map(lane);
    for name in &names {
        stage.done(set_lane(name, LaneChange::default()));
    }
    let told: Vec<String> =
        stage.read(stage.store.lanes()).iter().map(|lane| lane.name.to_string()).collect();
    assert_eq!(told, ["a", "a-2", "b", "main"]);
    let mut expected = LaneSettings { revision: 1, ..LaneSettings::default() };
    assert_eq!(settings(&stage, &names[0]), expected);
    let second = Duration::from_secs(1);
    let policy = LanePolicy {
        capacity: 7,
        max_waiting: Some(9),
        admit_per_second: Some(3),
        claim_ttl: second,
        session_ttl: second * 2,
    };
    let all = LaneChange {
        capacity: Some(7),
        max_waiting: Some(Some(9)),
        admit_per_second: Some(Some(3)),
        claim_ttl: Some(second),
        session_ttl: Some(second * 2),
        ..LaneChange::default()
    };
    stage.done(set_lane(&names[0], all.clone()));
    expected = LaneSettings { policy, revision: 2, ..expected };
    assert_eq!(settings(&stage, &names[0]), expected);
    assert!(stage.done(set_lane(&names[0], all)).replayed, "the same again changes nothing");
    stage.done(set_lane(&names[0], LaneChange { paused: Some(true), ..LaneChange::default() }));
    let unlimited = LaneChange {
        max_waiting: Some(None),
        admit_per_second: Some(None),
        closed: Some(true),
        ..LaneChange::default()
    };
    stage.done(set_lane(&names[0], unlimited));
    expected = LaneSettings { paused: true, closed: true, revision: 4, ..expected };
    expected.policy = LanePolicy { max_waiting: None, admit_per_second: None, ..expected.policy };
    assert_eq!(settings(&stage, &names[0]), expected);
    assert_eq!(settings(&stage, &names[1]).revision, 1, "other lanes stay as they are");
}

fn settings(stage: &Stage, name: &LaneName) -> LaneSettings {
    let record = stage.read(stage.store.lane(name)).expect("the lane exists");
    assert_eq!(&record.name, name);
    record.settings
}

pub(super) fn settings_nobody_can_work_under_are_refused(make: &Factory) {
    let stage = Stage::new(make);
    let before = settings(&stage, &LaneName::main());
    let impossible = [
        LaneChange { claim_ttl: Some(Duration::ZERO), ..LaneChange::default() },
        LaneChange { session_ttl: Some(Duration::MAX), ..LaneChange::default() },
        LaneChange { admit_per_second: Some(Some(0)), capacity: Some(5), ..LaneChange::default() },
    ];
    for change in impossible {
        for name in [LaneName::main(), lane("new")] {
            let answer = stage.ask(set_lane(&name, change.clone()));
            assert!(matches!(answer, Err(Refusal::InvalidLane(_))), "{answer:?}");
        }
    }
    assert_eq!(settings(&stage, &LaneName::main()), before);
    assert_eq!(stage.read(stage.store.lane(&lane("new"))), None);
}

pub(super) fn a_lane_remembers_that_it_is_sold_out(make: &Factory) {
    let stage = Stage::new(make);
    let mark = |revision, sold_out| stage.done(mark_sold_out(&LaneName::main(), revision, sold_out)).replayed;
    assert!(mark(1, false), "it was not");
    assert!(!mark(1, true));
    assert!(mark(2, true));
    let read = settings(&stage, &LaneName::main());
    assert_eq!((read.sold_out, read.revision), (true, 2));
    stage.done(set_lane(&LaneName::main(), LaneChange { capacity: Some(3), ..LaneChange::default() }));
    assert!(settings(&stage, &LaneName::main()).sold_out, "other settings leave the mark");
    assert!(mark(2, false), "it was judged before those settings");
    assert!(!mark(3, false));
    let read = settings(&stage, &LaneName::main());
    assert_eq!((read.sold_out, read.revision, read.policy.capacity), (false, 4, 3));
}

pub(super) fn the_largest_hall_is_told_whole(make: &Factory) {
    let stage = Stage::under(make, generous());
    let hall = performance(PerformanceId::random(), stage.begins(), MOST_SEATS);
    stage.put(concert(stage.concert, &LaneName::main(), vec![hall.clone()]));
    let held = stage.hold_in(hall.id, &stage.guest(), &[1, MOST_SEATS]);
    assert!(held.is_ok(), "{held:?}");
    let map = stage.read(stage.store.seat_map(hall.id)).expect("it exists");
    let available: Vec<u32> = map.available().collect();
    assert_eq!(available, (2..MOST_SEATS).collect::<Vec<u32>>());
    assert_eq!(listing(&stage, hall.id).seats_available, MOST_SEATS - 2);
    let beyond = stage.hold_in(hall.id, &stage.guest(), &[MOST_SEATS + 1]);
    let refusal = Refusal::UnknownSeat { seat: i64::from(MOST_SEATS) + 1, seats: MOST_SEATS };
    assert_eq!(beyond, Err(refusal));
}
