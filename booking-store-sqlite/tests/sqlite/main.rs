//! The store against real files, and the ways a disk and a process can fail it.

mod support;

mod booking;
mod queue;
