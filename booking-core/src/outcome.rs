use crate::{
    catalog::{Changes, LaneRecord},
    hold::Reservation,
    money::Money,
    payment::Payment,
    wallet::{Entry, Wallet},
};

/// What a command led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Nothing happened now: what the command asks for was there already.
    pub replayed: bool,
    /// What the command asked for, as it is now.
    pub effect: Effect,
}

/// What a command asked for, as it is after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A user's wallet.
    Wallet(Wallet),
    /// A ledger line.
    Entry(Entry),
    /// A reservation.
    Reservation(Reservation),
    /// A payment and the payer's balance.
    Payment {
        /// The payment.
        payment: Payment,
        /// The payer's balance.
        balance: Money,
    },
    /// A lane.
    Lane(LaneRecord),
    /// What became of the drafts of a command.
    Catalog(Changes),
    /// There is nothing to tell.
    Nothing,
}
