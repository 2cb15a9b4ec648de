//! The second wall: what the engine would never write, the database refuses to whoever tries.

use booking_core::{
    BookingPolicy,
    conformance::{Harness as _, booking::BookingHarness},
};

use crate::support::{
    database::connect,
    harness::{Harness, fresh},
    world::World,
};

/// A world with a sale: user and reservation 1 have seat 1, which is paid; reservation 2 of the same user holds seat 2.
fn sold() -> (Harness, World) {
    let harness =
        fresh(BookingPolicy { live_reservations_per_user: 2, seats_per_user: 9, ..BookingPolicy::default() });
    let mut world = None;
    harness.block_on(Box::pin(async {
        let made = World::new(harness.store()).await;
        made.buy(1, 1).await;
        made.hold(1, 2).await;
        world = Some(made);
    }));
    (harness, world.expect("the world was made"))
}

/// Of nobody and nothing.
const STRANGER: &str = "'00000000-0000-4000-8000-00000000000f'::uuid";

/// Whether the database said that this is not there, by its identity.
fn is_named(told: &str, what: &str) -> bool {
    let identity = STRANGER.split('\'').nth(1).expect("an identity");
    told.contains("a row names what is not there") && told.contains(&format!("{what} {identity}"))
}

/// What the database says to this statement, which must not be allowed.
fn refused(harness: &Harness, sql: &str) -> String {
    let mut told = String::new();
    harness.block_on(Box::pin(async {
        let mut connection = connect(&harness.url()).await;
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await;
        told = done.expect_err(sql).to_string();
    }));
    told
}

#[test]
fn a_seat_has_one_row_which_names_a_reservation_that_exists() {
    let (harness, _) = sold();
    // Whoever sells a seat twice is told, also when it was to be to the same.
    let second = "INSERT INTO seats (performance_id, number, reservation_id) \
        SELECT performance_id, 1, reservation_id FROM reservations";
    assert!(refused(&harness, second).contains("seats_pkey"));
    let nobodys = format!("UPDATE seats SET reservation_id = {STRANGER} WHERE number = 2");
    assert!(is_named(&refused(&harness, &nobodys), "reservation"));
    let held_by_none = "UPDATE seats SET reservation_id = NULL WHERE number = 2";
    assert!(refused(&harness, held_by_none).contains("not-null"));
    let made = |performance: &str, reservation: &str| {
        let to_be =
            format!("INSERT INTO seats SELECT {performance}, seats[1] + 9, {reservation} FROM reservations");
        refused(&harness, &to_be)
    };
    assert!(refused(&harness, "TRUNCATE seats").contains("one by one"));
    assert!(is_named(&made("performance_id", STRANGER), "reservation"));
    let elsewhere = made(STRANGER, "reservation_id");
    assert!(elsewhere.contains("a row names what is not there: reservation"), "{elsewhere}");
}

#[test]
fn what_others_name_is_never_deleted_and_its_names_never_change() {
    let (harness, _) = sold();
    for table in ["users", "reservations", "payments"] {
        for change in ["DELETE FROM #", "TRUNCATE # CASCADE", "UPDATE # SET user_id = gen_random_uuid()"] {
            let told = refused(&harness, &change.replace('#', table));
            assert!(told.contains(&format!("{table} stay")), "{told}");
        }
    }
    for change in ["DELETE FROM #", "TRUNCATE #", "UPDATE # SET performance_id = gen_random_uuid()"] {
        let told = refused(&harness, &change.replace('#', "performances"));
        assert!(told.contains("performances stay"), "{told}");
    }
    assert!(refused(&harness, "DELETE FROM concerts").contains("foreign key"));
}

