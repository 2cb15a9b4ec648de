//! The rules of booking once more, as simply as they can be put: lists, scans, and nothing stored that follows from
//! something else. What a seat is follows from the reservations, a balance from the ledger.

mod best;
mod catalog;
mod hold;
mod money;

pub(crate) use best::best;
use booking_core::{
    BookingPolicy, Command, Effect, EndReason, Outcome, Refusal, Ticket, Timestamp,
    catalog::{Concert, LaneRecord, Performance},
    hold::{Reservation, ReservationStatus, SeatNumber, SeatStatus},
    id::{PerformanceId, ReservationId, UserId},
    payment::Payment,
    wallet::{Entry, EntryKind, Wallet},
};

/// What an answer to a command must be.
pub(crate) type Answer = Result<Outcome, Refusal>;

/// All that ever was written down.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) policy: BookingPolicy,
    pub(crate) lanes: Vec<LaneRecord>,
    pub(crate) concerts: Vec<Concert>,
    pub(crate) performances: Vec<Performance>,
    pub(crate) users: Vec<(UserId, Timestamp)>,
    pub(crate) ledger: Vec<Entry>,
    /// In the order they were made. A hold that ran out reads `Held` until the sweep wrote it down.
    pub(crate) reservations: Vec<Reservation>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) endings: Vec<(Ticket, EndReason)>,
}

pub(super) fn done(effect: Effect) -> Outcome {
    Outcome { replayed: false, effect }
}

pub(super) fn replay(effect: Effect) -> Outcome {
    Outcome { replayed: true, effect }
}

impl World {
    pub(crate) fn new(policy: BookingPolicy, now: Timestamp) -> Self {
        Self {
            now,
            policy,
            lanes: Vec::new(),
            concerts: Vec::new(),
            performances: Vec::new(),
            users: Vec::new(),
            ledger: Vec::new(),
            reservations: Vec::new(),
            payments: Vec::new(),
            endings: Vec::new(),
        }
    }

    pub(crate) fn execute(&mut self, command: &Command) -> Answer {
        match command {
            Command::Catalog(command) => self.catalog(command),
            Command::Hold(command) => self.hold(command),
            Command::Wallet(command) => self.wallet_command(command),
            Command::Payment(command) => self.payment(command),
        }
    }

    /// Where a reservation stands now, swept or not.
    pub(crate) fn status(&self, made: &Reservation) -> ReservationStatus {
        let ran_out = made.status == ReservationStatus::Held && self.now >= made.hold_until;
        if ran_out { ReservationStatus::Expired } else { made.status }
    }

    /// A reservation as it is seen now.
    pub(crate) fn seen(&self, made: &Reservation) -> Reservation {
        let mut seen = made.clone();
        seen.status = self.status(made);
        seen
    }

    pub(super) fn reservation(&self, id: ReservationId) -> Option<&Reservation> {
        self.reservations.iter().find(|made| made.id == id)
    }

    pub(super) fn write(&mut self, id: ReservationId, status: ReservationStatus) {
        self.reservations.iter_mut().filter(|made| made.id == id).for_each(|made| made.status = status);
    }

    /// What a seat is: sold if a confirmed reservation has it, held if a live one has.
    pub(crate) fn seat(&self, performance: PerformanceId, number: SeatNumber) -> SeatStatus {
        let has = |status| {
            self.reservations.iter().any(|made| {
                made.performance == performance && made.seats.contains(&number) && self.status(made) == status
            })
        };
        if has(ReservationStatus::Confirmed) {
            SeatStatus::Sold
        } else if has(ReservationStatus::Held) {
            SeatStatus::Held
        } else {
            SeatStatus::Available
        }
    }

    pub(crate) fn bookable(&self, performance: &Performance) -> bool {
        performance.on_sale && self.now.micros() < performance.starts_at.timestamp_micros()
    }

    pub(crate) fn lines(&self, of: UserId) -> impl Iterator<Item = &Entry> {
        self.ledger.iter().filter(move |line| line.user == of)
    }

    /// A user's wallet, summed up.
    pub(crate) fn wallet(&self, of: UserId) -> Option<Wallet> {
        let (user, opened_at) = *self.users.iter().find(|(user, _)| *user == of)?;
        let signed = |line: &Entry| match line.kind {
            EntryKind::Debit(_) => -line.amount.units(),
            EntryKind::Charge | EntryKind::Refund(_) => line.amount.units(),
        };
        let balance = self.lines(of).map(signed).sum::<i64>();
        let entries = self.lines(of).count() as u64;
        Some(Wallet { user, balance: crate::ids::money(balance), entries, opened_at })
    }
}
