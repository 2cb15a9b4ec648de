//! The store against real files, and the ways a disk and a process can fail it.

mod support;

mod ahead;
mod backups;
mod booking;
mod clocks;
mod constraints;
mod crashes;
mod faults;
mod joint;
mod log;
mod queue;
mod restarts;
mod startup;
