//! Both ports in memory: for tests, demos and as the heart of stores that keep their working set in memory.
//! Nothing survives the process.

mod booking;
mod joint;
mod log;
mod queue;

pub use booking::MemoryBooking;
pub use joint::MemoryJoint;
pub use queue::MemoryQueue;
