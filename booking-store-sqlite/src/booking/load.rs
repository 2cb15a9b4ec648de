//! All rows of a file: what a store holds in memory, and what its audit looks at.

use booking_core::{
    BookingPolicy, Money, Rows, State, Timestamp,
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

/// How many rows are read before they are put in their places.
const PORTION: usize = 4_096;

/// Reads a table, a portion at a time, so that a large one is not held twice.
fn add<T>(
    file: &Connection,
    state: &mut State,
    sql: &str,
    decode: impl Fn(&Row<'_>, &mut Names) -> Result<T>,
    rows_of: impl Fn(Vec<T>) -> Rows,
) -> Result<()> {
    let mut portion = Vec::with_capacity(PORTION);
    each(file, sql, decode, |row| {
        portion.push(row);
        if portion.len() == PORTION {
            state.add(rows_of(std::mem::replace(&mut portion, Vec::with_capacity(PORTION))));
        }
    })?;
    state.add(rows_of(portion));
    Ok(())
}

/// Everything, as it is after the last commit.
pub(crate) fn all(file: &Connection, policy: BookingPolicy) -> Result<State> {
    let (none, mut state) = (Rows::default, State::new(policy));
    let all = &mut state;
    add(file, all, rows::LANES, rows::lane, |lanes| Rows { lanes, ..none() })?;
    add(file, all, rows::CONCERTS, rows::concert, |concerts| Rows { concerts, ..none() })?;
    add(file, all, rows::PERFORMANCES, rows::performance, |performances| Rows { performances, ..none() })?;
    add(file, all, rows::SEATS, rows::seat, |seats| Rows { seats, ..none() })?;
    add(file, all, rows::WALLETS, rows::wallet, |wallets| Rows { wallets, ..none() })?;
    add(file, all, rows::RESERVATIONS, rows::reservation, |reservations| Rows { reservations, ..none() })?;
    add(file, all, rows::ENTRIES, rows::entry, |entries| Rows { entries, ..none() })?;
    add(file, all, rows::PAYMENTS, rows::payment, |payments| Rows { payments, ..none() })?;
    add(file, all, rows::ENDINGS, rows::ending, |endings| Rows { endings, ..none() })?;
    Ok(state)
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
