//! Opening a file, and refusing what is none of ours.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use booking_core::{BookingPolicy, State, Timestamp};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use crate::{
    booking::load,
    lock::{Lock, beside, private},
    migrate, queue,
    shared::Lanes,
    writer::Tidier,
};

/// What SQLite calls the `application_id` of our files: "book".
const OURS: u32 = 0x626F_6F6B;
/// The first bytes of every SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where the header has the application's number.
const APPLICATION: std::ops::Range<usize> = 68..72;
/// What SQLite keeps beside a file while it is in use, or was when its process ended.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];
/// How long to wait for somebody who reads the file with a tool of theirs and writes to it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pages the writer remembers, 8 MiB. SQLite walks over all of them at every commit that moved rows between pages, which
/// with 64 MiB took a sixth of the writer's time; with its usual 2 MiB it reads most leaves of its indexes again.
const PAGES_CACHED: i32 = 2_000;

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The file; it is made if it is not there.
    pub path: PathBuf,
    /// Limits of holds and wallets.
    pub policy: BookingPolicy,
    /// Whether a file that is there is checked whole before it is used: its structure, its constraints, and everything
    /// that must always hold. It takes about as long as reading it once more.
    pub check: bool,
    /// As many pages of 4 KiB in the write-ahead log are moved to their places in the file, some at a time. The log may grow to
    /// three times as many, and by all that is written while somebody reads it for long. A page that many holds changed is moved
    /// once: measured, ten thousand make a third more holds than SQLite's usual thousand.
    pub log_pages: u32,
}

impl SqliteConfig {
    /// The file at this path, checked.
    pub fn new(path: impl Into<PathBuf>, policy: BookingPolicy) -> Self {
        Self { path: path.into(), policy, check: true, log_pages: 10_000 }
    }

    pub(crate) fn unusable(&self, why: impl fmt::Display) -> OpenError {
        OpenError::Unusable { path: self.path.clone(), why: why.to_string() }
    }
}

/// Why a file can't be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by another process; stop that one first, or name another file")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It is not of this program, and stays as it is.
    #[error("{path} is no booking file ({why}); it was left as it is, name another one")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: String,
    },
    /// It is of this program, and damaged; it stays as it is.
    #[error("{path} is damaged ({why}); it was left as it is, restore a copy made by `booking backup`")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A newer build made it.
    #[error("{path} has schema version {version}, and this build knows {newest}: start a newer build")]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        version: i32,
        /// The newest this build knows.
        newest: i32,
    },
    /// The disk or its permissions don't allow it.
    #[error("{path} can't be used: {why}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
}

/// An open file, and what is in it.
pub(crate) struct Opened {
    pub(crate) writer: Connection,
    pub(crate) tidier: Tidier,
    pub(crate) log: Connection,
    pub(crate) auditor: Connection,
    pub(crate) state: State,
    pub(crate) lanes: Lanes,
}

/// A connection to a file that is there.
pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Every connection is used by one thread at a time.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = Connection::open_with_flags(path, flags)?;
    file.busy_timeout(PATIENCE)?;
    file.set_prepared_statement_cache_capacity(64);
    Ok(file)
}

/// A connection that reads.
pub(crate) fn connect_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let file = connect(path)?;
    file.pragma_update(None, "query_only", true)?;
    Ok(file)
}

fn connect_to_write(path: &Path) -> rusqlite::Result<Connection> {
    let file = connect(path)?;
    file.pragma_update(None, "synchronous", "FULL")?;
    // Commits would wait for it; the writer has a thread for that.
    file.pragma_update(None, "wal_autocheckpoint", 0)?;
    file.pragma_update(None, "cache_size", PAGES_CACHED)?;
    // A big transaction stays in memory until its commit. Pages that are written before, when the cache is full, may find
    // the disk so; then SQLite forgets what it read and counts that as another program's commit, and no check of
    // those would pass again.
    file.pragma_update(None, "cache_spill", false)?;
    Ok(file)
}

