//! Identities by number.

use booking_core::{
    Epoch, Money, Ticket, Timestamp,
    id::{ConcertId, EntryId, PerformanceId, ReservationId, UserId},
};
use uuid::Uuid;

/// When every case begins.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

pub(crate) fn user(n: usize) -> UserId {
    UserId(uuid(0, n))
}

pub(crate) fn concert(n: usize) -> ConcertId {
    ConcertId(uuid(1, n))
}

pub(crate) fn performance(n: usize) -> PerformanceId {
    PerformanceId(uuid(2, n))
}

pub(crate) fn reservation(n: usize) -> ReservationId {
    ReservationId(uuid(3, n))
}

pub(crate) fn entry(n: usize) -> EntryId {
    EntryId(uuid(4, n))
}

fn uuid(kind: u64, n: usize) -> Uuid {
    Uuid::from_u64_pair(kind, n as u64)
}

pub(crate) fn ticket(lane: &str, seq: u64, of: usize) -> Ticket {
    Ticket { lane: lane.parse().expect("a lane name"), epoch: Epoch(1), seq, user: user(of) }
}

pub(crate) fn money(units: i64) -> Money {
    Money::new(units).expect("a sum of money")
}
