//! Wallets and their ledgers (W1 to W4, I6, I8, I11).

use std::time::Duration;

use super::{
    Factory,
    stage::{PRICE, Stage, charge, entry_of, money, open, refund},
};
use crate::{
    id::{EntryId, UserId},
    outcome::Effect,
    policy::BookingPolicy,
    refusal::Refusal,
    wallet::{EntryKind, Wallet},
};

pub(super) fn opening_a_wallet_twice_opens_it_once(make: &Factory) {
    let stage = Stage::new(make);
    let user = UserId::random();
    let first = stage.done(open(user));
    let wallet = Wallet { user, balance: money(0), entries: 0, opened_at: stage.now() };
    assert_eq!((first.replayed, first.effect), (false, Effect::Wallet(wallet)));
    stage.charge(user, 20);
    stage.advance(Duration::from_secs(1));
    let again = stage.done(open(user));
    assert!(again.replayed);
    assert_eq!(again.effect, Effect::Wallet(stage.wallet(user)), "as it is now");
    assert_eq!(stage.balance(user), 20, "opening again empties nothing");
}

pub(super) fn a_user_without_a_wallet_is_unknown(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.ticket(UserId::random());
    assert_eq!(stage.read(stage.store.wallet(ticket.user)), None);
    assert_eq!(stage.ask(charge(EntryId::random(), ticket.user, 1)), Err(Refusal::UnknownUser));
    assert_eq!(stage.hold(&ticket, &[1]), Err(Refusal::UnknownUser));
    assert_eq!(stage.read(stage.store.wallet(ticket.user)), None, "asking makes nobody known");
    assert_eq!(stage.entries(ticket.user), []);
    stage.done(open(ticket.user));
    assert!(stage.hold(&ticket, &[1]).is_ok());
}

pub(super) fn the_ledger_tells_every_movement_in_order(make: &Factory) {
    let stage = Stage::new(make);
    let ticket = stage.guest();
    let step = || stage.advance(Duration::from_micros(1));
    stage.charge(ticket.user, 2_500);
    step();
    let (_, paid) = stage.bought(&ticket, &[1]);
    step();
    stage.charge(ticket.user, 1);
    step();
    stage.done(refund(paid.id));
    let ledger = stage.entries(ticket.user);
    let told: Vec<_> =
        ledger.iter().map(|line| (line.number, line.kind, line.amount, line.balance_after)).collect();
    let expected = [
        (1, EntryKind::Charge, money(2_500), money(2_500)),
        (2, EntryKind::Debit(paid.id), money(PRICE), money(1_500)),
        (3, EntryKind::Charge, money(1), money(1_501)),
        (4, EntryKind::Refund(paid.id), money(PRICE), money(2_501)),
    ];
    assert_eq!(told, expected);
    assert!(ledger.windows(2).all(|pair| pair[0].at < pair[1].at), "{ledger:#?}");
    assert!(ledger.iter().all(|line| line.user == ticket.user));
    let wallet = stage.wallet(ticket.user);
    assert_eq!((wallet.entries, wallet.balance), (4, money(2_501)));
}

pub(super) fn a_charge_beyond_the_limit_is_refused_and_changes_nothing(make: &Factory) {
    let stage = Stage::under(make, BookingPolicy { max_balance: money(100), ..BookingPolicy::default() });
    let user = stage.user();
    let too_much = |units| stage.ask(charge(EntryId::random(), user, units));
    assert_eq!(too_much(101), Err(Refusal::AmountOutOfRange));
    stage.charge(user, 60);
    let events = stage.events();
    assert_eq!(too_much(41), Err(Refusal::AmountOutOfRange));
    assert_eq!(too_much(i64::MAX), Err(Refusal::AmountOutOfRange), "the sum must not wrap");
    assert_eq!(stage.events(), events);
    stage.charge(user, 40);
    assert_eq!(stage.balance(user), 100, "the limit itself is allowed");
    assert_eq!(too_much(1), Err(Refusal::AmountOutOfRange));
    stage.books_are_clean();
}

pub(super) fn sums_at_the_edge_of_the_integers_are_refused_or_exact(make: &Factory) {
    let most = money(i64::MAX);
    let stage = Stage::under(make, BookingPolicy { max_balance: most, ..BookingPolicy::default() });
    let user = stage.user();
    let entry = entry_of(&stage.done(charge(EntryId::random(), user, i64::MAX)));
    assert_eq!((entry.amount, entry.balance_after), (most, most));
    assert_eq!(stage.ask(charge(EntryId::random(), user, 1)), Err(Refusal::AmountOutOfRange));
    assert_eq!(stage.ask(charge(EntryId::random(), user, i64::MAX)), Err(Refusal::AmountOutOfRange));
    assert_eq!(stage.wallet(user).balance, most);
    assert_eq!(stage.entries(user), [entry]);
    let other = stage.user();
    stage.charge(other, i64::MAX);
    stage.books_are_clean();
}

pub(super) fn a_refund_is_not_bound_by_the_limit(make: &Factory) {
    let limit = BookingPolicy { max_balance: money(PRICE), ..BookingPolicy::default() };
    let stage = Stage::under(make, limit);
    let ticket = stage.buyer(1);
    let (_, paid) = stage.bought(&ticket, &[1]);
    stage.charge(ticket.user, PRICE);
    stage.done(refund(paid.id));
    assert_eq!(stage.balance(ticket.user), 2 * PRICE, "what is given back is the user's");
    assert_eq!(stage.ask(charge(EntryId::random(), ticket.user, 1)), Err(Refusal::AmountOutOfRange));
    stage.books_are_clean();
}
