//! What an operator may choose: the limits and spans the rules use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// The longest span any policy may name: 30 days.
pub const LONGEST_SPAN: Duration = Duration::from_hours(30 * 24);

/// Limits of holds and wallets, the same for all lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookingPolicy {
    /// How long a hold lasts unpaid (H1).
    pub hold_ttl: Duration,
    /// How many live reservations one user may have at once (H4).
    pub live_reservations_per_user: usize,
    /// How many seats of one performance a user may have, held and bought together (H4).
    pub seats_per_user: usize,
    /// The balance that no charge may exceed (W3). Refunds are not bound by it.
    pub max_balance: Money,
}

impl Default for BookingPolicy {
    fn default() -> Self {
        Self {
            hold_ttl: Duration::from_mins(5),
            live_reservations_per_user: 1,
            seats_per_user: 1,
            max_balance: Money::new(1_000_000_000_000_000).unwrap_or_default(),
        }
    }
}

/// How a lane admits people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanePolicy {
    /// How many may be admitted at once (Q8).
    pub capacity: u32,
    /// How many may wait; none: any number (Q8).
    pub max_waiting: Option<u64>,
    /// How many are admitted a second at most; none: as capacity allows.
    pub admit_per_second: Option<u32>,
    /// How long an admitted person has to show up (Q9).
    pub claim_ttl: Duration,
    /// How long the session lasts from the first booking call (Q9).
    pub session_ttl: Duration,
}

impl Default for LanePolicy {
    fn default() -> Self {
        Self {
            capacity: 1_000,
            max_waiting: None,
            admit_per_second: None,
            claim_ttl: Duration::from_mins(1),
            session_ttl: Duration::from_mins(15),
        }
    }
}

/// A policy nobody can work under, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// A span is zero or absurdly long.
    #[error("{0} must be between 1 ms and 30 days")]
    Span(&'static str),
    /// A count that must be at least one is zero.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    /// More admissions a second than can be counted.
    #[error("admit_per_second must be at most 1000000; leave it out for no limit")]
    Rate,
}

fn check_span(name: &'static str, span: Duration) -> Result<(), InvalidPolicy> {
    let fits = (Duration::from_millis(1)..=LONGEST_SPAN).contains(&span);
    if fits { Ok(()) } else { Err(InvalidPolicy::Span(name)) }
}

impl BookingPolicy {
    /// Whether one can work under this policy.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        check_span("hold_ttl", self.hold_ttl)?;
        if self.live_reservations_per_user == 0 {
            return Err(InvalidPolicy::Zero("live_reservations_per_user"));
        }
        if self.seats_per_user == 0 {
            return Err(InvalidPolicy::Zero("seats_per_user"));
        }
        Ok(())
    }
}

impl LanePolicy {
    /// Whether one can work under this policy. A capacity of 0 admits nobody, which is allowed.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        check_span("claim_ttl", self.claim_ttl)?;
        check_span("session_ttl", self.session_ttl)?;
        match self.admit_per_second {
            Some(0) => Err(InvalidPolicy::Zero("admit_per_second")),
            Some(rate) if rate > 1_000_000 => Err(InvalidPolicy::Rate),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_ones_and_valid() {
        let booking = BookingPolicy::default();
        assert_eq!((booking.hold_ttl.as_secs(), booking.max_balance.units()), (300, 1_000_000_000_000_000));
        assert_eq!(booking.check(), Ok(()));
        assert_eq!(LanePolicy::default().check(), Ok(()));
    }

    #[test]
    fn a_policy_nobody_can_work_under_is_refused() {
        let refused = [
            BookingPolicy { hold_ttl: Duration::ZERO, ..BookingPolicy::default() }.check(),
            BookingPolicy { seats_per_user: 0, ..BookingPolicy::default() }.check(),
            BookingPolicy { live_reservations_per_user: 0, ..BookingPolicy::default() }.check(),
            LanePolicy { claim_ttl: Duration::MAX, ..LanePolicy::default() }.check(),
            LanePolicy { session_ttl: Duration::ZERO, ..LanePolicy::default() }.check(),
            LanePolicy { admit_per_second: Some(0), ..LanePolicy::default() }.check(),
            LanePolicy { admit_per_second: Some(1_000_001), ..LanePolicy::default() }.check(),
        ];
        assert!(refused.iter().all(Result::is_err), "{refused:?}");
    }
}
