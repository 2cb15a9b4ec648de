//! The queue port. Every instance keeps the lanes in memory, as [`booking_core::queue::Lane`]; a step on one locks its
//! row, follows what other instances changed since, decides, and saves the numbers that changed.
//!
//! So there is no rule in here and no counting of who waits: a rank is read from memory, and the database holds what
//! came of it.

mod kept;
mod office;
mod port;
mod rows;
mod turn;
mod worker;

pub(crate) use worker::Queue;

pub(crate) fn statements() -> Vec<&'static str> {
    rows::STATEMENTS.to_vec()
}
