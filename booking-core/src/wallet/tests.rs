use crate::{
    fixture::*,
    id::EntryId,
    money::Amount,
    policy::BookingPolicy,
    refusal::Refusal,
    wallet::{Command, EntryKind},
};

fn limited_to(most: i64) -> World {
    World::with(BookingPolicy { max_balance: money(most), ..BookingPolicy::default() })
}

#[test]
fn a_wallet_opens_empty_and_only_once() {
    let mut world = World::new();
    let open = Command::Open(user(7)).into();
    assert!(!world.run(&open).unwrap().replayed);
    let wallet = world.state.wallets[&user(7)].clone();
    assert_eq!((wallet.balance.units(), wallet.entries, wallet.opened_at), (0, 0, START));
    world.pass(HOLD_TTL);
    assert!(world.run(&open).unwrap().replayed);
    assert_eq!(world.state.wallets[&user(7)], wallet);
}

#[test]
fn opening_a_wallet_again_keeps_its_money() {
    let mut world = World::new();
    world.charge(1, 1, 500).unwrap();
    assert!(world.run(&Command::Open(user(1)).into()).unwrap().replayed);
    assert_eq!(world.balance(1), 500);
}

#[test]
fn charges_add_up_and_are_numbered() {
    let mut world = World::new();
    for (n, units, after) in [(1, 500, 500), (2, 1, 501), (3, 499, 1_000)] {
        let line = world.charge(n, 1, units).unwrap().value;
        assert_eq!((line.id, line.user, u128::from(line.number)), (entry(n), user(1), n));
        assert_eq!(
            (line.kind, line.amount, line.balance_after),
            (EntryKind::Charge, money(units), money(after))
        );
    }
    assert_eq!(world.balance(1), 1_000);
}

#[test]
fn a_charge_of_an_unknown_user_is_refused() {
    assert_eq!(World::new().charge(1, 9, 500), Err(Refusal::UnknownUser));
}

#[test]
fn a_charge_repeated_is_charged_once_and_keeps_the_balance_it_left() {
    let mut world = World::new();
    let first = world.charge(1, 1, 500).unwrap();
    world.charge(2, 1, 300).unwrap();
    let again = world.charge(1, 1, 500).unwrap();
    assert!(again.replayed);
    assert_eq!((again.value.balance_after, &again.value), (money(500), &first.value));
    assert_eq!(world.balance(1), 800);
}

#[test]
fn an_entry_identity_of_something_else_is_refused() {
    let mut world = World::new();
    world.charge(1, 1, 500).unwrap();
    assert_eq!(world.charge(1, 1, 501), Err(Refusal::IdempotencyKeyReused), "another amount");
    assert_eq!(world.charge(1, 2, 500), Err(Refusal::IdempotencyKeyReused), "another user");
}

#[test]
fn the_identity_of_a_debit_or_refund_is_no_charge() {
    let mut world = World::new();
    world.buy(1, &ticket(1, 1), &[1]);
    world.refund(1).unwrap();
    for id in [EntryId::debit_of(payment(1)), EntryId::refund_of(payment(1))] {
        let charge = Command::Charge { entry: id, user: user(1), amount: Amount::new(PRICE).unwrap() };
        assert_eq!(world.run(&charge.into()), Err(Refusal::IdempotencyKeyReused));
    }
}

#[test]
fn a_charge_named_by_a_payment_or_its_reservation_is_no_debit_of_it() {
    let mut world = World::new();
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    let names = [payment(1).0, reservation(1).0];
    for id in names {
        let charge =
            Command::Charge { entry: EntryId(id), user: user(1), amount: Amount::new(PRICE).unwrap() };
        assert!(!world.run(&charge.into()).unwrap().replayed);
    }
    world.pay(1, &ticket(1, 1)).unwrap();
    world.refund(1).unwrap();
    let kinds = names.map(|id| world.state.entries[&EntryId(id)].kind);
    assert_eq!((kinds, world.state.wallets[&user(1)].entries), ([EntryKind::Charge; 2], 4));
    assert!(world.state.audit(world.now).is_clean());
}

#[test]
fn a_charge_fills_the_wallet_to_its_limit_and_not_one_more() {
    let mut world = limited_to(1_000);
    assert_eq!(world.charge(1, 1, 1_001), Err(Refusal::AmountOutOfRange));
    world.charge(1, 1, 999).unwrap();
    assert_eq!(world.charge(2, 1, 2), Err(Refusal::AmountOutOfRange));
    assert!(world.charge(2, 1, 1).is_ok(), "the refused identity is free");
    assert_eq!(world.charge(3, 1, 1), Err(Refusal::AmountOutOfRange));
    assert_eq!(world.balance(1), 1_000);
}

#[test]
fn a_replayed_charge_is_answered_even_when_the_wallet_is_full() {
    let mut world = limited_to(1_000);
    world.charge(1, 1, 1_000).unwrap();
    assert!(world.charge(1, 1, 1_000).unwrap().replayed);
}

#[test]
fn a_sum_beyond_64_bits_is_refused_whatever_the_limit() {
    let mut world = limited_to(i64::MAX);
    world.charge(1, 1, i64::MAX).unwrap();
    assert_eq!(world.charge(2, 1, 1), Err(Refusal::AmountOutOfRange));
    assert_eq!(world.charge(2, 1, i64::MAX), Err(Refusal::AmountOutOfRange));
    assert_eq!(world.balance(1), i64::MAX);
}

#[test]
fn wallets_do_not_touch_each_other() {
    let mut world = World::new();
    world.charge(1, 1, 500).unwrap();
    world.charge(2, 2, 300).unwrap();
    assert_eq!((world.balance(1), world.balance(2), world.balance(3)), (500, 300, 0));
    let numbers = [entry(1), entry(2)].map(|id| world.state.entries[&id].number);
    assert_eq!(numbers, [1, 1]);
}

#[test]
fn the_ledger_tells_every_move_of_the_balance() {
    let mut world = World::new();
    world.charge(1, 1, 5_000).unwrap();
    world.hold(1, &ticket(1, 1), &[1]).unwrap();
    world.pay(1, &ticket(1, 1)).unwrap();
    world.refund(1).unwrap();
    let ids = [entry(1), EntryId::debit_of(payment(1)), EntryId::refund_of(payment(1))];
    let lines = ids.map(|id| {
        let line = &world.state.entries[&id];
        (line.number, line.kind.as_str(), line.amount.units(), line.balance_after.units())
    });
    assert_eq!(lines, [(1, "charge", 5_000, 5_000), (2, "debit", PRICE, 4_000), (3, "refund", PRICE, 5_000)]);
    assert_eq!(world.state.wallets[&user(1)].entries, 3);
}
