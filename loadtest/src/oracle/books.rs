//! The log, sorted by what it is about.

use std::collections::HashMap;

use booking_core::{Event, RecordedEvent, hold, payment, wallet};
use uuid::Uuid;

use super::Evidence;

/// What the log says of the run's reservations, payments and charges.
#[derive(Default)]
pub(super) struct Log<'a> {
    /// Every reservation by its identity.
    pub(super) reservations: HashMap<Uuid, Life<'a>>,
    /// The charges by the identity of their line in the ledger.
    pub(super) charges: HashMap<Uuid, Vec<&'a wallet::Entry>>,
    /// The debits by payment.
    pub(super) debits: HashMap<Uuid, Vec<&'a wallet::Entry>>,
    /// All that moved a seat of the run, in order.
    pub(super) moves: Vec<(&'a RecordedEvent, &'a hold::Event)>,
}

/// What happened to one reservation, by the numbers of the events.
#[derive(Default)]
pub(super) struct Life<'a> {
    pub(super) held: Vec<&'a hold::Reservation>,
    pub(super) sold: Vec<u64>,
    pub(super) expired: Vec<u64>,
    pub(super) released: Vec<u64>,
    pub(super) payments: Vec<&'a payment::Payment>,
}

impl<'a> Log<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Self {
        let mut log = Self::default();
        for recorded in &evidence.books.events {
            match &recorded.event {
                Event::Hold(event) => log.seats(evidence, recorded, event),
                Event::Payment(payment::Event::PaymentMade(made)) => {
                    log.reservations.entry(made.reservation.0).or_default().payments.push(made);
                }
                Event::Wallet(wallet::Event::WalletCharged(entry)) => {
                    log.charges.entry(entry.id.0).or_default().push(entry);
                }
                Event::Wallet(wallet::Event::WalletDebited(entry)) => {
                    let payment = entry.kind.payment().map(|payment| payment.0).unwrap_or_default();
                    log.debits.entry(payment).or_default().push(entry);
                }
                Event::Wallet(_) | Event::Payment(_) | Event::Catalog(_) => {}
            }
        }
        // Other people may use the server too: theirs is not ours to judge.
        log.reservations.retain(|_, life| !life.held.is_empty());
        log
    }

    fn seats(&mut self, evidence: &Evidence, recorded: &'a RecordedEvent, event: &'a hold::Event) {
        let performance = match event {
            hold::Event::SeatsHeld(made) => made.performance,
            hold::Event::HoldReleased(of)
            | hold::Event::HoldExpired(of)
            | hold::Event::SeatsSold(of)
            | hold::Event::SeatsReturned(of) => of.performance,
        };
        if !evidence.terms.performances.contains(&performance.0) {
            return;
        }
        self.moves.push((recorded, event));
        match event {
            hold::Event::SeatsHeld(made) => self.life(made.id.0).held.push(made),
            hold::Event::HoldReleased(of) => self.life(of.reservation.0).released.push(recorded.seq),
            hold::Event::HoldExpired(of) => self.life(of.reservation.0).expired.push(recorded.seq),
            hold::Event::SeatsSold(of) => self.life(of.reservation.0).sold.push(recorded.seq),
            hold::Event::SeatsReturned(_) => {}
        }
    }

    fn life(&mut self, reservation: Uuid) -> &mut Life<'a> {
        self.reservations.entry(reservation).or_default()
    }
}
