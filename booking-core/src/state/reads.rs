//! Reads of a whole [`State`], for stores that keep one in memory: selecting and sorting, no rule. Each does what the
//! method of [`BookingStore`](crate::store::BookingStore) says that it is for.

use chrono::NaiveDate;

use super::{OfUser, State};
use crate::{
    audit::{Audit, Auditor},
    catalog::{Concert, LaneRecord, Performance, Stock},
    event::Event,
    hold::{Reservation, SeatStatus},
    id::{ConcertId, PaymentId, PerformanceId, ReservationId, UserId},
    payment::Payment,
    store::{Cursor, Listing, Page, PageRequest, PerformanceFilter, SeatMap, Totals},
    ticket::{EndReason, LaneName, Ticket},
    time::Timestamp,
    wallet::{Entry, Wallet},
};

fn of_user<T>(
    state: &State,
    user: UserId,
    page: PageRequest,
    items: impl Fn(&OfUser) -> Vec<(Cursor, T)>,
) -> Page<T> {
    let mut all = state.by_user.get(&user).map(|of_user| items(of_user)).unwrap_or_default();
    all.sort_unstable_by_key(|(cursor, _)| *cursor);
    Page::cut(all, page)
}

fn count_seats(state: &State, id: PerformanceId, now: Timestamp, which: impl Fn(SeatStatus) -> bool) -> u32 {
    let seats = state.seats.get(&id).into_iter().flat_map(|seats| seats.values());
    u32::try_from(seats.filter(|seat| which(seat.status_at(now))).count()).unwrap_or(u32::MAX)
}

impl State {
    /// `wallet`.
    pub fn wallet(&self, user: UserId) -> Option<Wallet> {
        self.wallets.get(&user).cloned()
    }

    /// `concert`.
    pub fn concert(&self, id: ConcertId) -> Option<Concert> {
        self.concerts.get(&id).cloned()
    }

    /// `performance`.
    pub fn performance(&self, id: PerformanceId, now: Timestamp) -> Option<Listing> {
        self.performances.get(&id).and_then(|found| self.listing(found, now))
    }

    /// `reservation`.
    pub fn reservation_of(&self, user: UserId, id: ReservationId, now: Timestamp) -> Option<Reservation> {
        self.owned_reservation(id, user).map(|reservation| reservation.seen_at(now))
    }

    /// `any_reservation`.
    pub fn any_reservation(&self, id: ReservationId, now: Timestamp) -> Option<Reservation> {
        self.reservation(id).map(|reservation| reservation.seen_at(now))
    }

    /// `any_payment`.
    pub fn any_payment(&self, id: PaymentId) -> Option<Payment> {
        self.payments.get(&id).cloned()
    }

    /// `expired_holds`.
    pub fn expired_holds(&self, limit: usize, now: Timestamp) -> Vec<ReservationId> {
        let over = self.holds.iter().take_while(|(until, _)| now >= *until);
        over.take(limit).map(|(_, id)| *id).collect()
    }

    /// `pending_endings`.
    pub fn pending_endings(&self, limit: usize) -> Vec<(Ticket, EndReason)> {
        self.endings.iter().take(limit).map(|(ticket, reason)| (ticket.clone(), *reason)).collect()
    }

    /// The ending of a ticket that this event recorded, while it is pending; the state has followed the event.
    pub fn ending_of(&self, event: &Event) -> Option<(Ticket, EndReason)> {
        let ticket = &self.reservations.get(&event.ends_ticket_of()?)?.ticket;
        Some((ticket.clone(), *self.endings.get(ticket)?))
    }

    /// Whether the ending of this ticket is not acknowledged.
    pub fn ending_is_pending(&self, ticket: &Ticket) -> bool {
        self.endings.contains_key(ticket)
    }

    /// `ack_endings`, of one ticket. It is no event: nothing that is decided looks at it.
    pub fn forget_ending(&mut self, ticket: &Ticket) {
        self.endings.remove(ticket);
    }

    /// `lanes`.
    pub fn lane_records(&self) -> Vec<LaneRecord> {
        let lanes = self.lanes.iter();
        lanes.map(|(name, settings)| LaneRecord { name: name.clone(), settings: settings.clone() }).collect()
    }

    /// `lane`.
    pub fn lane_record(&self, name: &LaneName) -> Option<LaneRecord> {
        let settings = self.lanes.get(name).cloned()?;
        Some(LaneRecord { name: name.clone(), settings })
    }

    /// `entries`.
    pub fn entries_of(&self, user: UserId, page: PageRequest) -> Page<Entry> {
        of_user(self, user, page, |of_user| {
            let entries = of_user.entries.iter().filter_map(|id| self.entries.get(id));
            entries.map(|entry| (Cursor::of_number(entry.number), entry.clone())).collect()
        })
    }

