//! Which files are opened, and which are refused and left as they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use booking_core::{
    LaneName,
    catalog::LaneSettings,
    store::{BookingStore, QueueStore},
};
use booking_store_sqlite::{OpenError, SqliteConfig, SqliteStore};
use pollster::block_on;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::world::{ask, clock, done, open, open_wallet, policy, sell, user, violations};

struct Place {
    folder: TempDir,
    file: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("booking.db");
        Self { folder, file }
    }

    /// A file with a sale in it, closed.
    fn sold() -> Self {
        let place = Self::new();
        sell(&open(&place.file).expect("it is made"));
        place
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("booking.db{suffix}"))
    }

    /// Changes the file behind the store's back.
    fn tamper(&self, sql: &str) {
        let file = Connection::open(&self.file).expect("a database");
        file.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).expect(sql);
    }

    /// What opening says, which must not change a byte.
    fn refused(&self) -> OpenError {
        let before = fs::read(&self.file).expect("a file");
        let refused = open(&self.file).expect_err("it must be refused");
        assert_eq!(fs::read(&self.file).expect("a file"), before, "it is left as it is");
        assert!(refused.to_string().contains(&*self.file.to_string_lossy()), "it names the file: {refused}");
        refused
    }
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_only_and_nothing_else_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::sold();
    let mode = fs::metadata(&place.file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut names: Vec<_> = fs::read_dir(place.folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["booking.db", "booking.db-lock"]);
}

#[test]
fn a_file_in_use_is_refused_until_it_is_free_whatever_path_leads_to_it() {
    let place = Place::new();
    let store = open(&place.file).expect("it is made");
    let refused = place.refused();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    #[cfg(unix)]
    {
        let link = place.folder.path().join("link.db");
        std::os::unix::fs::symlink(&place.file, &link).expect("a link");
        assert!(matches!(open(&link), Err(OpenError::InUse { .. })));
    }
    drop(store);
    open(&place.file).expect("it is free");
}

#[test]
fn what_is_no_file_of_ours_is_refused_and_not_overwritten() {
    for (content, told) in [("", "empty"), ("dear diary", "no SQLite"), (&"x".repeat(5_000), "no SQLite")] {
        let place = Place::new();
        fs::write(&place.file, content).expect("written");
        let refused = place.refused();
        assert!(
            matches!(refused, OpenError::Foreign { .. }) && refused.to_string().contains(told),
            "{refused}"
        );
    }
    let place = Place::new();
    place.tamper("CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('la')");
    let refused = place.refused();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
}

#[test]
fn the_log_of_a_file_that_is_gone_is_not_read_into_a_new_one() {
    let place = Place::new();
    let aside = place.beside("-aside");
    let store = open(&place.file).expect("it is made");
    done(&store, open_wallet(7));
    fs::copy(place.beside("-wal"), &aside).expect("copied");
    drop(store);
    fs::remove_file(&place.file).expect("removed");
    for suffix in ["-wal", "-shm", "-journal"] {
        let leftover = place.beside(suffix);
        fs::copy(&aside, &leftover).expect("put back");
        let refused = open(&place.file).expect_err("it is of another file").to_string();
        assert!(refused.contains(&format!("booking.db{suffix}")) && refused.contains("move"), "{refused}");
        assert!(!place.file.exists());
        fs::remove_file(&leftover).expect("moved away");
    }
    open(&place.file).expect("it is made");
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let refused = open(Path::new("/nowhere/at/all/booking.db")).expect_err("no folder");
    assert!(
        matches!(refused, OpenError::Unusable { .. }) && refused.to_string().contains("/nowhere"),
        "{refused}"
    );
}

#[test]
fn a_newer_schema_is_refused() {
    let place = Place::sold();
    place.tamper("PRAGMA user_version = 4711");
    let refused = place.refused();
    assert!(matches!(refused, OpenError::NewerSchema { version: 4711, .. }), "{refused}");
    assert!(refused.to_string().contains("start a newer build"), "{refused}");
}

#[test]
fn a_file_with_damaged_pages_is_refused() {
    let place = Place::sold();
    let mut bytes = fs::read(&place.file).expect("a file");
    let pages = bytes.len() / 4_096;
    assert!(pages > 10);
    for page in bytes.chunks_mut(4_096).skip(2).step_by(2) {
        page[..64].fill(0xA5);
    }
    fs::write(&place.file, bytes).expect("written");
    let refused = place.refused();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("booking backup"), "{refused}");
}

