//! Reads: one statement each, no rule. What time limits is judged by the engine, with the clock that came with the rows.

use booking_core::{
    EndReason, LaneName, RecordedEvent, StoreError, Ticket, Timestamp,
    catalog::{Concert, LaneRecord},
    hold::{Reservation, SeatNumber},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::Payment,
    store::{Cursor, Page, PageRequest, Totals},
    wallet::{Entry, Wallet},
};
use sqlx::{Row, postgres::PgRow, query};
use uuid::Uuid;

use super::rows;
use crate::{
    codec::{self, At},
    db::{Db, decode},
};

const WALLET: &str = "SELECT user_id, balance, entries, opened_at FROM users WHERE user_id = $1";
const ENTRIES: &str = "\
    SELECT entry_id, user_id, number, kind, payment_id, amount, balance_after, at FROM wallet_entries \
    WHERE user_id = $1 AND number > $2 ORDER BY number LIMIT $3";
const CONCERT: &str = "SELECT concert_id, title, lane, created_at FROM concerts WHERE concert_id = $1";
const CONCERTS: &str = "\
    SELECT concert_id, title, lane, created_at FROM concerts \
    WHERE (created_at, concert_id::text COLLATE \"C\") > ($1, $2::uuid::text) \
    ORDER BY created_at, concert_id::text COLLATE \"C\" LIMIT $3";
const RESERVATION: &str = concat!(
    "SELECT ",
    rows::reservation_columns!("r"),
    ", booking_now() FROM reservations r WHERE r.reservation_id = $1 AND r.user_id = $2"
);
const ANY_RESERVATION: &str = concat!(
    "SELECT ",
    rows::reservation_columns!("r"),
    ", booking_now() FROM reservations r WHERE r.reservation_id = $1"
);
/// Released or not: each kind has an index that begins with its user.
const RESERVATIONS: &str = concat!(
    "SELECT ",
    rows::reservation_columns!("r"),
    ", (SELECT booking_now()) FROM (SELECT * FROM reservations WHERE user_id = $1 AND status <> 'released' \
        UNION ALL SELECT * FROM reservations WHERE user_id = $1 AND status = 'released') AS r \
     WHERE (r.created_at, r.reservation_id) > ($2, $3) \
     ORDER BY r.created_at, r.reservation_id LIMIT $4"
);
const PAYMENTS: &str = "\
    SELECT payment_id, reservation_id, user_id, amount, paid_at, refunded_at FROM payments \
    WHERE user_id = $1 AND (paid_at, payment_id) > ($2, $3) ORDER BY paid_at, payment_id LIMIT $4";
const ANY_PAYMENT: &str = "\
    SELECT payment_id, reservation_id, user_id, amount, paid_at, refunded_at FROM payments WHERE payment_id = $1";
/// Numbers are taken under a lock that is held until the commit, so what is seen has no gap behind it.
const EVENTS: &str = concat!(
    "SELECT * FROM (",
    rows::log!("made > $1 ORDER BY made LIMIT $2", "seq > $1 ORDER BY seq LIMIT $2"),
    ") AS e ORDER BY made LIMIT $2"
);
/// In no order before it is found: the index of the order is no way to find it.
const SEAT_HISTORY: &str = concat!(
    "SELECT * FROM (",
    rows::log!(
        "performance_id = $1 AND $2 = ANY(seats) OFFSET 0",
        "performance_id = $1 AND $2 = ANY(seats) OFFSET 0"
    ),
    ") AS e ORDER BY made"
);
const EXPIRED_HOLDS: &str = "\
    SELECT reservation_id FROM reservations \
    WHERE status = 'held' AND hold_until <= (SELECT booking_now()) ORDER BY hold_until, reservation_id LIMIT $1";
const TOTALS: &str = "\
    SELECT (SELECT count(*) FROM reservations WHERE status = 'held' AND hold_until > (SELECT booking_now())), \
        seats_sold FROM log_head";
const ENDINGS: &str = "\
    SELECT ticket_lane, ticket_epoch, ticket_seq, user_id, reason FROM ticket_endings \
    ORDER BY ticket_lane, ticket_epoch, ticket_seq, user_id LIMIT $1";
