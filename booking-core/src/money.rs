//! Money in whole minor units of one currency: checked integers only (I8).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A sum of zero or more minor units: a balance, a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Money(i64);

/// A sum of at least one minor unit: what a wallet is charged with (W3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Amount(i64);

/// A number that is no sum of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// Balances and prices are never negative.
    #[error("must not be negative")]
    Negative,
    /// An amount that moves is positive.
    #[error("must be a positive integer in the currency's minor unit")]
    NotPositive,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `units` minor units.
    pub fn new(units: i64) -> Result<Self, InvalidMoney> {
        if units < 0 { Err(InvalidMoney::Negative) } else { Ok(Self(units)) }
    }

    /// The number of minor units.
    pub fn units(self) -> i64 {
        self.0
    }

    /// The sum, unless it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// What is left, unless `other` is more than there is.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).filter(|rest| *rest >= 0).map(Self)
    }

    /// This sum `times` times, unless it does not fit.
    pub fn checked_mul(self, times: usize) -> Option<Self> {
        self.0.checked_mul(i64::try_from(times).ok()?).map(Self)
    }
}

impl Amount {
    /// `units` minor units, at least one.
    pub fn new(units: i64) -> Result<Self, InvalidMoney> {
        if units < 1 { Err(InvalidMoney::NotPositive) } else { Ok(Self(units)) }
    }

    /// The number of minor units.
    pub fn units(self) -> i64 {
        self.0
    }
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        Self(amount.0)
    }
}

impl TryFrom<i64> for Money {
    type Error = InvalidMoney;

    fn try_from(units: i64) -> Result<Self, Self::Error> {
        Self::new(units)
    }
}

impl TryFrom<i64> for Amount {
    type Error = InvalidMoney;

    fn try_from(units: i64) -> Result<Self, Self::Error> {
        Self::new(units)
    }
}

impl From<Money> for i64 {
    fn from(money: Money) -> Self {
        money.0
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_never_negative_and_an_amount_is_at_least_one() {
        assert_eq!(Money::new(-1), Err(InvalidMoney::Negative));
        assert_eq!(Money::new(0).map(Money::units), Ok(0));
        assert_eq!(Amount::new(0), Err(InvalidMoney::NotPositive));
        assert_eq!(Amount::new(i64::MIN), Err(InvalidMoney::NotPositive));
        assert_eq!(Amount::new(1).map(Amount::units), Ok(1));
    }

    #[test]
    fn sums_that_do_not_fit_are_refused_instead_of_wrapping() {
        let most = Money::new(i64::MAX).unwrap();
        let one = Money::new(1).unwrap();
        assert_eq!(most.checked_add(one), None);
        assert_eq!(most.checked_mul(2), None);
        assert_eq!(Money::ZERO.checked_sub(one), None);
        assert_eq!(most.checked_sub(most), Some(Money::ZERO));
    }
}
