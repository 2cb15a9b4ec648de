use std::collections::BTreeSet;

use super::State;
use crate::{
    catalog::{self, Changes, ConcertDraft, LaneRecord},
    command::Command,
    event::Event,
    hold,
    id::PaymentId,
    outcome::{Effect, Outcome},
    payment,
    ticket::LaneName,
    time::Timestamp,
    wallet,
};

impl State {
    /// The answer to a command that was decided and followed: what it asked for, as it is now.
    pub(super) fn answer(&self, command: &Command, events: &[Event], now: Timestamp) -> Outcome {
        let effect = match command {
            Command::Catalog(command) => self.catalog_effect(command, events),
            Command::Hold(command) => self.hold_effect(command, now),
            Command::Wallet(wallet::Command::Open(user)) => {
                self.wallets.get(user).cloned().map_or(Effect::Nothing, Effect::Wallet)
            }
            Command::Wallet(wallet::Command::Charge { entry, .. }) => {
                self.entries.get(entry).cloned().map_or(Effect::Nothing, Effect::Entry)
            }
            Command::Payment(payment::Command::Pay { reservation, .. }) => {
                self.payment_effect(PaymentId::of(*reservation))
            }
            Command::Payment(payment::Command::Refund(payment)) => self.payment_effect(*payment),
        };
        Outcome { replayed: events.is_empty(), effect }
    }

    fn catalog_effect(&self, command: &catalog::Command, events: &[Event]) -> Effect {
        let lane = |name: &LaneName| {
            let settings = self.lanes.get(name).cloned();
            settings
                .map_or(Effect::Nothing, |settings| Effect::Lane(LaneRecord { name: name.clone(), settings }))
        };
        match command {
            catalog::Command::PutConcerts(drafts) => catalog_changes(drafts, events),
            catalog::Command::SetLane(name, _)
            | catalog::Command::MarkSoldOut { lane: name, .. }
            | catalog::Command::LiftRevision { lane: name, .. } => lane(name),
        }
    }

    fn hold_effect(&self, command: &hold::Command, now: Timestamp) -> Effect {
        let found = match command {
            hold::Command::Place { reservation, ticket, performance, choice } => {
                self.reservation(*reservation).or_else(|| {
                    let wanted = hold::decide::Wanted::by(choice).ok()?;
                    hold::decide::same_live_hold(self, ticket, *performance, &wanted, now)
                })
            }
            hold::Command::Release { reservation, .. } | hold::Command::Expire(reservation) => {
                self.reservation(*reservation)
            }
            hold::Command::Leave(ticket) => self.last_reservation_of(ticket),
        };
        found.map_or(Effect::Nothing, |reservation| Effect::Reservation(reservation.seen_at(now)))
    }

    fn payment_effect(&self, id: PaymentId) -> Effect {
        let payment = self.payments.get(&id).cloned();
        payment.map_or(Effect::Nothing, |payment| {
            let balance = self.wallets.get(&payment.user).map(|wallet| wallet.balance).unwrap_or_default();
            Effect::Payment { payment, balance }
        })
    }
}

fn catalog_changes(drafts: &[ConcertDraft], events: &[Event]) -> Effect {
    let (mut added, mut changed, mut touched) = (0, 0, BTreeSet::new());
    for event in events {
        let Event::Catalog(event) = event else { continue };
        let (count, concert) = match event {
            catalog::Event::ConcertAdded(concert) => (&mut added, concert.id),
            catalog::Event::ConcertChanged(concert) => (&mut changed, concert.id),
            catalog::Event::PerformanceAdded(performance) => (&mut added, performance.concert),
            catalog::Event::PerformanceChanged(performance) => (&mut changed, performance.concert),
            catalog::Event::LaneSet { .. } => continue,
        };
        *count += 1;
        touched.insert(concert);
    }
    Effect::Catalog(Changes { added, changed, unchanged: (drafts.len() - touched.len()) as u64 })
}
