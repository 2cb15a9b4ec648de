//! Lanes and their numbers, to and from rows.

use std::collections::BTreeMap;

use booking_core::{
    EndReason, Epoch, LaneName,
    id::UserId,
    queue::{ChangedTickets, Course, Lane, LaneRow, TicketRow},
};
use rusqlite::{Connection, Result, Row, params, types::ValueRef};
use serde::de::DeserializeOwned;

use crate::{
    codec::{At, Id, Names, at_if_any, count, damaged, id, text, word},
    shared::Lanes,
    trouble::Trouble,
    writer::Moved,
};

const LANES: &str = "SELECT lane, epoch, settings, pace, drained FROM queue_lanes";
const TICKETS: &str =
    "SELECT seq, user_id, admitted_until, claimed, ended, departed FROM tickets WHERE lane = ? ORDER BY seq";
const PUT_LANE: &str = "INSERT INTO queue_lanes (lane, epoch, settings, pace, drained) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (lane) DO UPDATE SET epoch = excluded.epoch, settings = excluded.settings, pace = excluded.pace, \
    drained = excluded.drained";
const ENTER: &str = "INSERT INTO tickets (lane, seq, user_id, admitted_until, claimed, ended, departed) \
    VALUES (?, ?, ?, ?, ?, ?, ?)";
const MOVE: &str = "UPDATE tickets SET admitted_until = coalesce(?3, admitted_until), claimed = claimed OR ?4, \
    ended = coalesce(?5, ended), departed = coalesce(?6, departed) WHERE lane = ?1 AND seq = ?2";

fn ticket(row: &Row<'_>) -> Result<TicketRow> {
    let ended = if row.get_ref(4)? == ValueRef::Null { None } else { Some(word(row, 4)?) };
    Ok(TicketRow {
        seq: count(row, 0)?,
        user: UserId(id(row, 1)?),
        course: Course {
            admitted_until: at_if_any(row, 2)?,
            claimed: row.get(3)?,
            ended,
            departed: row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned),
        },
    })
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    serde_json::from_str(text(row, column)?).map_err(|error| damaged(column, error))
}

/// Every lane as it was left: whoever waited waits.
pub(crate) fn load(file: &Connection) -> Result<Lanes> {
    let (mut names, mut lanes) = (Names::default(), Lanes::new());
    let mut statement = file.prepare(LANES)?;
    let mut found = statement.query(())?;
    while let Some(row) = found.next()? {
        let name = names.read(row, 0)?;
        let lane = LaneRow {
            epoch: Epoch(row.get::<_, i64>(1)?.cast_unsigned()),
            settings: json(row, 2)?,
            pace: json(row, 3)?,
            drained: json(row, 4)?,
        };
        let tickets: Result<Vec<_>> = file.prepare(TICKETS)?.query_map([name.as_str()], ticket)?.collect();
        let lane = Lane::load(name.clone(), lane, &tickets?).map_err(|broken| damaged(0, broken))?;
        lanes.insert(name, lane);
    }
    Ok(lanes)
}

/// What changed in a lane. Mostly its own row is as it was, which is `known`.
pub(crate) fn save(
    file: &Connection,
    name: &LaneName,
    moved: &Moved,
    known: &mut BTreeMap<LaneName, LaneRow>,
) -> Result<(), Trouble> {
    let Moved { row, tickets } = moved;
    if known.get(name) != Some(row) {
        save_row(file, name, row)?;
        known.insert(name.clone(), row.clone());
    }
    save_tickets(file, name, tickets)
}

fn save_row(file: &Connection, name: &LaneName, row: &LaneRow) -> Result<(), Trouble> {
    let (settings, pace) = (serde_json::to_string(&row.settings)?, serde_json::to_string(&row.pace)?);
    let drained = serde_json::to_string(&row.drained)?;
    let mut put = file.prepare_cached(PUT_LANE)?;
    put.execute(params![name.as_str(), row.epoch.0.cast_signed(), settings, pace, drained])?;
    Ok(())
}

fn save_tickets(file: &Connection, name: &LaneName, tickets: &ChangedTickets) -> Result<(), Trouble> {
    let ChangedTickets { entered, moved } = tickets;
    let mut enter = file.prepare_cached(ENTER)?;
    for TicketRow { seq, user, course } in entered {
        let seq = seq.cast_signed();
        let (until, ended) = (course.admitted_until.map(At), course.ended.map(EndReason::as_str));
        let departed = course.departed.map(u64::cast_signed);
        enter.execute(params![name.as_str(), seq, Id(user.0), until, course.claimed, ended, departed])?;
    }
    let mut change = file.prepare_cached(MOVE)?;
    for (seq, course) in moved {
        let seq = seq.cast_signed();
        let (until, ended) = (course.admitted_until.map(At), course.ended.map(EndReason::as_str));
        let departed = course.departed.map(u64::cast_signed);
        if change.execute(params![name.as_str(), seq, until, course.claimed, ended, departed])? != 1 {
            return Err(Trouble::Broken(format!("number {seq} of lane {name} was not there")));
        }
    }
    Ok(())
}
