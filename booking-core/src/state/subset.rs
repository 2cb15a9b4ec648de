use super::State;
use crate::{
    hold::{Reservation, SeatNumber},
    id::{PerformanceId, ReservationId},
    keys::Keys,
};

impl State {
    /// Only the rows that `keys` name, with the links followed as [`Keys`] describes: what a store loads to decide a
    /// batch. Deciding on it gives the same answers as deciding on the whole state; a property test holds that.
    pub fn subset(&self, keys: &Keys) -> Self {
        let mut part = Self::new(self.policy.clone());
        for name in &keys.lanes {
            part.lanes.extend(self.lanes.get(name).map(|settings| (name.clone(), settings.clone())));
        }
        keys.concerts.iter().for_each(|id| self.copy_concert(&mut part, *id));
        keys.performances.iter().for_each(|id| self.copy_performance(&mut part, *id));
        keys.seats.iter().for_each(|(performance, seat)| self.copy_seat(&mut part, *performance, *seat));
        keys.users.iter().for_each(|user| self.copy_user(&mut part, *user));
        for ticket in &keys.tickets {
            self.by_ticket.get(ticket).iter().for_each(|id| self.copy_reservation(&mut part, **id));
        }
        keys.reservations.iter().for_each(|id| self.copy_reservation(&mut part, *id));
        for id in &keys.payments {
            let payment = self.payments.get(id);
            payment.iter().for_each(|payment| self.copy_reservation(&mut part, payment.reservation));
        }
        for id in keys.entries.iter().filter_map(|id| self.entries.get(id)) {
            part.put_entry(id.clone());
        }
        part
    }

    fn copy_concert(&self, part: &mut Self, id: crate::id::ConcertId) {
        let concert = self.concerts.get(&id).filter(|_| !part.concerts.contains_key(&id));
        concert.iter().for_each(|concert| part.put_concert((*concert).clone()));
    }

    fn copy_performance(&self, part: &mut Self, id: PerformanceId) {
        if let Some(performance) = self.performances.get(&id) {
            part.put_performance(performance.clone());
            self.copy_concert(part, performance.concert);
        }
    }

    fn copy_seat(&self, part: &mut Self, performance: PerformanceId, number: SeatNumber) {
        if let Some(seat) = self.seats.get(&performance).and_then(|seats| seats.get(&number)) {
            part.seats.entry(performance).or_default().insert(number, *seat);
        }
    }

    fn copy_user(&self, part: &mut Self, user: crate::id::UserId) {
        part.wallets.extend(self.wallets.get(&user).map(|wallet| (user, wallet.clone())));
        let active: Vec<ReservationId> = self.active_reservations(user).map(|active| active.id).collect();
        active.into_iter().for_each(|id| self.put_once(part, id));
    }

    /// A reservation brings everything its release, expiry, payment or refund can touch.
    fn copy_reservation(&self, part: &mut Self, id: ReservationId) {
        let Some(reservation) = self.reservations.get(&id) else { return };
        self.put_once(part, id);
        let Reservation { user, performance, payment, .. } = *reservation;
        part.wallets.extend(self.wallets.get(&user).map(|wallet| (user, wallet.clone())));
        reservation.seats.iter().for_each(|seat| self.copy_seat(part, performance, *seat));
        if let Some(payment) = self.payments.get(&payment).filter(|_| !part.payments.contains_key(&payment)) {
            part.put_payment(payment.clone());
        }
    }

    fn put_once(&self, part: &mut Self, id: ReservationId) {
        if let Some(reservation) = self.reservations.get(&id).filter(|_| !part.reservations.contains_key(&id))
        {
            let ticket = &reservation.ticket;
            part.put_reservation(reservation.clone());
            // An earlier reservation of the same ticket must not pass for its last.
            part.by_ticket.extend(self.by_ticket.get(ticket).map(|last| (ticket.clone(), *last)));
        }
    }
}
