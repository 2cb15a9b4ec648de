//! A consistent copy of a file, while a server works on it or not.

use std::path::Path;

use rusqlite::{
    Connection, ErrorCode, Result,
    backup::{Backup, StepResult},
};

use crate::connect::{OpenError, connect_to_read, is_ours, make_whole};

/// Everybody who waits has lost the place in a copy: people take numbers after it is made, and would be given those
/// again. A lane without numbers comes back with a new epoch, in which the old tickets are refused (I22).
const FORGET_THE_QUEUE: &str = "DELETE FROM tickets; DELETE FROM queue_lanes";

/// Copies the file `from`, as it is at one instant, to `to`, which must not be there. A server may be at work on it: it
/// goes on writing. The queue is not copied: in a restored copy people enter anew.
pub fn backup(from: &Path, to: &Path) -> Result<(), OpenError> {
    let unusable = |path: &Path, why: String| OpenError::Unusable { path: path.into(), why };
    if to.exists() {
        return Err(unusable(to, "it is there already, and is not overwritten".into()));
    }
    match is_ours(from) {
        Ok(true) => {}
        Ok(false) => {
            let why = "it is a database of another program".into();
            return Err(OpenError::Foreign { path: from.into(), why });
        }
        Err(error) => return Err(unusable(from, error.to_string())),
    }
    let source = connect_to_read(from).map_err(|error| unusable(from, error.to_string()))?;
    let made = make_whole(to, |copy| {
        copy_pages(&source, copy)?;
        copy.execute_batch(FORGET_THE_QUEUE)
    });
    made.map_err(|error| unusable(to, error.to_string()))
}

fn copy_pages(source: &Connection, copy: &mut Connection) -> Result<()> {
    // One step is one view of the source: what is committed meanwhile is in the write-ahead log, behind it.
    match Backup::new(source, copy)?.step(-1)? {
        StepResult::Done => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error { code: ErrorCode::DatabaseBusy, extended_code: 5 },
            Some("the file was busy; try again".into()),
        )),
    }
}
