//! People who ask at random: few enough to get in each other's way, sensible enough to get somewhere.

use std::{collections::BTreeMap, time::Duration};

use super::stage::{
    Stage, charge, concert, expire, lane, mark_sold_out, money, open, pay, performance, place, place_best,
    refund, release, set_lane,
};
use crate::{
    catalog::{self, LaneChange, PerformanceDraft},
    command::Command,
    conformance::tools::Random,
    hold::{self, SeatNumber},
    id::{ConcertId, EntryId, PaymentId, PerformanceId, ReservationId, UserId},
    outcome::{Effect, Outcome},
    refusal::Refusal,
    ticket::{Epoch, LaneName, Ticket},
    time::Timestamp,
};

/// Seats of each performance they want.
const SEATS: SeatNumber = 20;

/// Who asks, for what, and what was asked before.
#[derive(Clone)]
pub(super) struct Crowd {
    pub(super) users: Vec<UserId>,
    pub(super) shows: Vec<(ConcertId, PerformanceId)>,
    tickets: Vec<Ticket>,
    reservations: Vec<(ReservationId, Ticket)>,
    payments: Vec<PaymentId>,
    charges: Vec<Command>,
    /// Of the lanes' settings, as last answered.
    revisions: BTreeMap<LaneName, u64>,
    /// Makes the tickets of one crowd different from those of another.
    epoch: Epoch,
}

impl Crowd {
    /// Some known users and three performances, one of which begins soon.
    pub(super) fn on(stage: &Stage, random: &mut Random) -> Self {
        let users: Vec<UserId> = (0..16).map(|_| UserId(random.uuid())).collect();
        let mut batch: Vec<Command> = users.iter().map(|user| open(*user)).collect();
        batch.extend(users.iter().map(|user| charge(EntryId(random.uuid()), *user, 5_000)));
        let mut shows = Vec::new();
        for begins in [stage.begins(), stage.begins(), stage.now().after(Duration::from_hours(2))] {
            let (of, show) = (ConcertId(random.uuid()), PerformanceId(random.uuid()));
            let draft = concert(of, &LaneName::main(), vec![performance(show, begins, SEATS)]);
            batch.push(catalog::Command::PutConcerts(vec![draft]).into());
            shows.push((of, show));
        }
        assert!(stage.execute(batch).iter().all(Result::is_ok));
        Self {
            users,
            shows,
            tickets: Vec::new(),
            reservations: Vec::new(),
            payments: Vec::new(),
            charges: Vec::new(),
            revisions: BTreeMap::new(),
            epoch: Epoch(1),
        }
    }

    /// The same people and performances with tickets of their own.
    pub(super) fn another(&self, number: u64) -> Self {
        Self { epoch: Epoch(number), ..self.clone() }
    }

    /// Something one of them asks.
    pub(super) fn command(&mut self, random: &mut Random, now: Timestamp) -> Command {
        match random.below(100) {
            0..35 => self.place(random),
            35..52 => match self.recent(random) {
                Some((id, ticket)) if !random.once_in(12) => pay(id, &ticket),
                Some((id, _)) => pay(id, &self.ticket(random)),
                None => self.charge(random),
            },
            52..58 => match self.recent(random) {
                Some((id, ticket)) if !random.once_in(8) => release(id, ticket.user),
                _ => release(ReservationId(random.uuid()), self.user(random)),
            },
            58..60 => hold::Command::Leave(self.ticket(random)).into(),
            60..64 => {
                let known = self.recent(random).map(|(id, _)| id);
                expire(known.unwrap_or(ReservationId(random.uuid())))
            }
            64..80 => self.charge(random),
            80..82 => open(self.user(random)),
            82..94 => self.refund(random),
            94..97 => self.lane(random),
            _ => self.concert(random, now),
        }
    }

    /// Remembers what came of it, so that the next questions make some sense.
    pub(super) fn learn(&mut self, batch: &[Command], answers: &[Result<Outcome, Refusal>]) {
        for (command, answer) in batch.iter().zip(answers) {
            match (command, answer.as_ref().map(|outcome| &outcome.effect)) {
                (Command::Hold(hold::Command::Place { reservation, ticket, .. }), Ok(_)) => {
                    self.reservations.push((*reservation, ticket.clone()));
                }
                (_, Ok(Effect::Payment { payment, .. })) => {
                    // What is given back is asked for once more at times, but not over and over.
                    self.payments.retain(|known| *known != payment.id || known.0.as_u128() % 4 == 0);
                    if payment.refunded_at.is_none() {
                        self.payments.push(payment.id);
                    }
                }
                (_, Ok(Effect::Lane(lane))) => {
                    self.revisions.insert(lane.name.clone(), lane.settings.revision);
                }
                _ => {}
            }
        }
    }

