//! One process owns a file. SQLite's own locks last a transaction; this one lasts as long as the store.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The right to open a file, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _held: File,
}

/// The path with something behind its name: `booking.db` and `-lock` make `booking.db-lock`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file that only its owner can read, made if it is not there.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

impl Lock {
    /// Takes the lock of the file at `path`; none if somebody has it. The lock is on a file beside it, which stays:
    /// closing any handle of the file itself would undo the locks SQLite holds on it in this process.
    pub(crate) fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        let held = private(options.write(true).create(true).truncate(false)).open(beside(path, "-lock"))?;
        match held.try_lock() {
            Ok(()) => Ok(Some(Self { _held: held })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
