//! The second wall: what the engine would never write, the file refuses to whoever tries.

use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::world::{open, sell};

fn sold() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("booking.db");
    sell(&open(&file).expect("it is made"));
    let file = Connection::open(file).expect("a database");
    (folder, file)
}

/// What the file says to this statement, which must not be allowed.
fn refused(file: &Connection, sql: &str) -> String {
    file.execute_batch(sql).expect_err(sql).to_string()
}

#[test]
fn a_seat_has_one_row_which_names_a_reservation() {
    let (_folder, file) = sold();
    let second = "INSERT INTO seats SELECT performance_id, number, reservation_id, NULL FROM seats";
    assert!(refused(&file, second).contains("seats.performance_id, seats.number"));
    assert!(refused(&file, "UPDATE seats SET reservation_id = 'nobody'").contains("CHECK constraint"));
    assert!(refused(&file, "UPDATE seats SET reservation_id = NULL").contains("NOT NULL"));
    assert!(refused(&file, "DELETE FROM performances").contains("FOREIGN KEY"));
}

#[test]
fn a_reservation_has_one_payment() {
    let (_folder, file) = sold();
    let second = "INSERT INTO payments SELECT '00000000-0000-0000-0000-000000000000', reservation_id, user_id, amount, \
        paid_at, NULL FROM payments";
    assert!(refused(&file, second).contains("payments.reservation_id"));
}

#[test]
fn one_ticket_buys_once() {
    let (_folder, file) = sold();
    let same = "UPDATE reservations SET ticket_seq = 7, user_id = (SELECT max(user_id) FROM users)";
    assert!(refused(&file, same).contains("reservations.ticket_seq"));
}

#[test]
fn no_sum_is_negative_and_no_status_is_made_up() {
    let (_folder, file) = sold();
    for sql in [
        "UPDATE users SET balance = -1",
        "UPDATE reservations SET amount = -1",
        "UPDATE reservations SET status = 'bought'",
        "UPDATE payments SET amount = -1",
        "UPDATE performances SET seats = 0",
    ] {
        assert!(refused(&file, sql).contains("CHECK constraint"), "{sql}");
    }
    assert!(refused(&file, "UPDATE users SET balance = 'rich'").contains("cannot store TEXT"));
}

#[test]
fn the_ledger_and_the_log_are_append_only() {
    let (_folder, file) = sold();
    for table in ["wallet_entries", "events"] {
        for change in ["UPDATE # SET at = 1", "DELETE FROM #"] {
            let told = refused(&file, &change.replace('#', table));
            assert!(told.contains("append-only"), "{told}");
        }
    }
    let again = "INSERT INTO wallet_entries SELECT '00000000-0000-0000-0000-000000000000', user_id, number, kind, \
        payment_id, amount, balance_after, at FROM wallet_entries";
    assert!(refused(&file, again).contains("wallet_entries.user_id, wallet_entries.number"));
}
