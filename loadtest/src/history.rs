//! What people asked and heard: one record a request, kept until the oracle has judged it.
//!
//! The three outcomes are kept apart. *Acknowledged* must be found in the books afterwards, *refused* must not be, and
//! of *unknown* either may be true, but one effect at most.

use booking_api::{Code, PlaceStatus};
use booking_core::hold::ReservationStatus;
use serde::Serialize;
use uuid::Uuid;

/// Microseconds since the run began, by the clock of the load test.
pub type Micros = u64;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who asked.
    pub person: u32,
    /// Which of the servers was asked.
    pub host: usize,
    /// When it was to be sent: delays of the load test itself count as the server's.
    pub due: Micros,
    /// When it was sent.
    pub sent: Micros,
    /// When the whole answer was there, or all hope for it was lost.
    pub answered: Micros,
    /// What was asked.
    pub act: Act,
    /// What was heard.
    pub heard: Heard,
}

/// What is asked of the service. A `key` is the number that the caller's idempotency key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// A request whose only use is that connections and caches are ready.
    WarmUp,
    /// `POST /v1/users`.
    SignUp,
    /// `POST /v1/queue/tokens`.
    Enter,
    /// The same for the lane beside, whose tickets are good for nothing in the run.
    EnterBeside,
    /// `GET /v1/queue/status`.
    Status,
    /// `DELETE /v1/queue/tokens`.
    Leave,
    /// `GET /v1/performances`.
    Dates,
    /// `GET /v1/performances/{id}/seats`.
    Seats(Uuid),
    /// `POST /v1/reservations`.
    Hold {
        /// The caller's identity of the request.
        key: u32,
        /// The performance.
        performance: Uuid,
        /// The seat.
        seat: u32,
    },
    /// `DELETE /v1/reservations/{id}`.
    Release(Uuid),
    /// `POST /v1/payments`.
    Pay(Uuid),
    /// `POST /v1/wallet/charges`.
    Charge {
        /// The caller's identity of the request.
        key: u32,
        /// How much.
        amount: i64,
    },
    /// `GET /v1/wallet`.
    Wallet,
    /// Something that nobody may do.
    Probe(Probe),
}

/// What nobody may do, tried on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Probe {
    /// A hold with a queue token that has another epoch in it than was signed.
    ForgedToken {
        /// The performance that was asked for.
        performance: Uuid,
    },
    /// A hold with a user token.
    UserToken {
        /// The performance that was asked for.
        performance: Uuid,
    },
    /// A hold with the token of another lane.
    WrongLane {
        /// The performance that was asked for.
        performance: Uuid,
    },
    /// Paying somebody else's reservation.
    PayForeign(Uuid),
    /// Releasing somebody else's reservation.
    ReleaseForeign(Uuid),
}

/// What is the same for all acts of a kind: the line of statistics they belong to.
pub const KINDS: [&str; 13] = [
    "sign up", "enter", "status", "leave", "dates", "seats", "hold", "release", "pay", "charge", "wallet",
    "probe", "warm-up",
];

impl Act {
    /// The kind, as an index into [`KINDS`].
    pub fn kind(&self) -> usize {
        match self {
            Self::SignUp => 0,
            Self::Enter | Self::EnterBeside => 1,
            Self::Status => 2,
            Self::Leave => 3,
            Self::Dates => 4,
            Self::Seats(_) => 5,
            Self::Hold { .. } => 6,
            Self::Release(_) => 7,
            Self::Pay(_) => 8,
            Self::Charge { .. } => 9,
            Self::Wallet => 10,
            Self::Probe(_) => 11,
            Self::WarmUp => 12,
        }
    }

