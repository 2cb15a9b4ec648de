//! A ticket is a place in a lane; the queue token is its signed bearer form.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{id::UserId, refusal::Refusal, words::words};

/// The name of a lane, a waiting queue: 1 to 32 of `a-z`, `0-9`, `-`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LaneName(Arc<str>);

/// A text that is no lane name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a lane name has 1 to 32 characters out of a-z, 0-9 and -")]
pub struct InvalidLaneName;

impl LaneName {
    /// The lane of every concert that has none of its own.
    pub fn main() -> Self {
        Self("main".into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LaneName {
    type Err = InvalidLaneName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=32).contains(&text.len());
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits && plain { Ok(Self(text.into())) } else { Err(InvalidLaneName) }
    }
}

impl TryFrom<String> for LaneName {
    type Error = InvalidLaneName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<LaneName> for String {
    fn from(name: LaneName) -> Self {
        name.0.as_ref().into()
    }
}

impl fmt::Display for LaneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LaneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaneName({})", self.0)
    }
}

/// One life of a lane. A lane that lost its numbers gets a new one, so that an old ticket can't be taken for a new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// One that no other life of a lane has.
    pub fn random() -> Self {
        Self(Uuid::new_v4().as_u64_pair().0)
    }
}

/// A place in a lane: the `seq`-th to enter it in this epoch, and whose it is (I17).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ticket {
    /// The lane.
    pub lane: LaneName,
    /// The life of the lane that gave the number.
    pub epoch: Epoch,
    /// The number taken; admission is in this order (Q3).
    pub seq: u64,
    /// The person it was given to.
    pub user: UserId,
}

impl Ticket {
    /// Whether it is of the lane that leads to what is wanted (Q6).
    ///
    /// # Errors
    /// [`Refusal::WrongLane`], which names the right one.
    pub fn check_leads_to(&self, lane: &LaneName) -> Result<(), Refusal> {
        if self.lane == *lane { Ok(()) } else { Err(Refusal::WrongLane { lane: lane.clone() }) }
    }
}

words! {
    /// Why a ticket is over (Q9). It never comes back (I16).
    pub enum EndReason as "end of a ticket" {
        /// The reservation was paid.
        Completed = "completed",
        /// The hold ran out unpaid.
        HoldExpired = "hold_expired",
        /// The session time ran out.
        SessionExpired = "session_expired",
        /// Admitted, but nobody came within the claim window.
        NoShow = "no_show",
        /// The user left.
        Left = "left",
        /// Every seat of the lane was sold.
        SoldOut = "sold_out",
        /// The lane was closed.
        Closed = "closed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_name_is_short_and_plain() {
        assert!("main".parse::<LaneName>().is_ok());
        assert!("hot-concert-7".parse::<LaneName>().is_ok());
        for bad in ["", "Main", "a b", "{a}", "ä", &"x".repeat(33)] {
            assert_eq!(bad.parse::<LaneName>(), Err(InvalidLaneName), "{bad:?}");
        }
    }
}
