use std::{collections::BTreeSet, sync::Arc};

use super::State;
use crate::{
    hold::{Seat, SeatNumber},
    id::{ConcertId, PerformanceId, ReservationId, UserId},
    keys::Keys,
};

/// Seats, by the performance and their number.
type Seats = BTreeSet<(PerformanceId, SeatNumber)>;

impl State {
    /// Only the rows that `keys` name, with the links followed as [`Keys`] describes: what a store loads to decide a
    /// batch. Deciding on it gives the same answers as deciding on the whole state; a property test holds that.
    pub fn subset(&self, keys: &Keys) -> Self {
        let mut part = Self::new(self.policy.clone());
        self.add_subset(&mut part, keys, &Seats::new());
        part
    }

    /// Adds the rows that `keys` name to a part of this state, which has followed events since that this state has not:
    /// so a batch can grow while it is decided. Rows that the part has stay as they are there; `moved` names the seats
    /// that those events moved, because one that was given back looks like one that was not loaded.
    pub fn add_subset(&self, part: &mut Self, keys: &Keys, moved: &Seats) {
        for name in &keys.lanes {
            if !part.lanes.contains_key(name) {
                part.lanes.extend(self.lanes.get(name).map(|settings| (name.clone(), settings.clone())));
            }
        }
        for id in &keys.concerts {
            self.copy_concert(part, *id);
        }
        for id in &keys.performances {
            self.copy_performance(part, *id);
        }
        for (performance, seat) in &keys.seats {
            self.copy_seat(part, *performance, *seat, moved);
        }
        for performance in &keys.all_seats {
            self.copy_hall(part, *performance, moved);
        }
        for user in &keys.users {
            self.copy_user(part, *user);
        }
        let of_tickets =
            keys.tickets.iter().filter_map(|ticket| self.last_reservation_of(ticket)).map(|last| &last.id);
        let of_payments =
            keys.payments.iter().filter_map(|id| self.payments.get(id)).map(|paid| &paid.reservation);
        for id in keys.reservations.iter().chain(of_tickets).chain(of_payments) {
            self.copy_reservation(part, *id, moved);
        }
        for entry in keys.entries.iter().filter_map(|id| self.entries.get(id)) {
            if !part.entries.contains(&entry.id) {
                part.put_entry(entry.clone());
            }
        }
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
            if !part.performances.contains(&id) {
                part.put_performance(performance.clone());
            }
            self.copy_concert(part, performance.concert);
        }
    }

    fn copy_seat(&self, part: &mut Self, performance: PerformanceId, number: SeatNumber, moved: &Seats) {
        if let Some(seat) = self.seats.get(&performance).and_then(|seats| seats.get(&number))
            && !moved.contains(&(performance, number))
        {
            part.put_seat(performance, number, *seat);
        }
    }

    fn copy_hall(&self, part: &mut Self, performance: PerformanceId, moved: &Seats) {
        let Some(seats) = self.seats.get(&performance) else { return };
        let there = part.seats.get(&performance);
        let is_lacking = |(number, _): &(&SeatNumber, &Seat)| {
            !moved.contains(&(performance, **number)) && there.is_none_or(|there| !there.contains_key(number))
        };
        let lacking = seats.iter().filter(is_lacking).map(|(number, seat)| (*number, *seat)).collect();
        part.put_new_seats(performance, lacking);
    }

    fn copy_user(&self, part: &mut Self, user: UserId) {
        self.copy_wallet(part, user);
        for active in self.active_reservations(user) {
            self.put_once(part, active.id);
        }
    }

    fn copy_wallet(&self, part: &mut Self, user: UserId) {
        if !part.wallets.contains(&user) {
            part.wallets.extend(self.wallets.get(&user).cloned());
        }
    }

    /// A reservation brings everything its release, expiry, payment or refund can touch.
    fn copy_reservation(&self, part: &mut Self, id: ReservationId, moved: &Seats) {
        let Some(reservation) = self.reservation(id) else { return };
        self.put_once(part, id);
        self.copy_wallet(part, reservation.user);
        for seat in &reservation.seats {
            self.copy_seat(part, reservation.performance, *seat, moved);
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
        // An earlier reservation of the same ticket must not pass for its last, which may be one that this state lacks.
        let later = part.last_reservation_of(&reservation.ticket).map(|last| last.id);
        part.put_reservation(Arc::clone(reservation));
        let last = self.last_reservation_of(&reservation.ticket).map(|last| last.id);
        if let (Some(later), Some(of_user)) = (later, part.by_user.get_mut(&reservation.user))
            && (last == Some(later) || !self.reservations.contains(&later))
        {
            of_user.of_tickets.iter_mut().filter(|of| **of == id).for_each(|of| *of = later);
        }
    }
}
