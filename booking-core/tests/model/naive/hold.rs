use std::collections::BTreeSet;

use booking_core::{
    Effect, EndReason, Money, Outcome, Refusal, Ticket,
    catalog::Performance,
    hold::{Command, Reservation, ReservationStatus as Status, SeatChoice, SeatNumber, SeatStatus},
    id::{PaymentId, PerformanceId, ReservationId, UserId},
};

use super::{Answer, World, best::best, done, replay};

impl World {
    pub(super) fn hold(&mut self, command: &Command) -> Answer {
        match command {
            Command::Place { reservation, ticket, performance, choice } => {
                self.place(*reservation, ticket, *performance, choice)
            }
            Command::Release { reservation, user } => self.release(*reservation, *user),
            Command::Leave(ticket) => Ok(self.leave(ticket)),
            Command::Expire(reservation) => Ok(self.expire(*reservation)),
        }
    }

    fn tell(&self, id: ReservationId) -> Effect {
        self.reservation(id).map_or(Effect::Nothing, |made| Effect::Reservation(self.seen(made)))
    }

    fn of_user(&self, user: UserId, status: Status) -> impl Iterator<Item = &Reservation> {
        self.reservations.iter().filter(move |made| made.user == user && self.status(made) == status)
    }

    fn place(
        &mut self,
        id: ReservationId,
        ticket: &Ticket,
        at: PerformanceId,
        choice: &SeatChoice,
    ) -> Answer {
        let named: Vec<SeatNumber> = match choice {
            SeatChoice::Exact(seats) => seats.clone(),
            SeatChoice::Best(_) => Vec::new(),
        };
        let sorted: BTreeSet<SeatNumber> = named.iter().copied().collect();
        let wanted: Vec<SeatNumber> = sorted.into_iter().collect();
        let count = match choice {
            SeatChoice::Exact(_) => wanted.len(),
            SeatChoice::Best(count) => *count as usize,
        };
        if count == 0 || wanted.len() < named.len() {
            return Err(Refusal::InvalidSeats(String::new()));
        }
        let is_best = matches!(choice, SeatChoice::Best(_));
        let met =
            |made: &Reservation| if is_best { made.seats.len() == count } else { *made.seats == wanted };
        if let Some(known) = self.reservation(id) {
            let same = known.user == ticket.user && known.performance == at && met(known);
            return if same { Ok(replay(self.tell(id))) } else { Err(Refusal::IdempotencyKeyReused) };
        }
        let performance = self.may_be_held(ticket, at, &wanted)?;
        let held = self.of_user(ticket.user, Status::Held);
        let own = |made: &Reservation| !is_best || made.ticket == *ticket;
        if let Some(same) = held.into_iter().find(|made| made.performance == at && met(made) && own(made)) {
            return Ok(replay(self.tell(same.id)));
        }
        let taken: Vec<_> =
            wanted.iter().copied().filter(|number| self.seat(at, *number) != SeatStatus::Available).collect();
        if !taken.is_empty() {
            return Err(Refusal::SeatTaken { seats: taken });
        }
        let wanted = if is_best {
            let is_free = |seat| self.seat(at, seat) == SeatStatus::Available;
            let free: Vec<bool> = (1..=performance.seats).map(is_free).collect();
            best(&free, count)?
        } else {
            wanted
        };
        if self.wallet(ticket.user).is_none() {
            return Err(Refusal::UnknownUser);
        }
        self.check_ticket(ticket)?;
        self.check_limits(ticket.user, at, count)?;
        let total = i128::from(performance.price.units()) * wanted.len() as i128;
        let amount = i64::try_from(total).map_err(|_| Refusal::AmountOutOfRange)?;
        self.reservations.push(Reservation {
            id,
            user: ticket.user,
            performance: at,
            seats: wanted.into(),
            ticket: ticket.clone(),
            payment: PaymentId::of(id),
            amount: Money::new(amount).expect("prices are not negative"),
            created_at: self.now,
            hold_until: self.now.after(self.policy.hold_ttl),
            status: Status::Held,
        });
        Ok(done(self.tell(id)))
    }

    fn may_be_held(
        &self,
        ticket: &Ticket,
        at: PerformanceId,
        seats: &[SeatNumber],
    ) -> Result<Performance, Refusal> {
        let performance =
            self.performances.iter().find(|one| one.id == at).ok_or(Refusal::UnknownPerformance)?;
        let concert = self.concerts.iter().find(|one| one.id == performance.concert);
        let lane = &concert.ok_or(Refusal::UnknownPerformance)?.lane;
        if *lane != ticket.lane {
            return Err(Refusal::WrongLane { lane: lane.clone() });
        }
        for seat in seats {
            if *seat == 0 || *seat > performance.seats {
                return Err(Refusal::UnknownSeat { seat: i64::from(*seat), seats: performance.seats });
            }
        }
        if self.bookable(performance) { Ok(performance.clone()) } else { Err(Refusal::NotOnSale) }
    }

    /// A ticket holds nothing while it holds something, and never again once it has paid or let a hold run out.
    fn check_ticket(&self, ticket: &Ticket) -> Result<(), Refusal> {
        for made in self.reservations.iter().filter(|made| made.ticket == *ticket) {
            match self.status(made) {
                Status::Released => {}
                Status::Held => return Err(Refusal::SeatLimitReached),
                Status::Expired => return Err(Refusal::TicketOver(EndReason::HoldExpired)),
                Status::Confirmed | Status::Refunded => {
                    return Err(Refusal::TicketOver(EndReason::Completed));
                }
            }
        }
        Ok(())
    }

    fn check_limits(&self, user: UserId, at: PerformanceId, wanted: usize) -> Result<(), Refusal> {
        let live = self.of_user(user, Status::Held).count();
        let has = self.of_user(user, Status::Held).chain(self.of_user(user, Status::Confirmed));
        let seats: usize = has.filter(|made| made.performance == at).map(|made| made.seats.len()).sum();
        let one_more = live < self.policy.live_reservations_per_user;
        if one_more && seats + wanted <= self.policy.seats_per_user {
            Ok(())
        } else {
            Err(Refusal::SeatLimitReached)
        }
    }

    fn release(&mut self, id: ReservationId, user: UserId) -> Answer {
        let made =
            self.reservation(id).filter(|made| made.user == user).ok_or(Refusal::UnknownReservation)?;
        match self.status(made) {
            Status::Held => {
                self.write(id, Status::Released);
                Ok(done(self.tell(id)))
            }
            Status::Released => Ok(replay(self.tell(id))),
            Status::Expired => Err(Refusal::HoldExpired),
            Status::Confirmed | Status::Refunded => Err(Refusal::ReservationNotReleasable),
        }
    }

    fn leave(&mut self, ticket: &Ticket) -> Outcome {
        let Some(last) = self.reservations.iter().rfind(|made| made.ticket == *ticket) else {
            return replay(Effect::Nothing);
        };
        let (id, live) = (last.id, self.status(last) == Status::Held);
        if live {
            self.write(id, Status::Released);
        }
        Outcome { replayed: !live, effect: self.tell(id) }
    }

    fn expire(&mut self, id: ReservationId) -> Outcome {
        let found =
            self.reservation(id).filter(|made| made.status == Status::Held && self.now >= made.hold_until);
        let over = found.map(|made| made.ticket.clone());
        let replayed = over.is_none();
        if let Some(ticket) = over {
            self.write(id, Status::Expired);
            self.endings.push((ticket, EndReason::HoldExpired));
        }
        Outcome { replayed, effect: self.tell(id) }
    }
}
