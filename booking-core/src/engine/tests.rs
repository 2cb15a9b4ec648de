//! The engine over memory, with a queue store that fails when it is told to.
#![cfg(not(booking_loom))]

mod booking;
mod glancing;
mod operating;
mod queueing;
mod reading;
mod rounds;
mod shaky;
mod stopped;
mod tending;

use std::{sync::Arc, time::Duration};

use pollster::block_on;
use shaky::ShakyQueue;
use stopped::StoppedBooking;

use super::{Answer, Engine, Paid, Tended};
use crate::{
    catalog::{ConcertDraft, LaneChange},
    error::{Error, StoreError},
    fixture::*,
    hold::{Reservation, SeatNumber, SeatStatus},
    memory::{MemoryBooking, MemoryQueue},
    money::Amount,
    policy::BookingPolicy,
    queue::Place,
    refusal::Refusal,
    store::BookingStore,
    ticket::{EndReason, LaneName, Ticket},
    time::{Clock, ManualClock},
};

const CLAIM_TTL: Duration = Duration::from_mins(1);
const SESSION_TTL: Duration = Duration::from_mins(15);

/// An engine, its stores and its clock. The lane `main` has the default settings; the users 1 to 4 have 5,000 each.
struct Hall {
    engine: Engine,
    clock: Arc<ManualClock>,
    booking: Arc<MemoryBooking>,
    queue: Arc<ShakyQueue>,
}

impl Hall {
    fn new() -> Self {
        Self::with(BookingPolicy::default())
    }

    fn with(policy: BookingPolicy) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let booking = Arc::new(MemoryBooking::new(policy, Arc::clone(&clock) as Arc<dyn Clock>));
        let queue = Arc::new(ShakyQueue::over(MemoryQueue::new(Arc::clone(&clock) as Arc<dyn Clock>)));
        let engine = Engine::new(Arc::clone(&booking) as _, Arc::clone(&queue) as _);
        let hall = Self { engine, clock, booking, queue };
        hall.set_lane(LaneChange::default());
        hall.put(draft());
        for n in 1..=4 {
            block_on(hall.engine.open_wallet(user(n))).unwrap();
            block_on(hall.engine.charge(user(n), entry(n), Amount::new(5_000).unwrap())).unwrap();
        }
        hall
    }

    /// A hall with a single seat at the performance.
    fn of_one_seat() -> Self {
        let hall = Self::new();
        let mut small = draft();
        small.performances = vec![crate::catalog::PerformanceDraft { seats: 1, ..performance_draft(2) }];
        hall.put(small);
        let mut off_sale = draft();
        off_sale.performances[0].on_sale = false;
        hall.put(off_sale);
        hall
    }

    fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    fn set_lane(&self, change: LaneChange) {
        block_on(self.engine.set_lane(&LaneName::main(), change)).unwrap();
    }

    fn put(&self, draft: ConcertDraft) {
        block_on(self.engine.put_concerts(vec![draft])).unwrap();
    }

    fn enter(&self, n: u128) -> Ticket {
        block_on(self.engine.enter(&LaneName::main(), user(n))).unwrap().ticket
    }

    /// Another instance on the same stores, which stops once when it has read a stock; `meanwhile` happens elsewhere.
    fn instance_that_stops(&self, meanwhile: impl FnOnce() + Send + 'static) -> Engine {
        let booking = StoppedBooking::over(Arc::clone(&self.booking), meanwhile);
        Engine::new(Arc::new(booking), Arc::clone(&self.queue) as _)
    }

    /// Another instance on the same stores, which can't read any stock.
    fn instance_without_stock(&self) -> Engine {
        let booking = StoppedBooking::without_stock(Arc::clone(&self.booking));
        Engine::new(Arc::new(booking), Arc::clone(&self.queue) as _)
    }

    fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        block_on(self.engine.place(ticket))
    }

    fn is_admitted(&self, ticket: &Ticket) -> bool {
        matches!(self.place(ticket), Ok(Place::Admitted { .. }))
    }

    fn hold(&self, r: u128, ticket: &Ticket, seats: &[SeatNumber]) -> Result<Answer<Reservation>, Error> {
        block_on(self.engine.hold(ticket, reservation(r), performance(1), seats.to_vec()))
    }

    fn pay(&self, r: u128, ticket: &Ticket) -> Result<Answer<Paid>, Error> {
        block_on(self.engine.pay(ticket, reservation(r)))
    }

    fn tend(&self) -> Tended {
        block_on(self.engine.tend()).unwrap()
    }

    fn balance(&self, n: u128) -> i64 {
        block_on(self.engine.wallet(user(n))).unwrap().balance.units()
    }

    fn seat(&self, number: SeatNumber) -> SeatStatus {
        let map = block_on(self.booking.seat_map(performance(1))).unwrap().unwrap();
        map.seats[usize::try_from(number).unwrap() - 1]
    }

    fn pending_endings(&self) -> Vec<(Ticket, EndReason)> {
        block_on(self.booking.pending_endings(100)).unwrap()
    }
}

fn refused<T>(refusal: Refusal) -> Result<T, Error> {
    Err(Error::Refused(refusal))
}

fn capacity(capacity: u32) -> LaneChange {
    LaneChange { capacity: Some(capacity), ..LaneChange::default() }
}
