//! The same world looked at from four sides: which commands are tried how often, under which limits.

use booking_core::BookingPolicy;
use proptest::prelude::*;

use crate::{
    booking::Books,
    commands::Weights,
    ids::money,
    run::{Tally, run},
};

/// A side to look from.
pub(crate) trait Focus: 'static {
    const WEIGHTS: Weights;
    /// How often a step is a batch of several commands, in a hundred.
    const BATCHES: u32;
    const TALLY: &'static Tally;

    fn policy() -> BoxedStrategy<BookingPolicy>;
}

fn policy(live: usize, seats: usize, most: i64) -> BookingPolicy {
    BookingPolicy {
        live_reservations_per_user: live,
        seats_per_user: seats,
        max_balance: money(most),
        ..BookingPolicy::default()
    }
}

const NONE: Weights =
    Weights { place: 0, release: 0, leave: 0, expire: 0, pay: 0, refund: 0, charge: 0, open: 0, catalog: 0 };

/// Seats, limits and tickets, while time passes.
struct Holds;

impl Focus for Holds {
    const WEIGHTS: Weights =
        Weights { place: 12, release: 3, leave: 2, expire: 3, pay: 2, refund: 1, ..NONE };
    const BATCHES: u32 = 10;
    const TALLY: &'static Tally = {
        static TALLY: Tally = Tally::new();
        &TALLY
    };

    fn policy() -> BoxedStrategy<BookingPolicy> {
        (1..=3_usize, 1..=4_usize).prop_map(|(live, seats)| policy(live, seats, 1_000_000)).boxed()
    }
}

/// Amounts around the limits, and ledgers.
struct Wallets;

impl Focus for Wallets {
    const WEIGHTS: Weights = Weights { place: 3, pay: 4, refund: 3, charge: 12, open: 1, ..NONE };
    const BATCHES: u32 = 10;
    const TALLY: &'static Tally = {
        static TALLY: Tally = Tally::new();
        &TALLY
    };

    fn policy() -> BoxedStrategy<BookingPolicy> {
        let most = prop::sample::select(vec![2_000, 5_000, 1_000_000_000, i64::MAX]);
        most.prop_map(|most| policy(3, 9, most)).boxed()
    }
}

/// Paying and giving back, at the edges of time.
struct Payments;

impl Focus for Payments {
    const WEIGHTS: Weights = Weights { place: 8, expire: 2, pay: 9, refund: 4, charge: 3, ..NONE };
    const BATCHES: u32 = 10;
    const TALLY: &'static Tally = {
        static TALLY: Tally = Tally::new();
        &TALLY
    };

    fn policy() -> BoxedStrategy<BookingPolicy> {
        (1..=3_usize, 1..=9_usize).prop_map(|(live, seats)| policy(live, seats, 1_000_000)).boxed()
    }
}

/// Everything at once, in batches often.
struct Everything;

impl Focus for Everything {
    const WEIGHTS: Weights = Weights {
        place: 12,
        release: 2,
        leave: 1,
        expire: 2,
        pay: 6,
        refund: 2,
        charge: 3,
        open: 1,
        catalog: 3,
    };
    const BATCHES: u32 = 40;
    const TALLY: &'static Tally = {
        static TALLY: Tally = Tally::new();
        &TALLY
    };

    fn policy() -> BoxedStrategy<BookingPolicy> {
        let most = prop::sample::select(vec![5_000, 1_000_000_000, i64::MAX]);
        (1..=3_usize, 1..=4_usize, most).prop_map(|(live, seats, most)| policy(live, seats, most)).boxed()
    }
}

#[test]
fn holds_do_what_the_rules_say() {
    run::<Books<Holds>>(4_500);
    Holds::TALLY.check(120_000);
    Holds::TALLY.check_ahead(5_000);
}

#[test]
fn wallets_do_what_the_rules_say() {
    run::<Books<Wallets>>(4_500);
    Wallets::TALLY.check(120_000);
    Wallets::TALLY.check_ahead(5_000);
}

#[test]
fn payments_do_what_the_rules_say() {
    run::<Books<Payments>>(4_500);
    Payments::TALLY.check(120_000);
    Payments::TALLY.check_ahead(5_000);
}

#[test]
fn a_whole_world_does_what_the_rules_say() {
    run::<Books<Everything>>(6_000);
    Everything::TALLY.check(250_000);
    Everything::TALLY.check_ahead(9_000);
}
