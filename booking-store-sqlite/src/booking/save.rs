//! Saving what a batch changed: only the rows that changed. Parents come before their children.
//!
//! A saved row that should have been there and was not is a broken obligation, so what was changed is counted.

use std::collections::BTreeSet;

use booking_core::{
    ChangedRows, Event, Ticket, Timestamp,
    catalog::{Concert, LaneRecord, Performance},
    hold::Reservation,
};
use rusqlite::{CachedStatement, Connection, Params, Result, params};

use crate::{
    codec::{At, Id, numbers},
    trouble::Trouble,
};

const PUT_LANE: &str = "INSERT INTO lanes (name, capacity, max_waiting, admit_per_second, claim_ttl_ns, session_ttl_ns, \
    paused, closed, sold_out, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET \
    capacity = excluded.capacity, max_waiting = excluded.max_waiting, admit_per_second = excluded.admit_per_second, \
    claim_ttl_ns = excluded.claim_ttl_ns, session_ttl_ns = excluded.session_ttl_ns, paused = excluded.paused, \
    closed = excluded.closed, sold_out = excluded.sold_out, revision = excluded.revision";
const ADD_CONCERT: &str = "INSERT INTO concerts (title, lane, created_at, concert_id) VALUES (?, ?, ?, ?)";
const CHANGE_CONCERT: &str = "UPDATE concerts SET title = ?, lane = ?, created_at = ? WHERE concert_id = ?";
const ADD_PERFORMANCE: &str = "INSERT INTO performances (concert_id, venue, starts_at, utc_offset_seconds, local_date, \
    zone, price, seats, on_sale, created_at, performance_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const CHANGE_PERFORMANCE: &str = "UPDATE performances SET concert_id = ?, venue = ?, starts_at = ?, \
    utc_offset_seconds = ?, local_date = ?, zone = ?, price = ?, seats = ?, on_sale = ?, created_at = ? \
    WHERE performance_id = ?";
const OPEN_WALLET: &str = "INSERT INTO users (balance, entries, opened_at, user_id) VALUES (?, ?, ?, ?)";
const MOVE_WALLET: &str = "UPDATE users SET balance = ?, entries = ?, opened_at = ? WHERE user_id = ?";
const MAKE_RESERVATION: &str = "INSERT INTO reservations (made, reservation_id, user_id, performance_id, seats, \
    ticket_lane, ticket_epoch, ticket_seq, amount, created_at, hold_until, status) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
// Found by its ticket, which has no other that was not released.
const MOVE_RESERVATION: &str = "UPDATE reservations SET status = ? WHERE ticket_seq = ? AND ticket_epoch = ? \
    AND user_id = ? AND ticket_lane = ? AND status <> 'released' AND reservation_id = ?";
const TAKE_SEAT: &str =
    "INSERT INTO seats (reservation_id, held_until, performance_id, number) VALUES (?, ?, ?, ?)";
const PASS_SEAT_ON: &str =
    "UPDATE seats SET reservation_id = ?, held_until = ? WHERE performance_id = ? AND number = ?";
const FREE_SEAT: &str = "DELETE FROM seats WHERE performance_id = ? AND number = ?";
const MAKE_PAYMENT: &str = "INSERT INTO payments (payment_id, reservation_id, user_id, amount, paid_at, refunded_at) \
    VALUES (?, ?, ?, ?, ?, ?)";
const REFUND_PAYMENT: &str = "UPDATE payments SET refunded_at = ? WHERE payment_id = ?";
const WRITE_ENTRY: &str = "INSERT INTO wallet_entries (entry_id, user_id, number, kind, payment_id, amount, \
    balance_after, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const END_TICKET: &str = "INSERT INTO ticket_endings (ticket_lane, ticket_epoch, ticket_seq, user_id, reason) \
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET reason = excluded.reason";
const FORGET_ENDING: &str = "DELETE FROM ticket_endings \
    WHERE ticket_lane = ? AND ticket_epoch = ? AND ticket_seq = ? AND user_id = ?";
