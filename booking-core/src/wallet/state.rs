use serde::{Deserialize, Serialize};

use super::Event;
use crate::{
    id::{EntryId, PaymentId, UserId},
    money::Money,
    state::State,
    time::Timestamp,
};

/// A user's balance. It is the sum of the wallet's entries at every instant (I6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Whose it is.
    pub user: UserId,
    /// What is in it.
    pub balance: Money,
    /// How many entries it has; they are numbered 1 to this, without a gap (I11).
    pub entries: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// One line of the ledger. It is written once and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its identity.
    pub id: EntryId,
    /// Whose wallet.
    pub user: UserId,
    /// Its place in the wallet's ledger, from 1.
    pub number: u64,
    /// Why money moved.
    pub kind: EntryKind,
    /// How much moved.
    pub amount: Money,
    /// The balance when it had moved.
    pub balance_after: Money,
    /// When.
    pub at: Timestamp,
}

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "payment")]
pub enum EntryKind {
    /// It was put in.
    Charge,
    /// It paid this.
    Debit(PaymentId),
    /// It came back from this.
    Refund(PaymentId),
}

impl EntryKind {
    /// The kind as the word used in API and stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Debit(_) => "debit",
            Self::Refund(_) => "refund",
        }
    }

    /// The kind of this word, with the payment that moved the money; none: there is no such kind.
    pub fn from_parts(word: &str, payment: Option<PaymentId>) -> Option<Self> {
        match (word, payment) {
            ("charge", None) => Some(Self::Charge),
            ("debit", Some(payment)) => Some(Self::Debit(payment)),
            ("refund", Some(payment)) => Some(Self::Refund(payment)),
            _ => None,
        }
    }

    /// The payment that moved the money, if one did.
    pub fn payment(self) -> Option<PaymentId> {
        match self {
            Self::Charge => None,
            Self::Debit(payment) | Self::Refund(payment) => Some(payment),
        }
    }
}

pub(crate) fn evolve(state: &mut State, event: &Event) {
    match event {
        Event::WalletOpened { user, at } => {
            let wallet = Wallet { user: *user, balance: Money::ZERO, entries: 0, opened_at: *at };
            state.wallets.insert(wallet);
        }
        Event::WalletCharged(entry) | Event::WalletDebited(entry) | Event::WalletRefunded(entry) => {
            if let Some(wallet) = state.wallets.get_mut(&entry.user) {
                wallet.balance = entry.balance_after;
                wallet.entries = entry.number;
            }
            state.put_entry(entry.clone());
        }
    }
}
