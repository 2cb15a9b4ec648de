//! What the buyers know, compared: without trust in the server's audit.

use std::collections::BTreeSet;

use booking_api::PerformanceInput;
use comfy_table::{Cell, Table};
use serde::Serialize;

use super::rush::{Person, Rush};
use crate::{
    buyer::Purchase,
    console::{count, table},
};

/// Something that must hold, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Checked {
    statement: &'static str,
    found: String,
    pub(super) holds: bool,
}

/// What all ledgers together say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ledgers {
    debits: usize,
    /// Buyers whose last balance is not what they charged without what they paid.
    off: usize,
    unread: usize,
}

/// Compares what the buyers were answered; their ledgers are read for it, everybody's.
pub(super) async fn run(rush: &Rush, people: &[Person], performance: &PerformanceInput) -> Vec<Checked> {
    let bought: Vec<Purchase> = people.iter().filter_map(|person| person.ended.clone().ok()).collect();
    let orders: Vec<u64> = people.iter().filter_map(|person| person.buyer.order()).collect();
    let ledgers = read(people).await;
    let wanted = people.len().min(usize::try_from(performance.seats).unwrap_or(usize::MAX));
    judge(&bought, &orders, &ledgers, wanted, rush.unexpected.first())
}

async fn read(people: &[Person]) -> Ledgers {
    let mut ledgers = Ledgers::default();
    for person in people.iter().filter(|person| person.buyer.user_token().is_some()) {
        let Ok(ledger) = person.buyer.ledger().await else {
            ledgers.unread += 1;
            continue;
        };
        ledgers.debits += ledger.iter().filter(|entry| entry.kind == "debit").count();
        let paid = person.ended.as_ref().map_or(0, |purchase| purchase.amount);
        let balance = ledger.iter().max_by_key(|entry| entry.number).map_or(0, |entry| entry.balance_after);
        ledgers.off += usize::from(balance != person.buyer.charged() - paid);
    }
    ledgers
}

fn judge(
    bought: &[Purchase],
    orders: &[u64],
    ledgers: &Ledgers,
    wanted: usize,
    unexpected: Option<&String>,
) -> Vec<Checked> {
    let seats: BTreeSet<_> = bought.iter().map(|purchase| (purchase.performance, purchase.seat)).collect();
    let payments: BTreeSet<_> = bought.iter().map(|purchase| purchase.payment).collect();
    let numbers: BTreeSet<_> = orders.iter().collect();
    let checked = |statement, found, holds| Checked { statement, found, holds };
    let paid = bought.len();
    vec![
        checked(
            "every seat is paid, and no more than there are",
            format!("{paid} of {wanted}"),
            paid == wanted,
        ),
        checked("no seat is in two purchases", count(seats.len(), "different seat"), seats.len() == paid),
        checked(
            "no payment is in two purchases",
            count(payments.len(), "different payment"),
            payments.len() == paid,
        ),
        checked(
            "the ledgers have one debit for each seat paid",
            count(ledgers.debits, "debit"),
            ledgers.debits == paid && ledgers.unread == 0,
        ),
        checked(
            "every balance is what was charged without what was paid",
            format!("{} off", ledgers.off),
            ledgers.off == 0 && ledgers.unread == 0,
        ),
        checked(
            "no two buyers have the same number in the queue",
            count(numbers.len(), "different number"),
            numbers.len() == orders.len(),
        ),
        checked(
            "nobody met an error",
            unexpected.map_or_else(|| "none".into(), Clone::clone),
            unexpected.is_none(),
        ),
    ]
}

/// The checks for people.
pub(super) fn table_of(checks: &[Checked]) -> Table {
    let mut told = table(&["statement", "found", "verdict"]);
    for check in checks {
        let verdict = if check.holds { "holds" } else { "VIOLATED" };
        told.add_row([Cell::new(check.statement), Cell::new(&check.found), Cell::new(verdict)]);
    }
    told
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn purchase(seat: u32) -> Purchase {
        let id = |kind: u128| Uuid::from_u128(kind + u128::from(seat));
        Purchase { performance: Uuid::nil(), seat, amount: 5, payment: id(1_000), reservation: id(2_000) }
    }

    fn violated(bought: &[Purchase], orders: &[u64], ledgers: &Ledgers) -> Vec<&'static str> {
        let checks = judge(bought, orders, ledgers, 3, None);
        checks.into_iter().filter(|check| !check.holds).map(|check| check.statement).collect()
    }

    fn debits(debits: usize) -> Ledgers {
        Ledgers { debits, ..Ledgers::default() }
    }

    #[test]
    fn a_right_rush_passes_every_check() {
        let bought = [1, 2, 3].map(purchase);
        assert!(violated(&bought, &[1, 2, 3, 4], &debits(3)).is_empty());
    }

    #[test]
    fn a_seat_sold_twice_is_found() {
        let twice = Purchase { payment: Uuid::from_u128(9), ..purchase(2) };
        let found = violated(&[purchase(1), purchase(2), twice], &[1, 2, 3], &debits(3));
        assert_eq!(found, ["no seat is in two purchases"]);
    }

    #[test]
    fn one_payment_for_two_seats_is_found() {
        let free = Purchase { payment: purchase(2).payment, ..purchase(3) };
        let found = violated(&[purchase(1), purchase(2), free], &[1, 2, 3], &debits(3));
        assert_eq!(found, ["no payment is in two purchases"]);
    }

    #[test]
    fn too_few_and_too_many_paid_are_found() {
        for seats in [2, 4] {
            let bought: Vec<_> = (1..=seats).map(purchase).collect();
            let found = violated(&bought, &[], &debits(bought.len()));
            assert_eq!(found, ["every seat is paid, and no more than there are"]);
        }
    }

    #[test]
    fn a_debit_too_many_and_a_balance_that_is_off_are_found() {
        let bought = [1, 2, 3].map(purchase);
        let off = Ledgers { debits: 4, off: 1, unread: 0 };
        assert_eq!(violated(&bought, &[1, 2, 3], &off).len(), 2);
        let unread = Ledgers { debits: 3, off: 0, unread: 1 };
        assert_eq!(violated(&bought, &[1, 2, 3], &unread).len(), 2);
    }

    #[test]
    fn a_number_given_twice_and_an_error_are_found() {
        let bought = [1, 2, 3].map(purchase);
        assert_eq!(
            violated(&bought, &[1, 2, 2], &debits(3)),
            ["no two buyers have the same number in the queue"]
        );
        let error = String::from("internal_error: the service failed");
        let checks = judge(&bought, &[1, 2, 3], &debits(3), 3, Some(&error));
        assert_eq!(checks.iter().filter(|check| !check.holds).count(), 1);
    }
}