const TELL: &str = "INSERT INTO events (seq, at, event, performance_id, seats) VALUES (?, ?, ?, ?, ?)";

/// A statement that changes one row each time.
struct Each<'f>(CachedStatement<'f>, &'static str);

impl<'f> Each<'f> {
    fn of(file: &'f Connection, sql: &'static str) -> Result<Self> {
        file.prepare_cached(sql).map(|statement| Self(statement, sql))
    }

    fn one(&mut self, values: impl Params) -> Result<(), Trouble> {
        match self.0.execute(values)? {
            1 => Ok(()),
            _ => Err(Trouble::Broken(format!("the row was not there: {}", self.1))),
        }
    }
}

fn each<T>(
    file: &Connection,
    sql: &'static str,
    rows: impl IntoIterator<Item = T>,
    save: impl Fn(&mut Each<'_>, T) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let mut statement = Each::of(file, sql)?;
    rows.try_for_each(|row| save(&mut statement, row))
}

/// An event, and its JSON.
type Told<'a> = (&'a Event, &'a serde_json::Result<String>);

/// What a batch changed, with its events, which are numbered from the one after `last_event`.
pub(crate) fn changes<'a>(
    file: &Connection,
    changes: &ChangedRows<'_>,
    events: impl Iterator<Item = Told<'a>>,
    last_event: i64,
    now: Timestamp,
) -> Result<(), Trouble> {
    catalog(file, changes)?;
    wallets(file, changes)?;
    bookings(file, changes, last_event)?;
    money(file, changes)?;
    each(file, END_TICKET, &changes.endings, |save, (ticket, reason)| {
        save.one(params![
            ticket.lane.as_str(),
            ticket.epoch.0.cast_signed(),
            ticket.seq.cast_signed(),
            Id(ticket.user.0),
            reason.as_str()
        ])
    })?;
    told(file, events, last_event, now)
}

fn catalog(file: &Connection, changes: &ChangedRows<'_>) -> Result<(), Trouble> {
    each(file, PUT_LANE, &changes.lanes, lane)?;
    each(file, ADD_CONCERT, &changes.concerts_added, |save, row| concert(save, row))?;
    each(file, CHANGE_CONCERT, &changes.concerts_changed, |save, row| concert(save, row))?;
    each(file, ADD_PERFORMANCE, &changes.performances_added, |save, row| performance(save, row))?;
    each(file, CHANGE_PERFORMANCE, &changes.performances_changed, |save, row| performance(save, row))
}

fn lane(save: &mut Each<'_>, lane: &LaneRecord) -> Result<(), Trouble> {
    let (settings, policy) = (&lane.settings, &lane.settings.policy);
    let nanos = |span: std::time::Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    save.one(params![
        lane.name.as_str(),
        policy.capacity,
        policy.max_waiting.map(|most| most.to_string()),
        policy.admit_per_second,
        nanos(policy.claim_ttl),
        nanos(policy.session_ttl),
        settings.paused,
        settings.closed,
        settings.sold_out,
        settings.revision.cast_signed(),
    ])
}

fn concert(save: &mut Each<'_>, concert: &Concert) -> Result<(), Trouble> {
    save.one(params![concert.title, concert.lane.as_str(), At(concert.created_at), Id(concert.id.0)])
}

fn performance(save: &mut Each<'_>, performance: &Performance) -> Result<(), Trouble> {
    save.one(params![
        Id(performance.concert.0),
        performance.venue,
        At(performance.begins()),
        performance.starts_at.offset().local_minus_utc(),
        performance.local_date().to_string(),
        performance.zone,
        performance.price.units(),
        performance.seats,
        performance.on_sale,
        At(performance.created_at),
        Id(performance.id.0),
    ])
}

fn wallets(file: &Connection, changes: &ChangedRows<'_>) -> Result<(), Trouble> {
    for (sql, rows) in [(OPEN_WALLET, &changes.wallets_opened), (MOVE_WALLET, &changes.wallets_moved)] {
        each(file, sql, rows, |save, wallet| {
            let entries = wallet.entries.cast_signed();
            save.one(params![wallet.balance.units(), entries, At(wallet.opened_at), Id(wallet.user.0)])
        })?;
    }
    Ok(())
}

