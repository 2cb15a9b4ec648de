//! What the tests share.

pub(crate) mod chance;
pub(crate) mod harness;
