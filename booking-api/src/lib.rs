//! What travels over HTTP: requests, answers, and the catalogue of errors. Server, command line and load tests share it.
//!
//! Requests refuse unknown fields, so that a misspelt one is told instead of ignored.

mod admin;
mod catalog;
#[cfg(feature = "client")]
pub mod client;
mod desk;
mod instant;
mod list;
#[cfg(feature = "openapi")]
pub mod openapi;
mod payments;
mod problem;
mod queue;
mod reservations;
mod users;
mod wallet;

pub use admin::{
    AuditCheck, AuditReport, ConcertInput, ConcertsPut, Events, EventsQuery, LaneChange, LaneStatus,
    PerformanceInput, PutConcerts, Refund,
};
pub use catalog::{Concert, Performance, PerformancesQuery, SeatChanges, SeatOfMap, Seats, SeatsQuery};
pub use desk::{OwnedPayment, OwnedReservation, Release, SeatHistory};
pub use list::{InvalidPage, List, ListQuery, MOST_A_PAGE, decode_cursor, encode_cursor};
pub use payments::{CreatePayment, Payment, PaymentMade};
pub use problem::{Code, PROBLEM_JSON, Problem};
pub use queue::{EnterQueue, PlaceStatus, QueuePlace, QueueToken};
pub use reservations::{CreateReservation, PaymentDue, Reservation};
pub use users::{CreateUser, UserCreated};
pub use wallet::{ChargeMade, CreateCharge, Entry, Wallet};

/// The header that carries the caller's identity of a request (I21).
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header that marks an answer as that of an earlier, equal request.
pub const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";
