//! What a batch needs, worked out before the database is asked anything.

use std::collections::BTreeSet;

use booking_core::{
    Command, Keys, hold,
    id::{PaymentId, ReservationId, UserId},
    payment,
};

/// What deciding a batch needs.
pub(super) struct Wanted {
    /// The rows the commands name.
    pub(super) keys: Keys,
    /// The users to lock: those the keys name, and those who the commands say own what they name. A guess that is
    /// checked when the reservations are loaded; it only has to be right most of the time.
    pub(super) users: BTreeSet<UserId>,
    /// Reservations of which no command says whose they are.
    pub(super) unowned: Vec<ReservationId>,
    /// Payments of which no command says whose they are.
    pub(super) unowned_payments: Vec<PaymentId>,
}

impl Wanted {
    pub(super) fn by(batch: &[&Command]) -> Self {
        let keys = Keys::of(batch.iter().copied());
        let users = keys.users.clone();
        let mut wanted = Self { keys, users, unowned: Vec::new(), unowned_payments: Vec::new() };
        for command in batch {
            wanted.guess(command);
        }
        wanted
    }

    fn guess(&mut self, command: &Command) {
        match command {
            Command::Hold(hold::Command::Release { user, .. }) => {
                self.users.insert(*user);
            }
            Command::Hold(hold::Command::Leave(ticket))
            | Command::Payment(payment::Command::Pay { ticket, .. }) => {
                self.users.insert(ticket.user);
            }
            Command::Hold(hold::Command::Expire(reservation)) => self.unowned.push(*reservation),
            Command::Payment(payment::Command::Refund(payment)) => self.unowned_payments.push(*payment),
            Command::Hold(hold::Command::Place { .. }) | Command::Wallet(_) | Command::Catalog(_) => {}
        }
    }

    /// Whether the catalogue itself is to change.
    pub(super) fn changes_catalog(batch: &[Command]) -> bool {
        batch.iter().any(|command| matches!(command, Command::Catalog(_)))
    }
}
