//! What the tests stand on: databases, servers, a wire that can be cut, a clock that moves, short words.

pub(crate) mod bouncer;
pub(crate) mod database;
pub(crate) mod harness;
pub(crate) mod lanes;
pub(crate) mod log;
pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod world;
