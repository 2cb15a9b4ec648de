//! A user's money: a balance and the ledger it is the sum of (W4). Having a wallet is what makes a user known.

pub(crate) mod decide;
mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use decide::decide;
pub(crate) use state::evolve;
pub use state::{Entry, EntryKind, Wallet};

use crate::{
    id::{EntryId, UserId},
    money::Amount,
    time::Timestamp,
};

/// What is asked of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Makes a user known, with an empty wallet.
    Open(UserId),
    /// Puts money in (W1).
    Charge {
        /// The identity of the ledger line to write.
        entry: EntryId,
        /// Whose wallet.
        user: UserId,
        /// How much.
        amount: Amount,
    },
}

/// What happened to a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A user became known.
    WalletOpened {
        /// The user.
        user: UserId,
        /// When.
        at: Timestamp,
    },
    /// Money was put in.
    WalletCharged(Entry),
    /// A payment took money.
    WalletDebited(Entry),
    /// A payment was given back.
    WalletRefunded(Entry),
}