    fn user(&self, random: &mut Random) -> UserId {
        if random.once_in(60) { UserId(random.uuid()) } else { *random.pick(&self.users) }
    }

    fn ticket(&mut self, random: &mut Random) -> Ticket {
        if self.tickets.is_empty() || !random.once_in(5) {
            let name = if random.once_in(40) { lane("side") } else { LaneName::main() };
            let seq = self.tickets.len() as u64 + 1;
            let ticket = Ticket { lane: name, epoch: self.epoch, seq, user: self.user(random) };
            self.tickets.push(ticket);
        }
        let recent = &self.tickets[self.tickets.len().saturating_sub(10)..];
        random.pick(recent).clone()
    }

    /// One of the reservations asked for of late.
    fn recent(&self, random: &mut Random) -> Option<(ReservationId, Ticket)> {
        let recent = &self.reservations[self.reservations.len().saturating_sub(8)..];
        if recent.is_empty() { None } else { Some(random.pick(recent).clone()) }
    }

    fn place(&mut self, random: &mut Random) -> Command {
        let ticket = self.ticket(random);
        let seat = |random: &mut Random| {
            if random.once_in(50) { random.seat(2) * (SEATS + 1) } else { random.seat(SEATS) + 1 }
        };
        let seats: Vec<SeatNumber> = match random.below(4) {
            0 => (0..=random.below(3)).map(|_| seat(random)).collect(),
            _ => vec![seat(random)],
        };
        let known = if random.once_in(8) { self.recent(random) } else { None };
        let id = known.map_or_else(|| ReservationId(random.uuid()), |(id, _)| id);
        if random.once_in(5) {
            return place_best(id, &ticket, random.pick(&self.shows).1, random.seat(5));
        }
        place(id, &ticket, random.pick(&self.shows).1, &seats)
    }

    fn refund(&self, random: &mut Random) -> Command {
        let recent = &self.payments[self.payments.len().saturating_sub(30)..];
        if recent.is_empty() || random.once_in(8) {
            refund(PaymentId(random.uuid()))
        } else {
            refund(*random.pick(recent))
        }
    }

    fn charge(&mut self, random: &mut Random) -> Command {
        if !self.charges.is_empty() && random.once_in(6) {
            return random.pick(&self.charges).clone();
        }
        let units = if random.once_in(40) { i64::MAX } else { i64::from(random.seat(4_000)) + 1 };
        let command = charge(EntryId(random.uuid()), self.user(random), units);
        self.charges.push(command.clone());
        command
    }

    fn lane(&self, random: &mut Random) -> Command {
        let name = if random.once_in(3) { lane("side") } else { LaneName::main() };
        match random.below(4) {
            0 => {
                let known = self.revisions.get(&name).copied().unwrap_or_default();
                let revision = known.saturating_sub(u64::from(random.once_in(4)));
                if random.once_in(5) {
                    let above = revision + random.below(3);
                    return catalog::Command::LiftRevision { lane: name, revision, above }.into();
                }
                mark_sold_out(&name, revision, random.once_in(2))
            }
            1 => set_lane(&name, LaneChange { paused: Some(random.once_in(2)), ..LaneChange::default() }),
            _ => set_lane(&name, LaneChange { capacity: Some(random.seat(9)), ..LaneChange::default() }),
        }
    }

    fn concert(&self, random: &mut Random, now: Timestamp) -> Command {
        let (of, show) = *random.pick(&self.shows);
        let draft = PerformanceDraft {
            price: money(i64::from(random.seat(3)) * 500),
            on_sale: !random.once_in(10),
            ..performance(show, now.after(Duration::from_hours(2)), SEATS)
        };
        let name = if random.once_in(20) { lane("side") } else { LaneName::main() };
        catalog::Command::PutConcerts(vec![concert(of, &name, vec![draft])]).into()
    }
}
