//! The store on a real PostgreSQL. `scripts/with-servers cargo test -p booking-store-pg` starts one; without a server
//! these tests fail.

mod conformance;
mod schema;
mod support;
