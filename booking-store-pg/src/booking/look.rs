//! Looking for what a batch needs, but the catalogue and the ledger: one statement, so one view.
//!
//! Everywhere here and where it is saved a row is looked up by `LATERAL (… OFFSET 0)` or by its `ctid`, never joined: a
//! join is planned once, perhaps while a table is empty, and reads all of it then, for as long as the plan is kept.

use std::collections::BTreeSet;

use booking_core::{Command, Keys, Ticket, hold, id::UserId};
use sqlx::{PgConnection, postgres::PgRow, query};
use uuid::Uuid;

use super::{
    load::{micros, uuids},
    rows,
};
use crate::trouble::Trouble;

/// What a user has, and the last of what a ticket made (of whose reservations at most one was not released, and no
/// released one came after it). They stand next to each other in one index, so they are found by one descent.
macro_rules! of_ticket {
    () => {
        "((SELECT r.*, (ticket_epoch, ticket_seq, ticket_lane) = (t.epoch, t.seq, t.lane) AS is_named \
            FROM reservations r WHERE user_id = t.user_id AND status <> 'released' AND (status IN ('held', 'confirmed') \
                OR (ticket_epoch, ticket_seq, ticket_lane) = (t.epoch, t.seq, t.lane))) \
        UNION ALL (SELECT r.*, true FROM reservations r \
            WHERE user_id = t.user_id AND ticket_epoch = t.epoch AND ticket_seq = t.seq AND ticket_lane = t.lane \
            AND status = 'released' ORDER BY made DESC LIMIT 1))"
    };
}

/// Nothing of the one row that has [`the_rest`].
macro_rules! no_rest {
    () => {
        ", NULL::bigint, NULL::bigint, NULL::bigint, NULL::uuid[], NULL::bigint[], NULL::bigint[], NULL::timestamptz[], \
            NULL::uuid[], NULL::integer[], NULL::uuid[], NULL::timestamptz[] "
    };
}

/// What is no reservation, in one row: the head of the log, the wallets of these users, and those of these seats that somebody
/// has. They are lists, since a row costs both sides more than it holds.
macro_rules! the_rest {
    ($users:expr, $seats:expr) => {
        concat!(
            " UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
                last_event, catalog_version, ",
            micros!("(SELECT booking_now())"),
            ", wallets.*, taken.* FROM log_head CROSS JOIN (SELECT array_agg(u.user_id), array_agg(u.balance::bigint), \
                array_agg(u.entries::bigint), array_agg(u.opened_at) FROM ",
            $users,
            " AS t (user_id) CROSS JOIN LATERAL (SELECT user_id, balance, entries, opened_at \
                FROM users WHERE user_id = t.user_id OFFSET 0) AS u) AS wallets \
            CROSS JOIN (SELECT array_agg(s.performance_id), array_agg(s.number::integer), array_agg(s.reservation_id), \
                array_agg(s.held_until) FROM (",
            $seats,
            ") AS s) AS taken"
        )
    };
}

/// Those of these seats that somebody has: whose they are, and until when.
macro_rules! taken {
    ($seats:expr, $of:literal) => {
        concat!(
            "SELECT s.* FROM ",
            $seats,
            " AS t CROSS JOIN LATERAL (SELECT performance_id, number, reservation_id, held_until FROM seats \
                WHERE performance_id = t.performance_id ",
            $of,
            " OFFSET 0) AS s"
        )
    };
}

/// All of these performances.
macro_rules! all_taken {
    () => {
        concat!(" UNION ALL ", taken!("(SELECT unnest($9::uuid[]) AS performance_id)", ""))
    };
}

macro_rules! tickets {
    ($lanes:literal, $epochs:literal, $seqs:literal, $users:literal) => {
        concat!(
            "(SELECT unnest(",
            $lanes,
            "::text[]) AS lane, unnest(",
            $epochs,
            "::bigint[]) AS epoch, unnest(",
            $seqs,
            "::bigint[]) AS seq, unnest(",
            $users,
            "::uuid[]) AS user_id) AS t"
        )
    };
}

macro_rules! named_seats {
    ($performances:literal, $numbers:literal) => {
        concat!(
            "SELECT unnest(",
            $performances,
            "::uuid[]) AS performance_id, unnest(",
            $numbers,
            "::integer[]) AS number"
        )
    };
}

pub(super) use {named_seats, of_ticket, taken, tickets};

