use async_trait::async_trait;
use chrono::NaiveDate;

use super::{Page, PageRequest};
use crate::{
    audit::Audit,
    catalog::{Concert, LaneRecord, Performance, Stock},
    command::Command,
    error::StoreError,
    event::RecordedEvent,
    hold::{Reservation, SeatNumber, SeatStatus},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    outcome::Outcome,
    payment::Payment,
    refusal::Refusal,
    ticket::{EndReason, LaneName, Ticket},
    time::Timestamp,
    wallet::{Entry, Wallet},
};

/// The authority for seats and money.
///
/// # Obligations
/// - **One clock.** All instants come from the store's clock, the same for every instance on the same store, never
///   from the caller (I5).
/// - **Reads** show committed state only, and limits in time as of the store's clock: a hold that has run out reads as
///   expired, and its seats as available, whether or not it was swept (H3).
/// - **Lists** sort by their [`Cursor`](super::Cursor), without gaps or repeats while nothing is added.
/// - An error says truthfully whether the call may have had its effect (I20).
#[async_trait]
pub trait BookingStore: Send + Sync + 'static {
    /// Executes a batch, one answer a command, in order.
    ///
    /// # Obligations
    /// - The rows of the batch are locked against every other batch *before* the clock is read (I3), and decided with
    ///   [`State::execute`](crate::State::execute), each command seeing the effects of those before it. A batch of holds may
    ///   also be decided up to 100 ms before the lock, if under it nothing turns out to have been written since.
    /// - What is acknowledged is durable, as far as the store promises durability at all (I19). Rows, events and
    ///   pending endings of the batch are all there or none (I10).
    /// - A refused command changes nothing and does not hinder the others.
    /// - Events are numbered from 1 without gaps, in commit order.
    async fn execute(&self, batch: Vec<Command>) -> Result<Vec<Result<Outcome, Refusal>>, StoreError>;

    /// The user's wallet; none: there is no such user.
    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError>;

    /// The user's ledger, by number.
    async fn entries(&self, user: UserId, page: PageRequest) -> Result<Page<Entry>, StoreError>;

    /// A concert.
    async fn concert(&self, id: ConcertId) -> Result<Option<Concert>, StoreError>;

    /// All concerts, by (`created_at`, id).
    async fn concerts(&self, page: PageRequest) -> Result<Page<Concert>, StoreError>;

    /// A performance, bookable or not.
    async fn performance(&self, id: PerformanceId) -> Result<Option<Listing>, StoreError>;

    /// The bookable performances of a lane's concerts that pass the filter, by (`starts_at`, id) (S2).
    async fn performances(
        &self,
        filter: &PerformanceFilter,
        page: PageRequest,
    ) -> Result<Page<Listing>, StoreError>;

    /// What each seat of a performance is (S3); may be 100 ms old, but never older than the caller's own last write
    /// through this instance (S5). None: there is no such performance.
    async fn seat_map(&self, id: PerformanceId) -> Result<Option<SeatMap>, StoreError>;

    /// A reservation, if it is this user's: somebody else's does not exist (H6).
    async fn reservation(&self, user: UserId, id: ReservationId) -> Result<Option<Reservation>, StoreError>;

    /// A reservation, whoever's it is: operators are asked about reservations of people they do not know.
    async fn any_reservation(&self, id: ReservationId) -> Result<Option<Reservation>, StoreError>;

    /// The user's reservations, by (`created_at`, id).
    async fn reservations(&self, user: UserId, page: PageRequest) -> Result<Page<Reservation>, StoreError>;

    /// The user's payments, by (`paid_at`, id) (P5).
    async fn payments(&self, user: UserId, page: PageRequest) -> Result<Page<Payment>, StoreError>;

    /// A payment, whoever's it is.
    async fn any_payment(&self, id: PaymentId) -> Result<Option<Payment>, StoreError>;

    /// Up to `limit` events after the one numbered `after`, in commit order. A reader that goes on from the last number
    /// it saw never misses an event.
    async fn events(&self, after: u64, limit: usize) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Every event that moved this seat, in commit order.
    async fn seat_history(
        &self,
        performance: PerformanceId,
        seat: SeatNumber,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Up to `limit` holds that have run out and are not swept yet, the oldest first.
    async fn expired_holds(&self, limit: usize) -> Result<Vec<ReservationId>, StoreError>;

    /// Up to `limit` endings of tickets that were recorded with their cause and are not acknowledged yet.
    async fn pending_endings(&self, limit: usize) -> Result<Vec<(Ticket, EndReason)>, StoreError>;

    /// Forgets pending endings: the queue store has them.
    async fn ack_endings(&self, tickets: &[Ticket]) -> Result<(), StoreError>;

    /// All lanes, by name.
    async fn lanes(&self) -> Result<Vec<LaneRecord>, StoreError>;

    /// A lane.
    async fn lane(&self, name: &LaneName) -> Result<Option<LaneRecord>, StoreError>;

    /// What can be sold in a lane.
    async fn stock(&self, lane: &LaneName) -> Result<Stock, StoreError>;

    /// What is held and sold in all, without counting all rows: operators ask every few seconds.
    async fn totals(&self) -> Result<Totals, StoreError>;

    /// Checks every invariant that rows can show, on one consistent view of all rows, with
    /// [`Auditor`](crate::audit::Auditor).
    async fn audit(&self) -> Result<Audit, StoreError>;
}

