//! All rows of a file: what a store holds in memory, and what its audit looks at.

use booking_core::{
    Money, Rows, Timestamp,
    audit::{Audit, Auditor},
};
use rusqlite::{Connection, Result, Row};

use super::rows;
use crate::codec::Names;

fn each<T>(
    file: &Connection,
    sql: &str,
    decode: impl Fn(&Row<'_>, &mut Names) -> Result<T>,
    mut take: impl FnMut(T),
) -> Result<()> {
    let (mut statement, mut names) = (file.prepare(sql)?, Names::default());
    let mut found = statement.query(())?;
    while let Some(row) = found.next()? {
        take(decode(row, &mut names)?);
    }
    Ok(())
}

/// Everything, as it is after the last commit.
pub(crate) fn all(file: &Connection) -> Result<Rows> {
    let mut all = Rows::default();
    each(file, rows::LANES, rows::lane, |row| all.lanes.push(row))?;
    each(file, rows::CONCERTS, rows::concert, |row| all.concerts.push(row))?;
    each(file, rows::PERFORMANCES, rows::performance, |row| all.performances.push(row))?;
    each(file, rows::SEATS, rows::seat, |row| all.seats.push(row))?;
    each(file, rows::WALLETS, rows::wallet, |row| all.wallets.push(row))?;
    each(file, rows::RESERVATIONS, rows::reservation, |row| all.reservations.push(row))?;
    each(file, rows::ENTRIES, rows::entry, |row| all.entries.push(row))?;
    each(file, rows::PAYMENTS, rows::payment, |row| all.payments.push(row))?;
    each(file, rows::ENDINGS, rows::ending, |row| all.endings.push(row))?;
    Ok(all)
}

/// The number of the last event.
pub(crate) fn last_event(file: &Connection) -> Result<i64> {
    file.prepare_cached("SELECT coalesce(max(seq), 0) FROM events")?.query_row((), |row| row.get(0))
}

/// Checks what must always hold, on the rows of one view, which the caller holds open.
pub(crate) fn audit(file: &Connection, max_balance: Money, now: Timestamp) -> Result<Audit> {
    let mut auditor = Auditor::new(now, max_balance);
    each(file, rows::PERFORMANCES, rows::performance, |row| auditor.performance(&row))?;
    each(file, rows::SEATS, rows::seat, |(performance, number, seat)| {
        auditor.seat(performance, number, seat);
    })?;
    each(file, rows::WALLETS, rows::wallet, |row| auditor.wallet(&row))?;
    each(file, rows::ENTRIES, rows::entry, |row| auditor.entry(&row))?;
    each(file, rows::RESERVATIONS, rows::reservation, |row| auditor.reservation(&row))?;
    each(file, rows::PAYMENTS, rows::payment, |row| auditor.payment(&row))?;
    Ok(auditor.finish())
}
