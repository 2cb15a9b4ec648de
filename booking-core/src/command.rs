use crate::{catalog, hold, payment, wallet};

/// Something a store is asked to do. What it touches is told by [`Command::touches`], whether it may happen and what
/// happens then by [`decide`](crate::decide()).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Concerts, performances, lanes.
    Catalog(catalog::Command),
    /// Seats and holds.
    Hold(hold::Command),
    /// Wallets.
    Wallet(wallet::Command),
    /// Payments.
    Payment(payment::Command),
}

impl From<catalog::Command> for Command {
    fn from(command: catalog::Command) -> Self {
        Self::Catalog(command)
    }
}

impl From<hold::Command> for Command {
    fn from(command: hold::Command) -> Self {
        Self::Hold(command)
    }
}

impl From<wallet::Command> for Command {
    fn from(command: wallet::Command) -> Self {
        Self::Wallet(command)
    }
}

impl From<payment::Command> for Command {
    fn from(command: payment::Command) -> Self {
        Self::Payment(command)
    }
}