/// Active reservations of users, reservations by identity, by payment and by ticket, what those that are named lead to,
/// wallets, seats, and the head of the log.
const LOOK: &str = concat!(
    "WITH found AS MATERIALIZED ( \
        SELECT r.*, true AS is_named FROM reservations r WHERE reservation_id = ANY($1) \
        UNION ALL SELECT r.*, true FROM (SELECT unnest($10::uuid[]) AS payment_id) AS t \
            CROSS JOIN LATERAL (SELECT reservation_id FROM payments WHERE payment_id = t.payment_id OFFSET 0) AS p \
            CROSS JOIN LATERAL (SELECT * FROM reservations WHERE reservation_id = p.reservation_id OFFSET 0) AS r \
        UNION ALL SELECT r.* FROM ",
    tickets!("$2", "$3", "$4", "$5"),
    " CROSS JOIN LATERAL ",
    of_ticket!(),
    " AS r \
        UNION ALL SELECT r.*, false FROM reservations r \
            WHERE user_id = ANY($11) AND status IN ('held', 'confirmed') AND status <> 'released') \
    SELECT ",
    rows::reservation_columns!("r"),
    ", r.is_named, p.amount, p.paid_at, p.refunded_at",
    no_rest!(),
    "FROM found AS r LEFT JOIN LATERAL (SELECT amount, paid_at, refunded_at FROM payments \
            WHERE reservation_id = r.reservation_id AND r.is_named OFFSET 0) AS p ON true",
    the_rest!(
        "(SELECT unnest($6::uuid[]) UNION SELECT user_id FROM found WHERE is_named)",
        concat!(
            taken!(
                concat!(
                    "(",
                    named_seats!("$7", "$8"),
                    " UNION SELECT performance_id, unnest(seats) FROM found WHERE is_named)"
                ),
                "AND number = t.number"
            ),
            all_taken!()
        )
    )
);

/// The same for holds, who name no payments, and only users who have a ticket: what is found leads to nothing that is not
/// named.
macro_rules! look_for_holds {
    ($all_taken:expr) => {
        concat!(
            "SELECT ",
            rows::reservation_columns!("r"),
            ", true, NULL::bigint, NULL::timestamptz, NULL::timestamptz",
            no_rest!(),
            "FROM reservations r WHERE reservation_id = ANY($1) UNION ALL SELECT ",
            rows::reservation_columns!("r"),
            ", r.is_named, NULL, NULL, NULL",
            no_rest!(),
            "FROM ",
            tickets!("$2", "$3", "$4", "$5"),
            " CROSS JOIN LATERAL ",
            of_ticket!(),
            " AS r",
            the_rest!(
                "(SELECT unnest($6::uuid[]))",
                concat!(
                    taken!(concat!("(", named_seats!("$7", "$8"), ")"), "AND number = t.number"),
                    $all_taken
                )
            )
        )
    };
}

const LOOK_FOR_HOLDS: &str = look_for_holds!("");
/// Some of whom leave the choice to us.
const LOOK_FOR_BEST: &str = look_for_holds!(all_taken!());

pub(super) const STATEMENTS: &[&str] = &[LOOK, LOOK_FOR_HOLDS, LOOK_FOR_BEST];

/// For whom is looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// A batch of holds.
    Holds,
    /// Any other.
    Anybody,
}

impl Whom {
    pub(super) fn of(batch: &[&Command]) -> Self {
        let is_hold = |command: &&Command| matches!(command, Command::Hold(hold::Command::Place { .. }));
        if batch.iter().all(is_hold) { Self::Holds } else { Self::Anybody }
    }
}

/// Which row has the rest: the one without a reservation.
pub(super) const RESERVATION: usize = 0;
/// What reservations have in addition.
pub(super) const IS_NAMED: usize = 12;
pub(super) const PAYMENT: usize = 13;
/// Where the rest lies.
pub(super) const HEAD: [usize; 3] = [16, 17, 18];
pub(super) const WALLETS: usize = 19;
pub(super) const SEATS: usize = 23;

/// The performances and the numbers of the seats that are named; a number no performance can have is no seat.
pub(super) fn numbers_of(keys: &Keys) -> (Vec<Uuid>, Vec<i32>) {
    keys.seats.iter().filter_map(|(of, number)| Some((of.0, i32::try_from(*number).ok()?))).unzip()
}

/// Finds the reservations, a row each, and the rest, which is one row.
pub(super) async fn look(
    connection: &mut PgConnection,
    keys: &Keys,
    whom: Whom,
) -> Result<Vec<PgRow>, Trouble> {
    let Keys { users, tickets, reservations, payments, all_seats, .. } = keys;
    let of_tickets = |column: fn(&Ticket) -> i64| tickets.iter().map(column).collect::<Vec<_>>();
    let (performances, numbers) = numbers_of(keys);
    let finding = query(match whom {
        Whom::Holds if all_seats.is_empty() => LOOK_FOR_HOLDS,
        Whom::Holds => LOOK_FOR_BEST,
        Whom::Anybody => LOOK,
    });
    let finding = finding
        .bind(uuids(reservations, |id| id.0))
        .bind(tickets.iter().map(|ticket| ticket.lane.as_str()).collect::<Vec<_>>())
        .bind(of_tickets(|ticket| ticket.epoch.0.cast_signed()))
        .bind(of_tickets(|ticket| ticket.seq.cast_signed()))
        .bind(uuids(tickets, |ticket| ticket.user.0))
        .bind(uuids(users, |user| user.0))
        .bind(performances)
        .bind(numbers);
    let finding = match whom {
        Whom::Holds if all_seats.is_empty() => finding,
        Whom::Holds => finding.bind(uuids(all_seats, |id| id.0)),
        Whom::Anybody => {
            let with_ticket: BTreeSet<UserId> = tickets.iter().map(|ticket| ticket.user).collect();
            let without = uuids(users.difference(&with_ticket), |user| user.0);
            finding.bind(uuids(all_seats, |id| id.0)).bind(uuids(payments, |id| id.0)).bind(without)
        }
    };
    Ok(finding.fetch_all(connection).await?)
}