/// A performance as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The performance.
    pub performance: Performance,
    /// The lane that leads to it.
    pub lane: LaneName,
    /// Seats that can be held; none while the performance is not bookable.
    pub seats_available: u32,
}

/// What is held and sold in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Reservations that are held and have not run out.
    pub active_holds: u64,
    /// Seats that are sold, of all performances.
    pub seats_sold: u64,
}

/// Which performances are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerformanceFilter {
    /// The lane that leads to them.
    pub lane: LaneName,
    /// Of this concert only.
    pub concert: Option<ConcertId>,
    /// On this date at their place only.
    pub date: Option<NaiveDate>,
}

/// What each seat of a performance is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatMap {
    /// The performance.
    pub performance: Performance,
    /// The lane that leads to it.
    pub lane: LaneName,
    /// Whether a seat of it can be held.
    pub bookable: bool,
    /// Its seats: number 1 first.
    pub seats: Vec<SeatStatus>,
}

impl SeatMap {
    /// The seats of a performance at `now`, of which somebody has these.
    pub fn of(
        performance: Performance,
        lane: LaneName,
        taken: impl IntoIterator<Item = (SeatNumber, SeatStatus)>,
        now: Timestamp,
    ) -> Self {
        let mut seats = vec![SeatStatus::Available; usize::try_from(performance.seats).unwrap_or(0)];
        for (number, status) in taken {
            let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            if let Some(seat) = at.and_then(|at| seats.get_mut(at)) {
                *seat = status;
            }
        }
        Self { bookable: performance.bookable_at(now), performance, lane, seats }
    }

    /// The performance as it is listed.
    pub fn listing(&self) -> Listing {
        let seats_available = u32::try_from(self.available().count()).unwrap_or(u32::MAX);
        Listing { performance: self.performance.clone(), lane: self.lane.clone(), seats_available }
    }

    /// Whether the seats are told to who has this ticket, when they change: while they can be held by it.
    ///
    /// # Errors
    /// [`Refusal::WrongLane`], [`Refusal::NotOnSale`]
    pub fn check_watched_by(&self, ticket: &Ticket) -> Result<(), Refusal> {
        ticket.check_leads_to(&self.lane)?;
        if self.bookable { Ok(()) } else { Err(Refusal::NotOnSale) }
    }

    /// The numbers that can be held: none of a performance that is not bookable (S5).
    pub fn available(&self) -> impl Iterator<Item = SeatNumber> {
        let seats = if self.bookable { &self.seats[..] } else { &[] };
        (1..).zip(seats).filter(|(_, status)| **status == SeatStatus::Available).map(|(number, _)| number)
    }
}