impl Opened {
    pub(crate) fn from(config: &SqliteConfig, now: Timestamp) -> Result<Self, OpenError> {
        let unusable = |error: io::Error| config.unusable(error);
        let path = real_path(&config.path).map_err(unusable)?;
        let lock = Lock::take(&path).map_err(unusable)?;
        let lock = lock.ok_or_else(|| OpenError::InUse { path: config.path.clone() })?;
        if path.try_exists().map_err(unusable)? {
            check_header(config, &path)?;
        } else {
            create(&path).map_err(|error| config.unusable(error))?;
        }
        let failed = |error| failure(config, &error);
        let mut writer = connect_to_write(&path).map_err(failed)?;
        let version = migrate::version(&writer).map_err(failed)?;
        if version > migrate::newest() {
            let (path, newest) = (config.path.clone(), migrate::newest());
            return Err(OpenError::NewerSchema { path, version, newest });
        }
        keep_log(config, &writer)?;
        migrate::migrate(&mut writer).map_err(failed)?;
        let (log, auditor) =
            (connect_to_read(&path).map_err(failed)?, connect_to_read(&path).map_err(failed)?);
        // Not the writer's: its memory of pages is for those it writes.
        let reader = connect_to_read(&path).map_err(failed)?;
        let (state, lanes) = read(config, &path, &reader, now)?;
        let file = connect_to_write(&path).map_err(failed)?;
        let pages = Arc::new(File::open(&path).map_err(unusable)?);
        let tidier = Tidier { file, pages, lock: Arc::new(lock) };
        Ok(Self { writer, tidier, log, auditor, state, lanes })
    }
}

/// The file itself, whatever links lead to it, so that it has one lock.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    if path.try_exists()? {
        return fs::canonicalize(path);
    }
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(fs::canonicalize(folder)?.join(name))
}

/// A copy that another tool made may be without a write-ahead log. Readers would hinder the writer then, and what is said
/// here about commits that fail would not hold.
fn keep_log(config: &SqliteConfig, file: &Connection) -> Result<(), OpenError> {
    let kept = file.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    match kept.map_err(|error| failure(config, &error))?.as_str() {
        "wal" => Ok(()),
        other => Err(config.unusable(format!("SQLite keeps its journal as {other} there, not as a log"))),
    }
}

/// Nothing is opened that does not say it is ours: SQLite would recover, and so change, any file of its kind.
fn check_header(config: &SqliteConfig, path: &Path) -> Result<(), OpenError> {
    let foreign = |why: &str| Err(OpenError::Foreign { path: config.path.clone(), why: why.into() });
    let mut header = Vec::new();
    let file = File::open(path).map_err(|error| config.unusable(error))?;
    let read = file.take(APPLICATION.end as u64).read_to_end(&mut header);
    read.map_err(|error| config.unusable(error))?;
    if header.is_empty() {
        return foreign("it is empty");
    }
    if !header.starts_with(MAGIC) {
        return foreign("it is no SQLite database");
    }
    match header.get(APPLICATION) {
        Some(of) if of == OURS.to_be_bytes() => Ok(()),
        _ => foreign("it is a database of another program"),
    }
}

fn create(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    make_whole(path, |file| {
        file.pragma_update(None, "application_id", OURS)?;
        migrate::migrate(file)?;
        file.pragma_update(None, "journal_mode", "WAL")?;
        Ok(())
    })
}

/// What a file that is gone left beside it, SQLite would take for the new one's, and read it into that.
fn check_beside(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for leftover in BESIDE.map(|suffix| beside(path, suffix)) {
        if leftover.try_exists()? {
            let leftover = leftover.display();
            let why = format!("{leftover} is there, of another file that had this name");
            return Err(format!("{why}; put that file back, or move {leftover} away").into());
        }
    }
    Ok(())
}

/// Moves what is in the log to its place in the file. Closing does so, too, but keeps quiet if it fails; and a file without
/// its log is one without what was written last.
fn empty_log(file: &Connection) -> Result<(), Box<dyn std::error::Error>> {
    let is_busy: bool = file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
    if is_busy { Err("somebody else has it open".into()) } else { Ok(()) }
}

