//! A small world of bookings, and files to keep it in.

use std::{path::Path, sync::Arc};

use booking_core::{
    Amount, BookingPolicy, Clock, Command, Epoch, LaneName, Money, Outcome, Refusal, StoreError, Ticket,
    Timestamp,
    catalog::{self, ConcertDraft, LaneChange, PerformanceDraft},
    hold,
    id::{ConcertId, EntryId, PerformanceId, ReservationId, UserId},
    payment,
    store::BookingStore,
    wallet,
};
use booking_store_sqlite::{OpenError, SqliteConfig, SqliteStore};
use chrono::{DateTime, Utc};
use pollster::block_on;
use uuid::Uuid;

use super::harness::START;

pub(crate) const PRICE: i64 = 1_000;
pub(crate) const SHOW: PerformanceId = PerformanceId(Uuid::from_u128(0x5000));
const CONCERT: ConcertId = ConcertId(Uuid::from_u128(0xC000));
pub(crate) const MUCH: ConcertId = ConcertId(Uuid::from_u128(0xC001));

/// The clock stands still, so that a run is the same every time.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(|| START)
}

pub(crate) fn policy() -> BookingPolicy {
    BookingPolicy { live_reservations_per_user: 2, seats_per_user: 9, ..BookingPolicy::default() }
}

/// Opens the file, with all its checks.
pub(crate) fn open(path: &Path) -> Result<Arc<SqliteStore>, OpenError> {
    SqliteStore::open(&SqliteConfig::new(path, policy()), clock())
}

/// The same, with a log of which so many pages are many.
pub(crate) fn open_with_log(path: &Path, log_pages: u32) -> Result<Arc<SqliteStore>, OpenError> {
    SqliteStore::open(&SqliteConfig { log_pages, ..SqliteConfig::new(path, policy()) }, clock())
}

pub(crate) fn user(n: u64) -> UserId {
    UserId(Uuid::from_u128(0xA000_0000 + u128::from(n)))
}

/// The reservation that a user makes of a seat.
pub(crate) fn reservation(n: u64, seat: u32) -> ReservationId {
    ReservationId(Uuid::from_u128((u128::from(n) << 64) + 0xB000_0000 + u128::from(seat)))
}

pub(crate) fn ticket(n: u64, epoch: Epoch) -> Ticket {
    Ticket { lane: LaneName::main(), epoch, seq: n, user: user(n) }
}

pub(crate) fn entry(n: u64) -> EntryId {
    EntryId(Uuid::from_u128(0xE000_0000 + u128::from(n)))
}

pub(crate) fn set_lane() -> Command {
    catalog::Command::SetLane(LaneName::main(), LaneChange::default()).into()
}

pub(crate) fn put_show(seats: u32) -> Command {
    let performance = PerformanceDraft {
        id: SHOW,
        venue: "A hall".into(),
        // In the far future by any clock of a test.
        starts_at: DateTime::<Utc>::from(Timestamp::from_micros(4_000_000_000_000_000)).fixed_offset(),
        zone: None,
        price: Money::new(PRICE).expect("a price"),
        seats,
        on_sale: true,
    };
    let (title, lane, performances) = ("A concert".into(), LaneName::main(), vec![performance]);
    catalog::Command::PutConcerts(vec![ConcertDraft { id: CONCERT, title, lane, performances }]).into()
}

/// A concert of some thousand pages.
pub(crate) fn put_much() -> Command {
    let (title, lane) = ("x".repeat(6_000_000), LaneName::main());
    catalog::Command::PutConcerts(vec![ConcertDraft { id: MUCH, title, lane, performances: Vec::new() }])
        .into()
}

pub(crate) fn open_wallet(n: u64) -> Command {
    wallet::Command::Open(user(n)).into()
}

pub(crate) fn charge(n: u64) -> Command {
    let amount = Amount::new(10 * PRICE).expect("an amount");
    wallet::Command::Charge { entry: entry(n), user: user(n), amount }.into()
}

pub(crate) fn place(n: u64, seat: u32, epoch: Epoch) -> Command {
    let (reservation, ticket) = (reservation(n, seat), ticket(n, epoch));
    hold::Command::Place { reservation, ticket, performance: SHOW, choice: vec![seat].into() }.into()
}

pub(crate) fn pay(n: u64, seat: u32, epoch: Epoch) -> Command {
    payment::Command::Pay { reservation: reservation(n, seat), ticket: ticket(n, epoch) }.into()
}

pub(crate) fn release(n: u64, seat: u32) -> Command {
    hold::Command::Release { reservation: reservation(n, seat), user: user(n) }.into()
}

pub(crate) fn ask(store: &SqliteStore, command: Command) -> Result<Result<Outcome, Refusal>, StoreError> {
    Ok(block_on(store.execute(vec![command]))?.remove(0))
}

pub(crate) fn done(store: &SqliteStore, command: Command) -> Outcome {
    let told = format!("{command:?}");
    let answer = ask(store, command).unwrap_or_else(|error| panic!("{told}: {error}"));
    answer.unwrap_or_else(|refusal| panic!("{told}: {refusal}"))
}

pub(crate) fn all_done(store: &SqliteStore, commands: impl IntoIterator<Item = Command>) {
    for command in commands {
        done(store, command);
    }
}

/// A show with a sale: user 1 has seat 1, which is paid; user 2 holds seat 2.
pub(crate) fn sell(store: &SqliteStore) {
    let epoch = Epoch(u64::MAX - 3);
    let commands = [set_lane(), put_show(50), open_wallet(1), charge(1), open_wallet(2)];
    all_done(store, commands);
    let commands = [place(1, 1, epoch), pay(1, 1, epoch), place(2, 2, epoch)];
    all_done(store, commands);
}

/// What the audit finds.
pub(crate) fn violations(store: &SqliteStore) -> Vec<String> {
    let audit = block_on(store.audit()).expect("an audit");
    assert!(!audit.checks.is_empty());
    audit.violations().collect()
}
