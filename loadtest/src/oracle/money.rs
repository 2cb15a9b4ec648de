//! I6 to I11.

use std::collections::{HashMap, HashSet};

use booking_api::{Entry, PlaceStatus};
use booking_core::{
    hold::ReservationStatus,
    id::{UserId, from_idempotency_key},
    payment::PaymentStatus,
};
use uuid::Uuid;

use super::{Account, Check, Evidence, Verdict, books::Log};
use crate::{
    history::{Act, Fact, Heard},
    person::key_text,
};

/// The balance that no charge may exceed by default.
const MAX_BALANCE: i64 = 1_000_000_000_000_000;

/// What a line of the ledger moved.
fn signed(entry: &Entry) -> i64 {
    if entry.kind == "debit" { -entry.amount } else { entry.amount }
}

fn sum_of(account: &Account, kind: &str) -> i64 {
    account.entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.amount).sum()
}

/// The identity of the ledger line that a person's key stands for.
pub(super) fn entry_of(evidence: &Evidence, person: u32, key: u32) -> Uuid {
    let user = evidence.users.get(&person).copied().unwrap_or_default();
    from_idempotency_key(UserId(user), "charge", &key_text(key))
}

pub(super) fn i6_balance_is_the_sum(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("I6", "a balance is the sum of the wallet's entries");
    for (person, account) in &evidence.books.accounts {
        let sum: i64 = account.entries.iter().map(signed).sum();
        check.expect(account.balance == sum, || {
            let what = format!("person {person} has {}, and the entries make {sum}", account.balance);
            (what, evidence.of(*person))
        });
    }
    check.finish()
}

pub(super) fn i7_nothing_lost_or_made_up(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check =
        Check::new("I7", "charges − payments + refunds = balances; what was acknowledged is in the ledger");
    let accounts = || evidence.books.accounts.values();
    let sum = |kind| accounts().map(|account| sum_of(account, kind)).sum::<i64>();
    let (moved, balances) = (
        sum("charge") - sum("debit") + sum("refund"),
        accounts().map(|account| account.balance).sum::<i64>(),
    );
    check.expect(moved == balances, || {
        (format!("the ledgers make {moved}, the balances {balances}"), Vec::new())
    });
    let mut asked: HashMap<u32, HashSet<Uuid>> = HashMap::new();
    for seen in &evidence.history {
        let Act::Charge { key, .. } = seen.act else { continue };
        asked.entry(seen.person).or_default().insert(entry_of(evidence, seen.person, key));
        let Some(charged) = seen.charged() else { continue };
        let account = evidence.books.accounts.get(&seen.person);
        let line =
            account.and_then(|account| account.entries.iter().find(|entry| entry.entry_id == charged.entry));
        check.expect(line.is_some_and(|line| line.amount == charged.amount), || {
            let what = format!("the charge {} of {} is not in the ledger", charged.entry, charged.amount);
            (what, evidence.of(seen.person))
        });
        check.expect(log.charges.contains_key(&charged.entry), || {
            (format!("the charge {} is not in the log", charged.entry), evidence.of(seen.person))
        });
    }
    let none = HashSet::new();
    for (person, account) in &evidence.books.accounts {
        let asked = asked.get(person).unwrap_or(&none);
        for entry in account.entries.iter().filter(|entry| entry.kind == "charge") {
            check.expect(asked.contains(&entry.entry_id), || {
                let what = format!("nobody asked for the charge {} of {}", entry.entry_id, entry.amount);
                (what, evidence.of(*person))
            });
        }
    }
    check.finish()
}

pub(super) fn i8_in_range(evidence: &Evidence) -> Verdict {
    let mut check = Check::new("I8", "no balance is below zero or above the maximum");
    for seen in &evidence.history {
        let balance = match &seen.heard {
            Heard::Acknowledged(Fact::Charged(charged)) => charged.balance,
            Heard::Acknowledged(Fact::Paid(paid)) => paid.balance,
            Heard::Acknowledged(Fact::Balance(balance)) => *balance,
            _ => continue,
        };
        let fits = (0..=MAX_BALANCE).contains(&balance);
        check.expect(fits, || (format!("a balance of {balance}"), vec![seen]));
    }
    for (person, account) in &evidence.books.accounts {
        let told = account.entries.iter().map(|entry| entry.balance_after).chain([account.balance]);
        for balance in told {
            let fits = (0..=MAX_BALANCE).contains(&balance);
            check.expect(fits, || (format!("person {person} had {balance}"), evidence.of(*person)));
        }
    }
    check.finish()
}

