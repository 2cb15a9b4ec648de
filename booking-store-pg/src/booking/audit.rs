//! Checking what must always hold, on one view of all rows.

use std::time::Duration;

use booking_core::{
    Money, StoreError, Timestamp,
    audit::{Audit, Auditor},
};
use futures_util::TryStreamExt;
use sqlx::{PgConnection, postgres::PgRow, query, raw_sql};
use tokio::time::{Instant, timeout, timeout_at};

use super::rows;
use crate::{db::Db, trouble::Trouble};

/// Reading everything takes as long as it takes; the view is that of the first statement after this.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
    SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '1min'; \
    SET LOCAL enable_seqscan = on";

/// How long the next row may take to come: a wire that has fallen silent keeps a connection no longer.
const ROW_WITHIN: Duration = Duration::from_secs(30);

const CLOCK: &str = "SELECT booking_now()";
const PERFORMANCES: &str = concat!("SELECT ", rows::performance_columns!(), " FROM performances p");
const SEATS: &str = "SELECT performance_id, number, reservation_id, held_until FROM seats";
const WALLETS: &str = "SELECT user_id, balance, entries, opened_at FROM users";
const ENTRIES: &str =
    "SELECT entry_id, user_id, number, kind, payment_id, amount, balance_after, at FROM wallet_entries";
const RESERVATIONS: &str = concat!("SELECT ", rows::reservation_columns!("r"), " FROM reservations r");
const PAYMENTS: &str =
    "SELECT payment_id, reservation_id, user_id, amount, paid_at, refunded_at FROM payments";

pub(super) const STATEMENTS: &[&str] =
    &[CLOCK, PERFORMANCES, SEATS, WALLETS, ENTRIES, RESERVATIONS, PAYMENTS];

pub(super) async fn audit(db: &Db, max_balance: Money) -> Result<Audit, StoreError> {
    let deadline = Db::deadline();
    let audited = match once(db, max_balance, deadline).await {
        Err(Trouble::Gone(_)) if Instant::now() < deadline => {
            db.forget_idle();
            once(db, max_balance, deadline).await
        }
        audited => audited,
    };
    audited.map_err(|trouble| trouble.to_store_error())
}

async fn once(db: &Db, max_balance: Money, deadline: Instant) -> Result<Audit, Trouble> {
    let mut lease = db.lease(deadline).await?;
    // An error leaves the connection in a state not worth finding out, so it is closed.
    let audit = of_one_view(&mut lease.connection, max_balance, deadline).await?;
    lease.give_back();
    Ok(audit)
}

fn late<T>(_: T) -> Trouble {
    Trouble::timed_out("auditing")
}

async fn begin(connection: &mut PgConnection) -> Result<Timestamp, Trouble> {
    raw_sql(BEGIN).execute(&mut *connection).await?;
    Ok(rows::at(&query(CLOCK).fetch_one(connection).await?, 0)?)
}

async fn of_one_view(
    connection: &mut PgConnection,
    max_balance: Money,
    deadline: Instant,
) -> Result<Audit, Trouble> {
    let now = timeout_at(deadline, begin(connection)).await.map_err(late)??;
    let mut auditor = Auditor::new(now, max_balance);
    let performances = each(connection, PERFORMANCES, rows::performance, |row| auditor.performance(&row));
    performances.await?;
    each(connection, SEATS, rows::seat, |(at, number, seat)| auditor.seat(at, number, seat)).await?;
    each(connection, WALLETS, rows::wallet, |row| auditor.wallet(&row)).await?;
    each(connection, ENTRIES, rows::entry, |row| auditor.entry(&row)).await?;
    each(connection, RESERVATIONS, rows::reservation, |(_, row)| auditor.reservation(&row)).await?;
    each(connection, PAYMENTS, |row| rows::payment(row, 0), |row| auditor.payment(&row)).await?;
    timeout(ROW_WITHIN, raw_sql("COMMIT").execute(connection)).await.map_err(late)??;
    Ok(auditor.finish())
}

/// Takes rows in as they come, without holding them all.
async fn each<T>(
    connection: &mut PgConnection,
    sql: &'static str,
    decode: impl Fn(&PgRow) -> Result<T, sqlx::Error>,
    mut take: impl FnMut(T),
) -> Result<(), Trouble> {
    let mut found = query(sql).fetch(connection);
    while let Some(row) = timeout(ROW_WITHIN, found.try_next()).await.map_err(late)?? {
        take(decode(&row)?);
    }
    Ok(())
}
