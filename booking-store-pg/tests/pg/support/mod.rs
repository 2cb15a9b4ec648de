//! What the tests stand on: databases, a clock that moves, short words.

pub(crate) mod database;
pub(crate) mod harness;