    /// `reservations`.
    pub fn reservations_of(&self, user: UserId, page: PageRequest, now: Timestamp) -> Page<Reservation> {
        of_user(self, user, page, |of_user| {
            let reservations = of_user.reservations.iter().filter_map(|id| self.reservations.get(id));
            reservations
                .map(|made| (Cursor { at: made.created_at, id: made.id.0 }, made.seen_at(now)))
                .collect()
        })
    }

    /// `payments`.
    pub fn payments_of(&self, user: UserId, page: PageRequest) -> Page<Payment> {
        of_user(self, user, page, |of_user| {
            let payments = of_user.payments.iter().filter_map(|id| self.payments.get(id));
            payments.map(|made| (Cursor { at: made.paid_at, id: made.id.0 }, made.clone())).collect()
        })
    }

    /// `concerts`.
    pub fn list_concerts(&self, page: PageRequest) -> Page<Concert> {
        let concerts = self.concert_order.iter().filter_map(|(at, id)| {
            let concert = self.concerts.get(id)?;
            Some((Cursor { at: *at, id: id.0 }, concert.clone()))
        });
        Page::cut(concerts, page)
    }

    fn listing(&self, performance: &Performance, now: Timestamp) -> Option<Listing> {
        let lane = self.concerts.get(&performance.concert)?.lane.clone();
        let taken = |status: SeatStatus| status != SeatStatus::Available;
        let available = performance.seats - count_seats(self, performance.id, now, taken);
        let seats_available = if performance.bookable_at(now) { available } else { 0 };
        Some(Listing { performance: performance.clone(), lane, seats_available })
    }

    /// `performances`.
    pub fn list_performances(
        &self,
        filter: &PerformanceFilter,
        page: PageRequest,
        now: Timestamp,
    ) -> Page<Listing> {
        let dates = match (filter.concert, filter.date) {
            (Some(concert), _) => self.by_concert.get(&concert).into_iter().flatten().collect(),
            (None, date) => {
                let mut all: Vec<_> = match date {
                    Some(date) => self.by_date.get(&date).into_iter().flatten().collect(),
                    None => self.by_date.values().flatten().collect(),
                };
                all.sort_unstable();
                all
            }
        };
        let wanted = |performance: &&Performance| {
            let in_lane = self.concerts.get(&performance.concert).is_some_and(|of| of.lane == filter.lane);
            let on_date = |date: NaiveDate| performance.local_date() == date;
            in_lane && filter.date.is_none_or(on_date) && performance.bookable_at(now)
        };
        let found = dates.into_iter().filter_map(|(_, id)| self.performances.get(id)).filter(wanted);
        let listed = found.map(|performance| {
            let cursor = Cursor { at: performance.begins(), id: performance.id.0 };
            (cursor, performance)
        });
        let page = Page::cut(listed, page);
        let next = page.next;
        let items = page.items.into_iter().filter_map(|performance| self.listing(performance, now)).collect();
        Page { items, next }
    }

    /// `seat_map`.
    pub fn seat_map(&self, id: PerformanceId, now: Timestamp) -> Option<SeatMap> {
        let performance = self.performances.get(&id)?;
        let lane = self.concerts.get(&performance.concert)?.lane.clone();
        let taken = self.seats.get(&id).into_iter().flatten();
        let taken = taken.map(|(number, seat)| (*number, seat.status_at(now)));
        Some(SeatMap::of(performance.clone(), lane, taken, now))
    }

    /// `stock`. Stops at the first unsold seat, so that only a sold-out lane is read whole.
    pub fn stock(&self, lane: &LaneName, now: Timestamp) -> Stock {
        let in_lane = |performance: &&Performance| {
            self.concerts.get(&performance.concert).is_some_and(|concert| concert.lane == *lane)
        };
        let mut bookable =
            self.performances.iter().filter(|found| found.bookable_at(now)).filter(in_lane).peekable();
        let sold = |id| count_seats(self, id, now, |status| status == SeatStatus::Sold);
        Stock {
            bookable: bookable.peek().is_some(),
            unsold: bookable.any(|found| sold(found.id) < found.seats),
        }
    }

    /// `totals`.
    pub fn totals(&self, now: Timestamp) -> Totals {
        let over = self.holds.iter().take_while(|(until, _)| *until <= now).count();
        Totals { active_holds: (self.holds.len() - over) as u64, seats_sold: self.seats_sold }
    }

    /// `audit`, on all rows.
    pub fn audit(&self, now: Timestamp) -> Audit {
        let mut auditor = Auditor::new(now, self.policy.max_balance);
        for performance in self.performances.iter() {
            auditor.performance(performance);
        }
        for (performance, seats) in self.seats.iter() {
            for (number, seat) in seats {
                auditor.seat(*performance, *number, *seat);
            }
        }
        for wallet in self.wallets.iter() {
            auditor.wallet(wallet);
        }
        for entry in self.entries.iter() {
            auditor.entry(entry);
        }
        for reservation in self.reservations.iter() {
            auditor.reservation(reservation);
        }
        for payment in self.payments.iter() {
            auditor.payment(payment);
        }
        auditor.finish()
    }
}