fn bookings(file: &Connection, changes: &ChangedRows<'_>, last_event: i64) -> Result<(), Trouble> {
    // A ticket that gave its hold back may have made another in the same batch.
    each(file, MOVE_RESERVATION, &changes.reservations_moved, |save, moved| {
        let (status, ticket) = (moved.status.as_str(), &moved.ticket);
        let (seq, epoch) = (ticket.seq.cast_signed(), ticket.epoch.0.cast_signed());
        save.one(params![status, seq, epoch, Id(ticket.user.0), ticket.lane.as_str(), Id(moved.id.0)])
    })?;
    each(file, MAKE_RESERVATION, &changes.reservations_made, |save, (at, made)| {
        let number = last_event + 1 + i64::try_from(*at).unwrap_or(i64::MAX);
        reservation(save, number, made)
    })?;
    each(file, FREE_SEAT, &changes.seats_freed, |save, (performance, number)| {
        save.one(params![Id(performance.0), number])
    })?;
    for (sql, seats) in [(PASS_SEAT_ON, &changes.seats_passed_on), (TAKE_SEAT, &changes.seats_taken)] {
        each(file, sql, seats, |save, (performance, number, seat)| {
            let (reservation, until) = (Id(seat.reservation.0), seat.held_until.map(At));
            save.one(params![reservation, until, Id(performance.0), number])
        })?;
    }
    Ok(())
}

fn reservation(save: &mut Each<'_>, number: i64, made: &Reservation) -> Result<(), Trouble> {
    save.one(params![
        number,
        Id(made.id.0),
        Id(made.user.0),
        Id(made.performance.0),
        numbers(&made.seats),
        made.ticket.lane.as_str(),
        made.ticket.epoch.0.cast_signed(),
        made.ticket.seq.cast_signed(),
        made.amount.units(),
        At(made.created_at),
        At(made.hold_until),
        made.status.as_str(),
    ])
}

fn money(file: &Connection, changes: &ChangedRows<'_>) -> Result<(), Trouble> {
    each(file, MAKE_PAYMENT, &changes.payments_made, |save, made| {
        save.one(params![
            Id(made.id.0),
            Id(made.reservation.0),
            Id(made.user.0),
            made.amount.units(),
            At(made.paid_at),
            made.refunded_at.map(At)
        ])
    })?;
    each(file, REFUND_PAYMENT, &changes.payments_refunded, |save, refunded| {
        save.one(params![refunded.refunded_at.map(At), Id(refunded.id.0)])
    })?;
    each(file, WRITE_ENTRY, &changes.entries, |save, entry| {
        save.one(params![
            Id(entry.id.0),
            Id(entry.user.0),
            entry.number.cast_signed(),
            entry.kind.as_str(),
            entry.kind.payment().map(|payment| Id(payment.0)),
            entry.amount.units(),
            entry.balance_after.units(),
            At(entry.at),
        ])
    })
}

fn told<'a>(
    file: &Connection,
    events: impl Iterator<Item = Told<'a>>,
    last_event: i64,
    now: Timestamp,
) -> Result<(), Trouble> {
    each(file, TELL, (last_event + 1..).zip(events), |save, (number, (event, text))| {
        let text = text.as_ref().map_err(|error| Trouble::Broken(format!("JSON: {error}")))?;
        let moved = event.seats();
        save.one(params![
            number,
            At(now),
            text,
            moved.map(|(performance, _)| Id(performance.0)),
            moved.map(|(_, seats)| numbers(seats)),
        ])
    })
}

/// Endings the queue store has.
pub(crate) fn forget_endings(file: &Connection, tickets: &BTreeSet<Ticket>) -> Result<(), Trouble> {
    each(file, FORGET_ENDING, tickets, |save, ticket| {
        save.one(params![
            ticket.lane.as_str(),
            ticket.epoch.0.cast_signed(),
            ticket.seq.cast_signed(),
            Id(ticket.user.0)
        ])
    })
}
