//! The booking port: rows to and from the file, and the calls.

pub(crate) mod load;
mod port;
pub(crate) mod rows;
pub(crate) mod save;
