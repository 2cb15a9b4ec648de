use std::sync::Arc;

use super::State;
use crate::{
    hold::{Reservation, SeatNumber},
    id::{ConcertId, PerformanceId, ReservationId, UserId},
    keys::Keys,
    reach::Reach,
};

impl State {
    /// Only the rows that `keys` name, with the links followed as [`Keys`] describes: what a store loads to decide a
    /// batch. Deciding on it gives the same answers as deciding on the whole state; a property test holds that.
    pub fn subset(&self, keys: &Keys) -> Self {
        let mut part = Self::new(self.policy.clone());
        for name in &keys.lanes {
            part.lanes.extend(self.lanes.get(name).map(|settings| (name.clone(), settings.clone())));
        }
        for id in &keys.concerts {
            self.copy_concert(&mut part, *id);
        }
        for id in &keys.performances {
            self.copy_performance(&mut part, *id);
        }
        for (performance, seat) in &keys.seats {
            self.copy_seat(&mut part, *performance, *seat);
        }
        for performance in &keys.all_seats {
            self.copy_hall(&mut part, *performance);
        }
        for user in &keys.users {
            self.copy_user(&mut part, *user);
        }
        for reservation in self.named(keys) {
            self.copy_reservation(&mut part, reservation);
        }
        for entry in keys.entries.iter().filter_map(|id| self.entries.get(id)) {
            part.put_entry(entry.clone());
        }
        part
    }

    /// What these keys reach. The subset that they name is enough for it.
    pub fn reach(&self, keys: &Keys) -> Reach {
        let mut reach = Reach::of(keys);
        self.named(keys).for_each(|reservation| reach.follow(reservation));
        reach
    }

    /// The reservations that are named: by themselves, by their payment, or as the last of their ticket.
    fn named(&self, keys: &Keys) -> impl Iterator<Item = &Reservation> {
        let by_ticket = keys.tickets.iter().filter_map(|ticket| self.last_reservation_of(ticket));
        let paid = |id| self.payments.get(id).and_then(|paid| self.reservation(paid.reservation));
        let by_id = keys.reservations.iter().filter_map(|id| self.reservation(*id));
        by_id.chain(by_ticket).chain(keys.payments.iter().filter_map(paid))
    }

    fn copy_concert(&self, part: &mut Self, id: ConcertId) {
        if let Some(concert) = self.concerts.get(&id)
            && !part.concerts.contains(&id)
        {
            part.put_concert(concert.clone());
        }
    }

    fn copy_performance(&self, part: &mut Self, id: PerformanceId) {
        if let Some(performance) = self.performances.get(&id) {
            part.put_performance(performance.clone());
            self.copy_concert(part, performance.concert);
        }
    }

    fn copy_seat(&self, part: &mut Self, performance: PerformanceId, number: SeatNumber) {
        if let Some(seat) = self.seats.get(&performance).and_then(|seats| seats.get(&number)) {
            part.put_seat(performance, number, *seat);
        }
    }

    fn copy_hall(&self, part: &mut Self, performance: PerformanceId) {
        for (number, seat) in self.seats.get(&performance).into_iter().flatten() {
            part.put_seat(performance, *number, *seat);
        }
    }

    fn copy_user(&self, part: &mut Self, user: UserId) {
        self.copy_wallet(part, user);
        for active in self.active_reservations(user) {
            self.put_once(part, active.id);
        }
    }

    fn copy_wallet(&self, part: &mut Self, user: UserId) {
        part.wallets.extend(self.wallets.get(&user).cloned());
    }

    /// A reservation brings everything its release, expiry, payment or refund can touch.
    fn copy_reservation(&self, part: &mut Self, reservation: &Reservation) {
        self.put_once(part, reservation.id);
        self.copy_wallet(part, reservation.user);
        for seat in &reservation.seats {
            self.copy_seat(part, reservation.performance, *seat);
        }
        if let Some(payment) = self.payments.get(&reservation.payment)
            && !part.payments.contains(&payment.id)
        {
            part.put_payment(payment.clone());
        }
    }

    fn put_once(&self, part: &mut Self, id: ReservationId) {
        let Some(reservation) = self.reservations.get(&id) else { return };
        if part.reservations.contains(&id) {
            return;
        }
        // An earlier reservation of the same ticket must not pass for its last.
        let later = part.last_reservation_of(&reservation.ticket).map(|last| last.id);
        part.put_reservation(Arc::clone(reservation));
        let last = self.last_reservation_of(&reservation.ticket).map(|last| last.id);
        if let (Some(later), Some(of_user)) = (later, part.by_user.get_mut(&reservation.user))
            && last == Some(later)
        {
            of_user.of_tickets.iter_mut().filter(|of| **of == id).for_each(|of| *of = later);
        }
    }
}
