use booking_core::{Event, hold, payment, wallet};
use uuid::Uuid;

use super::{Evidence, found, only, world::*};
use crate::{
    history::{Act, Fact, Heard},
    oracle::Account,
};

fn account(evidence: &mut Evidence, person: u32) -> &mut Account {
    evidence.books.accounts.get_mut(&person).unwrap()
}

fn without(evidence: &mut Evidence, is_it: impl Fn(&Event) -> bool) {
    evidence.books.events.retain(|recorded| !is_it(&recorded.event));
}

#[test]
fn i6_finds_a_balance_that_is_not_the_sum() {
    let found = found(|evidence| account(evidence, 1).balance += 1);
    assert_eq!(found, ["I6", "I7"].map(Into::into).into());
}

#[test]
fn i7_finds_an_acknowledged_charge_that_is_gone() {
    let lost = found(|evidence| {
        let account = account(evidence, 1);
        account.entries.clear();
        account.balance = 0;
    });
    assert_eq!(lost, only("I7"));
    let unlogged = found(|evidence| without(evidence, |event| *event == logged_charge(1, 1)));
    assert!(unlogged.contains("I7"), "{unlogged:?}");
}

#[test]
fn i7_finds_money_that_nobody_put_in() {
    let made_up = found(|evidence| {
        let account = account(evidence, 1);
        account.entries.push(wire_entry(Uuid::from_u128(9), 2, "charge", 5, PRICE + 5, None));
        account.balance += 5;
    });
    assert_eq!(made_up, only("I7"));
}

#[test]
fn i7_takes_a_charge_of_unknown_outcome_either_way() {
    let unknown = |evidence: &mut Evidence| {
        evidence.history.push(seen(1, 5_000, Act::Charge { key: 9, amount: 5 }, Heard::Unknown("lost")));
    };
    assert_eq!(found(unknown), super::BTreeSet::new());
    let done = found(|evidence| {
        unknown(evidence);
        let account = account(evidence, 1);
        account.entries.push(wire_entry(entry(1, 9), 2, "charge", 5, PRICE + 5, None));
        account.balance += 5;
    });
    assert_eq!(done, super::BTreeSet::new());
}

#[test]
fn i8_finds_a_balance_out_of_range() {
    let told = found(|evidence| {
        evidence.history.push(seen(1, 5_000, Act::Wallet, Heard::Acknowledged(Fact::Balance(-1))));
    });
    assert_eq!(told, only("I8"));
    let booked = found(|evidence| account(evidence, 1).balance = -1);
    assert!(booked.contains("I8"), "{booked:?}");
}

#[test]
fn i9_finds_a_confirmed_seat_without_payment_and_a_second_debit() {
    let unpaid = found(|evidence| account(evidence, 0).payments.clear());
    assert_eq!(unpaid, only("I9"));
    let twice = found(|evidence| {
        let account = account(evidence, 0);
        let debit = account.entries[1].clone();
        account.entries.push(booking_api::Entry { number: 3, ..debit });
    });
    assert!(twice.contains("I9"), "{twice:?}");
    let logged = found(|evidence| {
        without(evidence, |event| matches!(event, Event::Payment(payment::Event::PaymentMade(_))));
    });
    assert!(logged.contains("I9"), "{logged:?}");
}

#[test]
fn i10_finds_whatever_is_missing_of_an_acknowledged_payment() {
    let parts: [fn(&mut Evidence); 5] = [
        |evidence| without(evidence, |event| matches!(event, Event::Hold(hold::Event::SeatsSold(_)))),
        |evidence| without(evidence, |event| matches!(event, Event::Payment(_))),
        |evidence| without(evidence, |event| matches!(event, Event::Wallet(wallet::Event::WalletDebited(_)))),
        |evidence| account(evidence, 0).reservations.clear(),
        |evidence| account(evidence, 0).ticket = Some(booking_api::PlaceStatus::Admitted),
    ];
    for (index, part) in parts.into_iter().enumerate() {
        let found = found(part);
        assert!(found.contains("I10"), "part {index}: {found:?}");
    }
    let lost = found(|evidence| {
        evidence.books.accounts.remove(&0);
    });
    assert!(lost.contains("I10"), "{lost:?}");
}

#[test]
fn i11_finds_a_gap_a_line_that_does_not_follow_and_one_that_changed() {
    assert!(found(|evidence| account(evidence, 1).entries[0].number = 2).contains("I11"));
    assert!(found(|evidence| account(evidence, 0).entries[0].balance_after += 1).contains("I11"));
    let told_otherwise = found(|evidence| {
        if let Heard::Acknowledged(Fact::Charged(charged)) = &mut record(evidence, 1, 4_100).heard {
            charged.balance += 1;
        }
    });
    assert_eq!(told_otherwise, only("I11"));
}