/// One that somebody else is just removing is left to them, so nobody waits here.
const ACK_ENDINGS: &str = "\
    DELETE FROM ticket_endings WHERE ctid = ANY(ARRAY(SELECT e.at \
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::uuid[]) AS t (lane, epoch, seq, user_id) \
        CROSS JOIN LATERAL (SELECT ctid AS at FROM ticket_endings WHERE ticket_lane = t.lane \
            AND ticket_epoch = t.epoch AND ticket_seq = t.seq AND user_id = t.user_id \
            OFFSET 0 FOR UPDATE SKIP LOCKED) AS e))";
const LANES: &str = concat!("SELECT ", rows::lane_columns!(), " FROM lanes ORDER BY name COLLATE \"C\"");
const LANE: &str = concat!("SELECT ", rows::lane_columns!(), " FROM lanes WHERE name = $1");

pub(super) const STATEMENTS: &[&str] = &[
    WALLET,
    ENTRIES,
    CONCERT,
    CONCERTS,
    RESERVATION,
    ANY_RESERVATION,
    RESERVATIONS,
    PAYMENTS,
    ANY_PAYMENT,
    EVENTS,
    SEAT_HISTORY,
    EXPIRED_HOLDS,
    TOTALS,
    ENDINGS,
    ACK_ENDINGS,
    LANES,
    LANE,
];

/// Before every item of a list.
const BEGINNING: Cursor = Cursor { at: Timestamp::from_micros(-200_000_000_000_000_000), id: Uuid::nil() };

/// One more than is wanted, which tells whether there is more.
pub(super) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Where a list goes on, as values of a statement. A cursor may name an instant that is before all that the database knows.
pub(super) fn after(page: PageRequest) -> (At, Uuid) {
    let after = page.after.unwrap_or(BEGINNING);
    (At(after.at.max(BEGINNING.at)), after.id)
}

fn page<T>(
    rows: &[PgRow],
    request: PageRequest,
    make: impl Fn(&PgRow) -> Result<T, sqlx::Error>,
    cursor: impl Fn(&T) -> Cursor,
) -> Result<Page<T>, StoreError> {
    let items = decode(rows, make)?;
    Ok(Page::cut(items.into_iter().map(|item| (cursor(&item), item)), request))
}

fn seen(row: &PgRow) -> Result<Reservation, sqlx::Error> {
    let (_, reservation) = rows::reservation(row)?;
    Ok(reservation.seen_at(rows::at(row, 12)?))
}

pub(super) async fn wallet(db: &Db, user: UserId) -> Result<Option<Wallet>, StoreError> {
    let found = db.rows(|| query(WALLET).bind(user.0)).await?;
    Ok(decode(&found, rows::wallet)?.pop())
}

pub(super) async fn entries(db: &Db, user: UserId, request: PageRequest) -> Result<Page<Entry>, StoreError> {
    let after = request.after.map_or(0, |after| i64::try_from(after.number()).unwrap_or(i64::MAX));
    let limit = one_more(request.limit);
    let found = db.rows(|| query(ENTRIES).bind(user.0).bind(after).bind(limit)).await?;
    page(&found, request, rows::entry, |entry| Cursor::of_number(entry.number))
}

pub(super) async fn concert(db: &Db, id: ConcertId) -> Result<Option<Concert>, StoreError> {
    let found = db.rows(|| query(CONCERT).bind(id.0)).await?;
    Ok(decode(&found, |row| rows::concert(row, 0))?.pop())
}

pub(super) async fn concerts(db: &Db, request: PageRequest) -> Result<Page<Concert>, StoreError> {
    let (at, id) = after(request);
    let limit = one_more(request.limit);
    let found = db.rows(|| query(CONCERTS).bind(at).bind(id).bind(limit)).await?;
    page(
        &found,
        request,
        |row| rows::concert(row, 0),
        |concert| Cursor { at: concert.created_at, id: concert.id.0 },
    )
}

pub(super) async fn reservation(
    db: &Db,
    user: UserId,
    id: ReservationId,
) -> Result<Option<Reservation>, StoreError> {
    let found = db.rows(|| query(RESERVATION).bind(id.0).bind(user.0)).await?;
    Ok(decode(&found, seen)?.pop())
}

