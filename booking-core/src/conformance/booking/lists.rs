//! Lists come in pages: sorted, without gaps or repeats, and everybody sees only one's own.

use std::{fmt::Debug, time::Duration};

use super::{
    Factory,
    stage::{ALL, PRICE, Stage, TTL, charge, concert, generous, open, pay, performance, place, refund},
};
use crate::{
    catalog,
    hold::{ReservationStatus, SeatNumber},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::PaymentStatus,
    store::{Page, PageRequest, PerformanceFilter},
    ticket::{LaneName, Ticket},
};

/// Walks through all pages with several limits; each walk gives exactly what is expected.
fn walk<T: Clone + PartialEq + Debug>(fetch: impl Fn(PageRequest) -> Page<T>, expected: &[T]) {
    assert!(expected.len() > 5, "a list of a few items shows little");
    let all = expected.len();
    for limit in [1, 2, 3, 7, all - 1, all, all + 1, ALL] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = fetch(PageRequest { after, limit });
            assert!(page.items.len() <= limit, "{} items with a limit of {limit}", page.items.len());
            seen.extend(page.items.iter().cloned());
            assert!(seen.len() <= all, "items repeat with a limit of {limit}");
            let Some(next) = page.next else { break };
            assert_eq!(page.items.len(), limit, "only the last page is not full");
            assert!(seen.len() < all, "the last page with a limit of {limit} does not say so");
            after = Some(next);
        }
        assert_eq!(seen, expected, "with a limit of {limit}");
    }
}

/// Five batches of five commands each, a second apart, so that instants tie within a batch; their answers.
fn in_batches(stage: &Stage, mut command: impl FnMut(u32) -> crate::Command) -> Vec<crate::Outcome> {
    let mut outcomes = Vec::new();
    for batch in 0..5 {
        let answers = stage.execute((0..5).map(|at| command(batch * 5 + at)).collect());
        outcomes.extend(answers.into_iter().map(|answer| answer.expect("no rule is against it")));
        stage.advance(Duration::from_secs(1));
    }
    outcomes
}

fn many_holds(stage: &Stage, user: UserId) -> Vec<Ticket> {
    let tickets: Vec<Ticket> = (0..25).map(|_| stage.ticket(user)).collect();
    let mut at = tickets.iter();
    in_batches(stage, |seat| {
        let ticket = at.next().expect("a ticket a hold");
        place(ReservationId::random(), ticket, stage.show, &[seat + 1])
    });
    tickets
}

pub(super) fn pages_of_reservations_have_no_gap_and_no_repeat(make: &Factory) {
    let stage = Stage::under(make, generous());
    let (user, other) = (stage.user(), stage.guest());
    stage.held(&other, &[50]);
    many_holds(&stage, user);
    let mut expected = stage.reservations(user);
    assert_eq!(expected.len(), 25);
    expected.sort_by_key(|made| (made.created_at, made.id));
    walk(|page| stage.read(stage.store.reservations(user, page)), &expected);
}

pub(super) fn pages_of_payments_have_no_gap_and_no_repeat(make: &Factory) {
    let stage = Stage::under(make, generous());
    let user = stage.user();
    stage.charge(user, 25 * PRICE);
    let tickets = many_holds(&stage, user);
    let mut held = stage.reservations(user).into_iter();
    in_batches(&stage, |_| {
        let of = held.next().expect("a hold a payment");
        assert!(tickets.contains(&of.ticket));
        pay(of.id, &of.ticket)
    });
    let mut expected = stage.payments(user);
    assert_eq!(expected.len(), 25);
    expected.sort_by_key(|made| (made.paid_at, made.id));
    walk(|page| stage.read(stage.store.payments(user, page)), &expected);
}

pub(super) fn pages_of_entries_have_no_gap_and_no_repeat(make: &Factory) {
    let stage = Stage::new(make);
    let (user, other) = (stage.user(), stage.user());
    stage.charge(other, 1);
    in_batches(&stage, |n| charge(EntryId::random(), user, i64::from(n) + 1));
    let expected = stage.entries(user);
    let numbers: Vec<u64> = expected.iter().map(|line| line.number).collect();
    assert_eq!(numbers, (1..=25).collect::<Vec<u64>>());
    walk(|page| stage.read(stage.store.entries(user, page)), &expected);
}

pub(super) fn pages_of_concerts_have_no_gap_and_no_repeat(make: &Factory) {
    let stage = Stage::new(make);
    in_batches(&stage, |_| {
        catalog::Command::PutConcerts(vec![concert(ConcertId::random(), &LaneName::main(), Vec::new())])
            .into()
    });
    let mut expected = stage.read(stage.store.concerts(PageRequest::first(ALL))).items;
    assert_eq!(expected.len(), 26);
    expected.sort_by_key(|added| (added.created_at, added.id));
    walk(|page| stage.read(stage.store.concerts(page)), &expected);
}