pub(super) fn i9_one_to_one(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check =
        Check::new("I9", "confirmed reservations, payments and debits are one to one, and their sums agree");
    for (person, account) in &evidence.books.accounts {
        let confirmed: HashMap<Uuid, i64> = account
            .reservations
            .iter()
            .filter(|made| made.status == ReservationStatus::Confirmed)
            .map(|made| (made.reservation_id, made.amount))
            .collect();
        let paid = || account.payments.iter().filter(|payment| payment.status == PaymentStatus::Paid);
        let payments: HashMap<Uuid, i64> =
            paid().map(|payment| (payment.reservation_id, payment.amount)).collect();
        let debits: HashMap<Uuid, i64> = account
            .entries
            .iter()
            .filter(|entry| entry.kind == "debit")
            .map(|entry| (entry.payment_id.unwrap_or_default(), entry.amount))
            .collect();
        let by_id: HashMap<Uuid, i64> = paid().map(|payment| (payment.payment_id, payment.amount)).collect();
        let count = account.entries.iter().filter(|entry| entry.kind == "debit").count();
        let holds =
            confirmed == payments && debits == by_id && count == by_id.len() && by_id.len() == paid().count();
        check.expect(holds, || {
            let what =
                format!("person {person}: confirmed {confirmed:?}, payments {payments:?}, debits {debits:?}");
            (what, evidence.of(*person))
        });
    }
    for (id, life) in &log.reservations {
        let debits =
            life.payments.iter().map(|paid| log.debits.get(&paid.id.0).map_or(0, Vec::len)).sum::<usize>();
        let holds =
            life.sold.len() <= 1 && life.payments.len() == life.sold.len() && debits == life.sold.len();
        check.expect(holds, || {
            let (sold, paid) = (life.sold.len(), life.payments.len());
            (
                format!("the log has {id} sold {sold}, paid {paid} and debited {debits} times"),
                evidence.about(*id),
            )
        });
    }
    check.finish()
}

pub(super) fn i10_all_or_none(evidence: &Evidence, log: &Log<'_>) -> Verdict {
    let mut check =
        Check::new("I10", "an acknowledged payment has its debit, its seat, its events, and a spent ticket");
    for seen in &evidence.history {
        let Some(paid) = seen.paid() else { continue };
        let account = evidence.books.accounts.get(&seen.person);
        let life = log.reservations.get(&paid.reservation);
        let missing = [
            ("in the log: the seat", life.is_some_and(|life| life.sold.len() == 1)),
            (
                "in the log: the payment",
                life.is_some_and(|life| life.payments.iter().any(|made| made.id.0 == paid.payment)),
            ),
            ("in the log: the debit", log.debits.contains_key(&paid.payment)),
            ("the debit", account.is_some_and(|account| has_debit(account, paid.payment, paid.amount))),
            (
                "the confirmed reservation",
                account.is_some_and(|account| has_confirmed(account, paid.reservation)),
            ),
            ("the spent ticket", account.is_some_and(is_spent)),
        ];
        let missing: Vec<_> =
            missing.into_iter().filter(|(_, is_there)| !is_there).map(|(what, _)| what).collect();
        check.expect(missing.is_empty(), || {
            let what = format!("{} was paid; missing: {}", paid.reservation, missing.join(", "));
            (what, evidence.about(paid.reservation))
        });
    }
    check.finish()
}

fn has_debit(account: &Account, payment: Uuid, amount: i64) -> bool {
    account.entries.iter().any(|entry| entry.payment_id == Some(payment) && entry.amount == amount)
}

fn has_confirmed(account: &Account, reservation: Uuid) -> bool {
    let is_it = |made: &booking_api::Reservation| made.reservation_id == reservation;
    account.reservations.iter().any(|made| is_it(made) && made.status == ReservationStatus::Confirmed)
}

/// A ticket that is not known any more is spent too.
fn is_spent(account: &Account) -> bool {
    account.ticket.is_none_or(|ticket| ticket == PlaceStatus::Done)
}

pub(super) fn i11_append_only(evidence: &Evidence) -> Verdict {
    let mut check = Check::new(
        "I11",
        "entries follow from each other without gaps, and what was told of them still stands",
    );
    for (person, account) in &evidence.books.accounts {
        let mut before = 0;
        for (number, entry) in (1..).zip(&account.entries) {
            let follows = entry.number == number && entry.balance_after == before + signed(entry);
            check.expect(follows, || {
                let what = format!("person {person}: after {before} comes {entry:?} as number {number}");
                (what, evidence.of(*person))
            });
            before = entry.balance_after;
        }
    }
    for seen in &evidence.history {
        let Some(charged) = seen.charged() else { continue };
        let account = evidence.books.accounts.get(&seen.person);
        let line =
            account.and_then(|account| account.entries.iter().find(|entry| entry.entry_id == charged.entry));
        // One that is missing altogether is lost money, which is I7's to tell.
        let stands = line.is_none_or(|line| line.balance_after == charged.balance);
        check.expect(stands, || {
            let what = format!(
                "the charge {} was told to leave {}, and is {line:?}",
                charged.entry, charged.balance
            );
            (what, vec![seen])
        });
    }
    check.finish()
}
