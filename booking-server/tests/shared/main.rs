//! Servers as they run in earnest: several of them on one PostgreSQL and one Redis, and a Redis that fails.
//! `scripts/with-servers cargo test -p booking-server` starts what they need; without it these tests fail.
#![cfg(all(feature = "postgres", feature = "redis", feature = "sqlite"))]
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

mod crowd;
mod drain;
mod instances;
mod onlookers;
mod outages;
#[path = "../../../booking-store-redis/tests/redis/support/server.rs"]
#[allow(dead_code, reason = "the store's own tests do more with it")]
mod redis_server;
mod support;