pub(super) async fn any_reservation(db: &Db, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
    let found = db.rows(|| query(ANY_RESERVATION).bind(id.0)).await?;
    Ok(decode(&found, seen)?.pop())
}

pub(super) async fn reservations(
    db: &Db,
    user: UserId,
    request: PageRequest,
) -> Result<Page<Reservation>, StoreError> {
    let (at, id) = after(request);
    let limit = one_more(request.limit);
    let found = db.rows(|| query(RESERVATIONS).bind(user.0).bind(at).bind(id).bind(limit)).await?;
    page(&found, request, seen, |made| Cursor { at: made.created_at, id: made.id.0 })
}

pub(super) async fn payments(
    db: &Db,
    user: UserId,
    request: PageRequest,
) -> Result<Page<Payment>, StoreError> {
    let (at, id) = after(request);
    let limit = one_more(request.limit);
    let found = db.rows(|| query(PAYMENTS).bind(user.0).bind(at).bind(id).bind(limit)).await?;
    page(&found, request, |row| rows::payment(row, 0), |made| Cursor { at: made.paid_at, id: made.id.0 })
}

pub(super) async fn any_payment(db: &Db, id: PaymentId) -> Result<Option<Payment>, StoreError> {
    let found = db.rows(|| query(ANY_PAYMENT).bind(id.0)).await?;
    Ok(decode(&found, |row| rows::payment(row, 0))?.pop())
}

pub(super) async fn events(db: &Db, after: u64, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
    let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
    decode(&db.rows(|| query(EVENTS).bind(after).bind(whole(limit))).await?, rows::event)
}

pub(super) async fn seat_history(
    db: &Db,
    performance: PerformanceId,
    seat: SeatNumber,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let Ok(seat) = i32::try_from(seat) else { return Ok(Vec::new()) };
    decode(&db.rows(|| query(SEAT_HISTORY).bind(performance.0).bind(seat)).await?, rows::event)
}

pub(super) async fn expired_holds(db: &Db, limit: usize) -> Result<Vec<ReservationId>, StoreError> {
    let found = db.rows(|| query(EXPIRED_HOLDS).bind(whole(limit))).await?;
    decode(&found, |row| row.try_get(0).map(ReservationId))
}

pub(super) async fn totals(db: &Db) -> Result<Totals, StoreError> {
    let found = db.rows(|| query(TOTALS)).await?;
    let totals = decode(&found, |row| {
        Ok(Totals { active_holds: codec::count(row, 0)?, seats_sold: codec::count(row, 1)? })
    })?;
    totals.first().copied().ok_or_else(|| StoreError::broken("the log has no head"))
}

pub(super) async fn pending_endings(db: &Db, limit: usize) -> Result<Vec<(Ticket, EndReason)>, StoreError> {
    let found = db.rows(|| query(ENDINGS).bind(whole(limit))).await?;
    decode(&found, |row| {
        let user = UserId(row.try_get(3)?);
        Ok((rows::ticket(row, [0, 1, 2], user)?, codec::word(row.try_get(4)?)?))
    })
}

pub(super) async fn ack_endings(db: &Db, tickets: &[Ticket]) -> Result<(), StoreError> {
    let column = |value: fn(&Ticket) -> i64| tickets.iter().map(value).collect::<Vec<_>>();
    let acknowledge = || {
        query(ACK_ENDINGS)
            .bind(tickets.iter().map(|ticket| ticket.lane.as_str().to_owned()).collect::<Vec<_>>())
            .bind(column(|ticket| ticket.epoch.0.cast_signed()))
            .bind(column(|ticket| ticket.seq.cast_signed()))
            .bind(tickets.iter().map(|ticket| ticket.user.0).collect::<Vec<_>>())
    };
    if !tickets.is_empty() {
        db.rows(acknowledge).await?;
    }
    Ok(())
}

pub(super) async fn lanes(db: &Db) -> Result<Vec<LaneRecord>, StoreError> {
    decode(&db.rows(|| query(LANES)).await?, rows::lane)
}

pub(super) async fn lane(db: &Db, name: &LaneName) -> Result<Option<LaneRecord>, StoreError> {
    let found = db.rows(|| query(LANE).bind(name.as_str())).await?;
    Ok(decode(&found, rows::lane)?.pop())
}
