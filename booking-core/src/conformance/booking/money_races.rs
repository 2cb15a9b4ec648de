//! Many threads on the same wallets, over two instances (I6 to I9, I21).

use std::time::Duration;

use super::{
    Factory,
    moves::log_is_possible,
    stage::{PRICE, Stage, charge, entry_of, generous, money, pay, payment_of, refund},
};
use crate::{
    conformance::tools::{RACERS, at_once},
    id::EntryId,
    policy::BookingPolicy,
    refusal::Refusal,
};

pub(super) fn concurrent_charges_add_up(make: &Factory) {
    let stage = Stage::new(make);
    let stages = [&stage, &stage.elsewhere()];
    let user = stage.user();
    at_once(RACERS, |number| {
        let units = i64::try_from(number).unwrap_or(0) + 1;
        (0..25).for_each(|_| stages[number % 2].charge(user, units));
    });
    let wallet = stage.wallet(user);
    assert_eq!((wallet.balance.units(), wallet.entries), (25 * 36, 200));
    let mut sum = 0;
    for (number, line) in (1..).zip(stage.entries(user)) {
        sum += line.amount.units();
        assert_eq!((line.number, line.balance_after), (number, money(sum)));
    }
    stage.books_are_clean();
}

pub(super) fn the_same_charge_from_eight_threads_is_made_once(make: &Factory) {
    let stage = Stage::new(make);
    let stages = [&stage, &stage.elsewhere()];
    let user = stage.user();
    for round in 1..=10 {
        let ask = charge(EntryId::random(), user, 7);
        let answers = at_once(RACERS, |number| stages[number % 2].done(ask.clone()));
        let replays = answers.iter().filter(|outcome| outcome.replayed).count();
        assert_eq!(replays, RACERS - 1, "{answers:#?}");
        for answer in &answers {
            assert_eq!(entry_of(answer).balance_after, money(7 * round), "{answer:?}");
        }
    }
    assert_eq!((stage.balance(user), stage.entries(user).len()), (70, 10));
    stage.books_are_clean();
}

pub(super) fn paying_from_eight_threads_charges_once(make: &Factory) {
    let stage = Stage::new(make);
    let stages = [&stage, &stage.elsewhere()];
    for seat in 1..=10 {
        let ticket = stage.buyer(8);
        let held = stage.held(&ticket, &[seat]);
        let answers = at_once(RACERS, |number| stages[number % 2].done(pay(held.id, &ticket)));
        assert_eq!(answers.iter().filter(|outcome| !outcome.replayed).count(), 1, "{answers:#?}");
        assert!(answers.iter().all(|outcome| payment_of(outcome) == payment_of(&answers[0])));
        assert_eq!(stage.balance(ticket.user), 7 * PRICE);
        assert_eq!(stage.entries(ticket.user).len(), 2);
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn two_reservations_racing_for_one_wallet_are_paid_once(make: &Factory) {
    let policy =
        BookingPolicy { live_reservations_per_user: 2, seats_per_user: 2, ..BookingPolicy::default() };
    let stage = Stage::under(make, policy);
    let stages = [&stage, &stage.elsewhere()];
    for round in 0..20 {
        let ticket = stage.buyer(1);
        let held =
            [stage.held(&ticket, &[round * 2 + 1]), stage.held(&stage.ticket(ticket.user), &[round * 2 + 2])];
        let answers = at_once(2, |number| stages[number].pay(&held[number]));
        assert_eq!(answers.iter().flatten().count(), 1, "there is money for one: {answers:#?}");
        let short = Refusal::InsufficientBalance { balance: money(0), amount: money(PRICE) };
        assert!(answers.contains(&Err(short)), "{answers:#?}");
        assert_eq!(stage.balance(ticket.user), 0);
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

pub(super) fn a_refund_from_eight_threads_is_made_once(make: &Factory) {
    let stage = Stage::new(make);
    let stages = [&stage, &stage.elsewhere()];
    for seat in 1..=5 {
        let ticket = stage.buyer(1);
        let (_, paid) = stage.bought(&ticket, &[seat]);
        let answers = at_once(RACERS, |number| stages[number % 2].done(refund(paid.id)));
        assert_eq!(answers.iter().filter(|outcome| !outcome.replayed).count(), 1, "{answers:#?}");
        assert_eq!((stage.balance(ticket.user), stage.entries(ticket.user).len()), (PRICE, 3));
    }
    log_is_possible(&stage.events());
    stage.books_are_clean();
}

/// Only a clock that is read after the locks gives this: who waited for a lock would otherwise write an instant from
/// before the wait, behind one that came later (I3).
pub(super) fn a_ledger_never_goes_back_in_time(make: &Factory) {
    let stage = Stage::under(make, generous());
    let stages = [&stage, &stage.elsewhere()];
    let user = stage.user();
    at_once(RACERS, |number| {
        for _ in 0..40 {
            stage.advance(Duration::from_micros(1));
            stages[number % 2].charge(user, 1);
        }
    });
    let ledger = stage.entries(user);
    assert_eq!(ledger.len(), RACERS * 40);
    for pair in ledger.windows(2) {
        assert!(pair[0].at <= pair[1].at, "{pair:#?}");
    }
    stage.books_are_clean();
}
