//! The queue port: rows to and from the file, and the calls.

mod port;
mod rows;

pub(crate) use rows::{load, save};