#[test]
fn reservations_payments_and_ledger_lines_name_what_is_there() {
    let (harness, _) = sold();
    let copy = |user: &str, performance: &str| {
        format!(
            "INSERT INTO reservations SELECT gen_random_uuid(), {user}, {performance}, seats, ticket_lane, \
             ticket_epoch, ticket_seq + 9, amount, created_at, hold_until, status, made + 99 FROM reservations"
        )
    };
    let nobodys = refused(&harness, &copy(STRANGER, "performance_id"));
    assert!(is_named(&nobodys, "user"), "{nobodys}");
    let nowhere = refused(&harness, &copy("user_id", STRANGER));
    assert!(is_named(&nowhere, "performance"), "{nowhere}");
    let beyond = refused(&harness, &copy("user_id", "performance_id").replace(" seats,", " ARRAY[50, 51],"));
    assert!(beyond.contains("a row names what is not there") && beyond.contains("seats {50,51}"), "{beyond}");
    for (what, reservation, user) in
        [("reservation", STRANGER, "user_id"), ("user", "reservation_id", STRANGER)]
    {
        let paid = format!(
            "INSERT INTO payments SELECT gen_random_uuid(), {reservation}, {user}, amount, now() \
            FROM reservations WHERE status = 'held'"
        );
        let paid = refused(&harness, &paid);
        assert!(is_named(&paid, what), "{paid}");
    }
    let entry = |user: &str, payment: &str| {
        format!(
            "INSERT INTO wallet_entries SELECT gen_random_uuid(), {user}, number + 99, 'debit', {payment}, amount, \
             balance_after, at FROM wallet_entries"
        )
    };
    let nobodys = refused(
        &harness,
        &entry(STRANGER, "payment_id")
            .replace("FROM wallet_entries", "FROM wallet_entries WHERE payment_id IS NOT NULL"),
    );
    assert!(is_named(&nobodys, "user"), "{nobodys}");
    let unpaid = refused(&harness, &entry("user_id", STRANGER));
    assert!(is_named(&unpaid, "payment"), "{unpaid}");
}

#[test]
fn a_reservation_has_one_payment() {
    let (harness, _) = sold();
    let second = "INSERT INTO payments (payment_id, reservation_id, user_id, amount, paid_at) \
        SELECT gen_random_uuid(), reservation_id, user_id, amount, paid_at FROM payments";
    assert!(refused(&harness, second).contains("payments_reservation_id_key"));
    let moved = "UPDATE payments SET reservation_id = (SELECT reservation_id FROM reservations WHERE status = 'held')";
    assert!(refused(&harness, moved).contains("payments stay"));
}

#[test]
fn one_ticket_buys_once() {
    let (harness, _) = sold();
    let same_ticket = "INSERT INTO reservations SELECT gen_random_uuid(), user_id, performance_id, seats, ticket_lane, \
        ticket_epoch, ticket_seq, amount, created_at, hold_until, status, made + 99 FROM reservations";
    assert!(refused(&harness, same_ticket).contains("reservations_one_a_ticket"));
}

#[test]
fn no_balance_is_negative() {
    let (harness, _) = sold();
    assert!(refused(&harness, "UPDATE users SET balance = -1").contains("check constraint"));
    let entry = "INSERT INTO wallet_entries SELECT gen_random_uuid(), user_id, 99, kind, payment_id, amount, -1, at \
        FROM wallet_entries LIMIT 1";
    assert!(refused(&harness, entry).contains("check constraint"));
}

#[test]
fn the_ledger_and_the_log_are_append_only() {
    let (harness, _) = sold();
    for table in ["wallet_entries", "events"] {
        for change in ["UPDATE # SET at = now()", "DELETE FROM #", "TRUNCATE #"] {
            let told = refused(&harness, &change.replace('#', table));
            assert!(told.contains("append-only"), "{told}");
        }
    }
    for column in ["seats", "ticket_seq", "amount", "created_at", "hold_until", "made"] {
        let told = refused(&harness, &format!("UPDATE reservations SET {column} = {column}"));
        assert!(told.contains("reservations stay"), "what the log says of it: {told}");
    }
    let gap = "INSERT INTO wallet_entries SELECT gen_random_uuid(), user_id, number, kind, payment_id, amount, \
        balance_after, at FROM wallet_entries LIMIT 1";
    assert!(refused(&harness, gap).contains("wallet_entries_user_id_number_key"));
}

#[test]
fn the_log_has_one_head() {
    let (harness, _) = sold();
    let second =
        "INSERT INTO log_head (last_event, catalog_version, returns, seats_sold) VALUES (0, 0, 0, 0)";
    assert!(refused(&harness, second).contains("log_head_pkey"));
}
