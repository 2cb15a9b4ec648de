//! Saving wallets with their ledger, payments, and the endings of tickets that a batch changed.

use booking_core::{ChangedRows, wallet::Wallet};
use sqlx::{PgConnection, Row, query};

use super::save::number;
use crate::{
    codec::{At, column},
    trouble::Trouble,
};

const OPEN_WALLETS: &str = "\
    INSERT INTO users (user_id, balance, entries, opened_at) \
    SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::timestamptz[])";

const SAVE_MONEY: &str = "\
    WITH moved AS (UPDATE users u SET balance = t.balance, entries = t.entries \
        FROM (SELECT t.balance, t.entries, u.ctid AS at \
            FROM (SELECT unnest($1::uuid[]) AS user_id, unnest($2::bigint[]) AS balance, \
                unnest($3::bigint[]) AS entries) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM users WHERE user_id = t.user_id OFFSET 0) AS u) AS t \
        WHERE u.ctid = t.at RETURNING 1), \
    made AS (INSERT INTO payments (payment_id, reservation_id, user_id, amount, paid_at, refunded_at) \
        SELECT unnest($4::uuid[]), unnest($5::uuid[]), unnest($6::uuid[]), unnest($7::bigint[]), unnest($8::timestamptz[]), \
            unnest($9::timestamptz[])), \
    refunded AS (UPDATE payments p SET refunded_at = t.refunded_at \
        FROM (SELECT t.refunded_at, p.ctid AS at \
            FROM (SELECT unnest($10::uuid[]) AS id, unnest($11::timestamptz[]) AS refunded_at) AS t \
            CROSS JOIN LATERAL (SELECT ctid FROM payments WHERE payment_id = t.id OFFSET 0) AS p) AS t \
        WHERE p.ctid = t.at RETURNING 1), \
    written AS (INSERT INTO wallet_entries \
            (entry_id, user_id, number, kind, payment_id, amount, balance_after, at) \
        SELECT unnest($12::uuid[]), unnest($13::uuid[]), unnest($14::bigint[]), unnest($15::text[]), unnest($16::uuid[]), \
            unnest($17::bigint[]), unnest($18::bigint[]), unnest($19::timestamptz[])), \
    ended AS (INSERT INTO ticket_endings (ticket_lane, ticket_epoch, ticket_seq, user_id, reason) \
        SELECT unnest($20::text[]), unnest($21::bigint[]), unnest($22::bigint[]), unnest($23::uuid[]), unnest($24::text[]) \
        ON CONFLICT (ticket_lane, ticket_epoch, ticket_seq, user_id) DO UPDATE SET reason = EXCLUDED.reason) \
    SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM refunded)";

pub(super) const STATEMENTS: &[&str] = &[OPEN_WALLETS, SAVE_MONEY];

fn expect(row: &sqlx::postgres::PgRow, at: usize, expected: usize, what: &str) -> Result<(), Trouble> {
    let saved: i64 = row.try_get(at)?;
    if saved == number(expected) {
        Ok(())
    } else {
        Err(Trouble::Broken(format!("{saved} of {expected} {what} were there to be saved")))
    }
}

pub(super) async fn open_wallets(connection: &mut PgConnection, opened: &[&Wallet]) -> Result<(), Trouble> {
    if opened.is_empty() {
        return Ok(());
    }
    query(OPEN_WALLETS)
        .bind(column(opened, |wallet| wallet.user.0))
        .bind(column(opened, |wallet| wallet.balance.units()))
        .bind(column(opened, |wallet| wallet.entries.cast_signed()))
        .bind(column(opened, |wallet| At(wallet.opened_at)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Balances, the ledger, payments and endings, if any changed.
pub(super) async fn save_money(
    connection: &mut PgConnection,
    changes: &ChangedRows<'_>,
) -> Result<(), Trouble> {
    let (moved, entries) = (&changes.wallets_moved[..], &changes.entries[..]);
    let (made, refunded) = (&changes.payments_made[..], &changes.payments_refunded[..]);
    let ended = &changes.endings[..];
    if entries.is_empty() && made.is_empty() && refunded.is_empty() && ended.is_empty() {
        return Ok(());
    }
    let saved = query(SAVE_MONEY)
        .bind(column(moved, |wallet| wallet.user.0))
        .bind(column(moved, |wallet| wallet.balance.units()))
        .bind(column(moved, |wallet| wallet.entries.cast_signed()))
        .bind(column(made, |payment| payment.id.0))
        .bind(column(made, |payment| payment.reservation.0))
        .bind(column(made, |payment| payment.user.0))
        .bind(column(made, |payment| payment.amount.units()))
        .bind(column(made, |payment| At(payment.paid_at)))
        .bind(column(made, |payment| payment.refunded_at.map(At)))
        .bind(column(refunded, |payment| payment.id.0))
        .bind(column(refunded, |payment| payment.refunded_at.map(At)))
        .bind(column(entries, |entry| entry.id.0))
        .bind(column(entries, |entry| entry.user.0))
        .bind(column(entries, |entry| entry.number.cast_signed()))
        .bind(column(entries, |entry| entry.kind.as_str()))
        .bind(column(entries, |entry| entry.kind.payment().map(|payment| payment.0)))
        .bind(column(entries, |entry| entry.amount.units()))
        .bind(column(entries, |entry| entry.balance_after.units()))
        .bind(column(entries, |entry| At(entry.at)))
        .bind(column(ended, |(ticket, _)| ticket.lane.as_str()))
        .bind(column(ended, |(ticket, _)| ticket.epoch.0.cast_signed()))
        .bind(column(ended, |(ticket, _)| ticket.seq.cast_signed()))
        .bind(column(ended, |(ticket, _)| ticket.user.0))
        .bind(column(ended, |(_, reason)| reason.as_str()))
        .fetch_one(connection)
        .await?;
    expect(&saved, 0, moved.len(), "wallets")?;
    expect(&saved, 1, refunded.len(), "payments")
}