    /// The kind in a word.
    pub fn name(&self) -> &'static str {
        KINDS[self.kind()]
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is done.
    Acknowledged(Fact),
    /// It is not done.
    Refused(Code),
    /// Whether it is done is not known: no answer came, or one that says so.
    Unknown(&'static str),
    /// The answer has not the form it must have. Whether it is done is not known either.
    Nonsense(u16),
}

/// What an acknowledgement said, as far as the oracle compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Nothing to compare.
    Plain,
    /// Where a ticket stands.
    Place(PlaceFact),
    /// A reservation.
    Held(HeldFact),
    /// A payment.
    Paid(PaidFact),
    /// A charge.
    Charged(ChargedFact),
    /// A balance.
    Balance(i64),
}

/// A number in a life of the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId {
    /// The life of the lane.
    pub epoch: u64,
    /// The number taken.
    pub order: u64,
}

/// Where a ticket stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceFact {
    /// The ticket.
    pub ticket: TicketId,
    /// Whose it is, as the server says.
    pub user: Uuid,
    /// Waiting, admitted or done.
    pub status: PlaceStatus,
    /// While waiting: the place, 1 being next, and how many are ahead.
    pub rank: Option<(u64, u64)>,
    /// When done: why.
    pub reason: Option<String>,
}

/// A reservation. Instants are microseconds since 1970 by the store's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFact {
    /// Its identity.
    pub reservation: Uuid,
    /// The performance.
    pub performance: Uuid,
    /// The seat.
    pub seat: u32,
    /// What it costs.
    pub amount: i64,
    /// When it was made.
    pub created_at: i64,
    /// When the hold ends.
    pub until: i64,
    /// Where it stands.
    pub status: ReservationStatus,
    /// Whether this is the answer of an earlier, equal request.
    pub replayed: bool,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidFact {
    /// Its identity.
    pub payment: Uuid,
    /// What it paid.
    pub reservation: Uuid,
    /// How much.
    pub amount: i64,
    /// The balance it left.
    pub balance: i64,
    /// When, in microseconds since 1970 by the store's clock.
    pub paid_at: i64,
    /// Whether this is the answer of an earlier, equal request.
    pub replayed: bool,
}

/// A charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargedFact {
    /// Its line in the ledger.
    pub entry: Uuid,
    /// How much.
    pub amount: i64,
    /// The balance it left.
    pub balance: i64,
}

impl Seen {
    /// Where the ticket stood, if the answer said so.
    pub fn place(&self) -> Option<&PlaceFact> {
        if let Heard::Acknowledged(Fact::Place(place)) = &self.heard { Some(place) } else { None }
    }

    /// The reservation, if one was acknowledged.
    pub fn held(&self) -> Option<&HeldFact> {
        if let Heard::Acknowledged(Fact::Held(held)) = &self.heard { Some(held) } else { None }
    }

    /// The payment, if one was acknowledged.
    pub fn paid(&self) -> Option<&PaidFact> {
        if let Heard::Acknowledged(Fact::Paid(paid)) = &self.heard { Some(paid) } else { None }
    }

    /// The charge, if one was acknowledged.
    pub fn charged(&self) -> Option<&ChargedFact> {
        if let Heard::Acknowledged(Fact::Charged(charged)) = &self.heard { Some(charged) } else { None }
    }

    /// Whether it is done for sure.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self.heard, Heard::Acknowledged(_))
    }

    /// Whether it is not known if it is done.
    pub fn is_unknown(&self) -> bool {
        matches!(self.heard, Heard::Unknown(_) | Heard::Nonsense(_))
    }

    /// Whether the machinery failed, instead of a rule saying no.
    pub fn is_error(&self) -> bool {
        match &self.heard {
            Heard::Acknowledged(_) => false,
            Heard::Refused(code) => code.status() >= 500,
            Heard::Unknown(_) | Heard::Nonsense(_) => true,
        }
    }
}

/// A lane as it was during the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// When it was asked for.
    pub sent: Micros,
    /// When the answer came.
    pub answered: Micros,
    /// How many were waiting.
    pub waiting: u64,
    /// How many were admitted.
    pub admitted: u64,
    /// How many numbers had been given.
    pub entered: u64,
    /// Whether somebody could be admitted: not paused, not closed, not sold out, with no limit by the second.
    pub open: bool,
}