pub(super) fn pages_of_performances_have_no_gap_and_no_repeat(make: &Factory) {
    let stage = Stage::new(make);
    let begins = stage.begins();
    let mut drafts: Vec<_> = (0..24)
        .map(|n| {
            let later = Duration::from_secs(n % 6 * 40_000);
            performance(PerformanceId::random(), begins.after(later), 5)
        })
        .collect();
    let rest = drafts.split_off(12);
    stage.put(concert(stage.concert, &LaneName::main(), drafts));
    let second = ConcertId::random();
    stage.put(concert(second, &LaneName::main(), rest));
    for of in [None, Some(second)] {
        let filter = PerformanceFilter { lane: LaneName::main(), concert: of, date: None };
        let fetch = |page| stage.read(stage.store.performances(&filter, page));
        let mut expected = fetch(PageRequest::first(ALL)).items;
        assert_eq!(expected.len(), if of.is_none() { 25 } else { 12 });
        expected.sort_by_key(|listing| (listing.performance.begins(), listing.performance.id));
        walk(fetch, &expected);
    }
}

pub(super) fn what_is_added_later_comes_after_the_cursor(make: &Factory) {
    let stage = Stage::under(make, generous());
    let user = stage.user();
    let hold = |seat: SeatNumber| {
        stage.advance(Duration::from_secs(1));
        stage.charge(user, i64::from(seat));
        stage.held(&stage.ticket(user), &[seat]).id
    };
    let mut ids: Vec<ReservationId> = (1..=3).map(hold).collect();
    let first = stage.read(stage.store.reservations(user, PageRequest::first(2)));
    let ledger = stage.read(stage.store.entries(user, PageRequest::first(2)));
    ids.extend((4..=5).map(hold));
    let rest = PageRequest { after: first.next, limit: ALL };
    let told = first.items.into_iter().chain(stage.read(stage.store.reservations(user, rest)).items);
    assert_eq!(told.map(|made| made.id).collect::<Vec<_>>(), ids);
    let rest = PageRequest { after: ledger.next, limit: ALL };
    let told = ledger.items.into_iter().chain(stage.read(stage.store.entries(user, rest)).items);
    assert_eq!(told.map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

pub(super) fn one_sees_only_what_is_ones_own(make: &Factory) {
    let stage = Stage::new(make);
    let (ticket, other) = (stage.buyer(1), stage.buyer(2));
    let (bought, _) = stage.bought(&ticket, &[1]);
    let (theirs, _) = stage.bought(&other, &[2]);
    assert_eq!(stage.read(stage.store.reservation(other.user, bought.id)), None, "somebody else's");
    assert_eq!(stage.read(stage.store.reservation(UserId::random(), bought.id)), None);
    assert!(stage.read(stage.store.reservation(ticket.user, bought.id)).is_some());
    let ids = |user| stage.reservations(user).iter().map(|made| made.id).collect::<Vec<_>>();
    assert_eq!([ids(ticket.user), ids(other.user)], [[bought.id], [theirs.id]]);
    let paid = |user| stage.payments(user).iter().map(|made| made.reservation).collect::<Vec<_>>();
    assert_eq!([paid(ticket.user), paid(other.user)], [[bought.id], [theirs.id]]);
    for user in [ticket.user, other.user] {
        assert!(stage.entries(user).iter().all(|line| line.user == user));
        assert_eq!(stage.wallet(user).user, user);
    }
    let (nobody, idle) = (UserId::random(), UserId::random());
    stage.done(open(idle));
    for user in [nobody, idle] {
        let found = (stage.reservations(user), stage.payments(user), stage.entries(user));
        assert_eq!(found, (Vec::new(), Vec::new(), Vec::new()));
    }
}

pub(super) fn operators_see_whatever_is_anybodys_as_it_is_now(make: &Factory) {
    let stage = Stage::new(make);
    let (bought, paid) = stage.bought(&stage.buyer(1), &[1]);
    let held = stage.held(&stage.guest(), &[2]);
    let any = |id| stage.read(stage.store.any_reservation(id));
    let payment = |id| stage.read(stage.store.any_payment(id));
    assert_eq!(any(bought.id), stage.read(stage.store.reservation(bought.user, bought.id)));
    assert_eq!(any(held.id), Some(held.clone()));
    assert_eq!(
        (payment(paid.id), payment(held.payment)),
        (Some(paid.clone()), None),
        "one is paid, one is due"
    );
    stage.done(refund(paid.id));
    assert_eq!(payment(paid.id).map(|read| read.status()), Some(PaymentStatus::Refunded));
    stage.advance(TTL);
    let statuses = [bought.id, held.id].map(|id| any(id).map(|read| read.status));
    assert_eq!(statuses, [Some(ReservationStatus::Refunded), Some(ReservationStatus::Expired)]);
    assert_eq!(any(ReservationId::random()), None);
    assert_eq!(payment(PaymentId::random()), None);
}
