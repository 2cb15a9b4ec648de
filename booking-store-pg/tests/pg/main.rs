//! The store on a real PostgreSQL. `scripts/with-servers cargo test -p booking-store-pg` starts one; without a server
//! these tests fail.

mod commits;
mod conformance;
mod constraints;
mod copies;
mod cursor;
mod imports;
mod lanes;
mod lists;
mod neighbours;
mod outages;
mod overlap;
mod presumed;
mod queues;
mod rush;
mod schema;
mod seats;
mod startup;
mod stock;
mod support;