/// Makes a file under another name and gives it its own when it is whole, so that no crash leaves a half-made one. One
/// that is there is never replaced.
pub(crate) fn make_whole(
    path: &Path,
    fill: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
) -> Result<(), Box<dyn std::error::Error>> {
    check_beside(path)?;
    let half_made = beside(path, "-new");
    for leftover in [""].into_iter().chain(BESIDE) {
        match fs::remove_file(beside(&half_made, leftover)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    private(OpenOptions::new().write(true).create_new(true)).open(&half_made)?;
    let mut file = connect(&half_made)?;
    fill(&mut file)?;
    empty_log(&file)?;
    file.close().map_err(|(_, error)| error)?;
    // Unlike renaming, this fails if there is a file.
    fs::hard_link(&half_made, path)?;
    fs::remove_file(&half_made)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Whether this file is one of ours. It is not touched: what is beside it is not read, and so not recovered. SQLite looks
/// itself, since closing another handle would undo the locks that a store in this process may have on it.
pub(crate) fn is_ours(path: &Path) -> rusqlite::Result<bool> {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let file = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
    file.pragma_query_value(None, "application_id", |row| row.get::<_, u32>(0)).map(|of| of == OURS)
}

/// The rows; meanwhile, on another core, the structure of the file and its constraints are checked.
fn read(
    config: &SqliteConfig,
    path: &Path,
    file: &Connection,
    now: Timestamp,
) -> Result<(State, Lanes), OpenError> {
    std::thread::scope(|scope| {
        let structure = config.check.then(|| scope.spawn(|| check_structure(path)));
        let state = load::all(file, config.policy.clone()).map_err(|error| failure(config, &error))?;
        let lanes = queue::load(file).map_err(|error| failure(config, &error))?;
        if let Some(structure) = structure {
            if let Some(violation) = state.audit(now).violations().next() {
                return Err(damaged(config, violation));
            }
            let checked = structure.join().unwrap_or(Err(rusqlite::Error::InvalidQuery));
            if let Some(fault) = checked.map_err(|error| failure(config, &error))? {
                return Err(damaged(config, fault));
            }
        }
        Ok((state, lanes))
    })
}

/// What is wrong with the file: pages, indexes, constraints, rows that name rows that are not there, reservations that are
/// there twice, a gap in the log.
fn check_structure(path: &Path) -> rusqlite::Result<Option<String>> {
    let file = connect_to_read(path)?;
    let integrity: String = file.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
    if integrity != "ok" {
        return Ok(Some(integrity));
    }
    let mut orphans = file.prepare("PRAGMA foreign_key_check")?;
    let orphan = orphans.query_map((), |row| row.get::<_, String>(0))?.next().transpose()?;
    if let Some(table) = orphan {
        return Ok(Some(format!("a row of {table} names one that is not there")));
    }
    let repeated =
        "SELECT reservation_id FROM reservations GROUP BY reservation_id HAVING count(*) > 1 LIMIT 1";
    let repeated: Option<String> = file.query_row(repeated, (), |row| row.get(0)).optional()?;
    if let Some(reservation) = repeated {
        return Ok(Some(format!("reservation {reservation} is there twice")));
    }
    let events: i64 = file.query_row("SELECT count(*) FROM events", (), |row| row.get(0))?;
    let last = load::last_event(&file)?;
    Ok((events != last).then(|| format!("the log has {events} events, and the last is number {last}")))
}

fn damaged(config: &SqliteConfig, why: impl Into<String>) -> OpenError {
    OpenError::Damaged { path: config.path.clone(), why: why.into() }
}

fn failure(config: &SqliteConfig, error: &rusqlite::Error) -> OpenError {
    match (error, error.sqlite_error_code()) {
        (_, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        | (rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..), _) => {
            damaged(config, error.to_string())
        }
        _ => config.unusable(error),
    }
}