#[test]
fn a_file_cut_short_is_refused() {
    let place = Place::sold();
    let length = fs::metadata(&place.file).expect("a file").len();
    fs::OpenOptions::new()
        .write(true)
        .open(&place.file)
        .and_then(|file| file.set_len(length / 2))
        .expect("cut");
    assert!(matches!(place.refused(), OpenError::Damaged { .. }));
}

#[test]
fn rows_that_break_what_must_hold_are_refused() {
    let cases = [
        ("UPDATE users SET balance = balance + 1 WHERE balance > 0", "I6"),
        ("UPDATE seats SET held_until = 1 WHERE held_until IS NULL", "I"),
        ("DELETE FROM reservations WHERE status = 'held'", ""),
        ("UPDATE seats SET reservation_id = '00000000-0000-4000-8000-000000000000'", ""),
        (
            "INSERT INTO reservations SELECT 1000 + n, '11111111-1111-4111-8111-111111111111', user_id, performance_id, \
                seats, ticket_lane, ticket_epoch, ticket_seq, amount, created_at, hold_until, 'released' \
                FROM reservations, (SELECT 1 AS n UNION SELECT 2) WHERE status = 'held' LIMIT 2",
            "is there twice",
        ),
        ("DROP TRIGGER events_are_kept; DELETE FROM events WHERE seq = 2", "the log has"),
        ("UPDATE reservations SET user_id = 'somebody' WHERE status = 'held'", ""),
        ("DROP TRIGGER events_stay; PRAGMA ignore_check_constraints = 1; UPDATE lanes SET capacity = -1", ""),
    ];
    for (sql, told) in cases {
        let place = Place::sold();
        place.tamper(sql);
        let refused = place.refused();
        assert!(matches!(refused, OpenError::Damaged { .. }), "{sql}: {refused}");
        assert!(refused.to_string().contains(told), "{sql}: {refused}");
    }
}

#[test]
fn a_lane_that_was_drained_beyond_its_numbers_is_refused() {
    let place = Place::new();
    let store = open(&place.file).expect("it is made");
    let (main, settings) = (LaneName::main(), LaneSettings { revision: 1, ..LaneSettings::default() });
    block_on(store.configure(&main, &settings)).expect("configured");
    block_on(store.enter(&main, user(1))).expect("a place");
    drop(store);
    place.tamper("UPDATE queue_lanes SET drained = '[[99,\"closed\"]]'");
    let refused = place.refused();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("number 2 of the lane is missing"), "{refused}");
}

#[test]
fn a_copy_by_another_tool_is_served_with_a_log_so_that_readers_hinder_nobody() {
    let place = Place::sold();
    let copy = place.folder.path().join("copy.db");
    place.tamper(&format!("VACUUM INTO '{}'", copy.display()));
    let store = open(&copy).expect("it opens");
    let reader = Connection::open(&copy).expect("a database");
    reader.execute_batch("BEGIN; SELECT count(*) FROM users").expect("somebody reads");
    done(&store, open_wallet(7));
}

#[test]
fn the_checks_at_the_start_can_be_left_out() {
    let place = Place::sold();
    place.tamper("DROP TRIGGER events_are_kept; DELETE FROM events WHERE seq = 2");
    let config = SqliteConfig { check: false, ..SqliteConfig::new(&place.file, policy()) };
    SqliteStore::open(&config, clock()).expect("it opens unchecked");
}

#[test]
fn another_program_that_writes_to_the_file_is_noticed_before_anything_is_decided_on_old_rows() {
    let place = Place::sold();
    let store = open(&place.file).expect("it opens");
    done(&store, open_wallet(7));
    block_on(store.lanes()).expect("it is ready");
    place.tamper("UPDATE users SET opened_at = opened_at + 1");
    for n in [8, 9] {
        let told = ask(&store, open_wallet(n)).expect_err("memory is not what the file is");
        assert!(told.to_string().contains("another program") && !told.may_have_applied(), "{told}");
        let told = block_on(store.lanes()).expect_err("who asks whether to send work is told, too");
        assert!(told.to_string().contains("another program"), "{told}");
    }
    drop(store);
    let store = open(&place.file).expect("it is read anew");
    block_on(store.lanes()).expect("it is ready");
    assert_eq!(violations(&store), Vec::<String>::new());
    done(&store, open_wallet(8));
    let wallet = |n| block_on(store.wallet(user(n)));
    assert!(matches!((wallet(8), wallet(9)), (Ok(Some(_)), Ok(None))));
}
