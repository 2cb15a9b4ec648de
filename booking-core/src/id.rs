//! Typed identities. Whoever creates a thing chooses its id, so repeating the request finds the thing instead
//! of making a second one (I21).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A random id, for callers that have no identity of their own to derive one from. It begins with the time it
            /// was made (a version 7 UUID), which nobody goes by, but which puts what is new beside each other in a store's index.
            pub fn random() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A person who may queue, hold and pay.
    UserId
);
id!(
    /// A concert, whatever number of dates it has.
    ConcertId
);
id!(
    /// One dated show of a concert.
    PerformanceId
);
id!(
    /// A buyer's record of held or bought seats.
    ReservationId
);
id!(
    /// The payment of one reservation.
    PaymentId
);
id!(
    /// One line of a wallet's ledger.
    EntryId
);

impl PaymentId {
    /// The payment due for a reservation. Each reservation has exactly one, so the id follows from it: the same UUID with
    /// some of its last bits turned over. A digest would do as well, but is a tenth of what a hold costs.
    pub fn of(reservation: ReservationId) -> Self {
        const TURNED: u128 = 0x7061_796D_656E;
        Self(Uuid::from_u128(reservation.0.as_u128() ^ TURNED))
    }
}

impl EntryId {
    /// The ledger line that pays `payment`; one to one (I9). It is no UUID that anybody has at hand: who charges a wallet
    /// for a payment may well name the charge by the payment.
    pub fn debit_of(payment: PaymentId) -> Self {
        Self(Uuid::new_v5(&payment.0, b"debit"))
    }

    /// The ledger line that gives `payment` back; a payment is refunded at most once.
    pub fn refund_of(payment: PaymentId) -> Self {
        Self(Uuid::new_v5(&payment.0, b"refund"))
    }
}

/// The identity that a user's idempotency key gives to what an operation creates (I21): the same user, operation
/// and key name the same entity on every instance, for ever, without a table of keys.
pub fn from_idempotency_key(user: UserId, operation: &str, key: &str) -> Uuid {
    Uuid::new_v5(&user.0, format!("{operation}\n{key}").as_bytes())
}
