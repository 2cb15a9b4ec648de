//! The store on a real Redis. `scripts/with-servers cargo test -p booking-store-redis` starts one; without a server
//! these tests fail.

mod conformance;
mod random;
mod support;
