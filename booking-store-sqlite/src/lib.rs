//! The booking engine's stores in one SQLite file: durable, with no server beside the process, one process a file.
//!
//! There is no rule in here. The state is kept in memory, as it is in the file; reads look at it and wait for nobody.
//! Two threads change it. The decider takes every command that waits and lets [`booking_core::State`] decide them on a copy
//! of the rows they touch; the saver saves what changed in one transaction; and when that is on the disk the state in
//! memory follows the events and everybody is answered. While one group is saved the decider goes on with the next, as
//! long as their [`booking_core::Reach`] does not meet: commands that do wait until the group is in memory. A third moves
//! what is in the write-ahead log to its place, for which commits would wait long.
//!
//! So memory never holds what the file does not. No answer, a read or a refusal included, shows what a crash could take
//! back, and a commit that fails leaves nothing to undo: its copy is dropped, and what was decided after it is decided
//! anew. Copying costs a microsecond a command; the ways around it were to make reads wait for the disk, or to undo
//! changes by a second set of rules.
//!
//! A lane can't be copied in part, so the decider has lanes of its own, which are ahead of those that are read by what
//! is decided and not saved; after a failed commit they are copied anew. A waiting person takes twice the memory for it.

mod backup;
mod booking;
mod codec;
mod connect;
mod joint;
mod lock;
mod migrate;
mod queue;
mod reader;
mod shared;
mod store;
mod trouble;
mod writer;

pub use backup::backup;
pub use connect::{OpenError, SqliteConfig};
pub use store::SqliteStore;
