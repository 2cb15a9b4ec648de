//! The store on a real Redis. `scripts/with-servers cargo test -p booking-store-redis` starts one; without a server
//! these tests fail.

mod cluster;
mod conformance;
mod failover;
mod outages;
mod prefixes;
mod random;
mod restarts;
mod support;
mod vast;
