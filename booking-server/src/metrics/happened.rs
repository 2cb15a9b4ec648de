//! What buyers did through this instance, counted as it happens: the sum over all instances is what happened since they
//! started.

use std::sync::atomic::AtomicU64;

use booking_core::{Effect, Outcome, hold::ReservationStatus, payment::PaymentStatus};

use super::sharded::{Sharded, count};

/// Everything that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Held,
    Expired,
    Released,
    Charged,
    Paid,
    Refunded,
}

impl Deed {
    /// All of them, in the order of the enum.
    pub(super) const ALL: [&'static str; 6] = ["held", "expired", "released", "charged", "paid", "refunded"];

    fn of(outcome: &Outcome) -> Option<Self> {
        match &outcome.effect {
            Effect::Reservation(reservation) => match reservation.status {
                ReservationStatus::Held => Some(Self::Held),
                ReservationStatus::Expired => Some(Self::Expired),
                ReservationStatus::Released => Some(Self::Released),
                ReservationStatus::Confirmed | ReservationStatus::Refunded => None,
            },
            Effect::Payment { payment, .. } => match payment.status() {
                PaymentStatus::Paid => Some(Self::Paid),
                PaymentStatus::Refunded => Some(Self::Refunded),
                PaymentStatus::Due => None,
            },
            Effect::Entry(_) => Some(Self::Charged),
            Effect::Wallet(_) | Effect::Lane(_) | Effect::Catalog(_) | Effect::Nothing => None,
        }
    }
}

/// How often each deed was done.
#[derive(Debug, Default)]
pub(super) struct Happened {
    deeds: Sharded<[AtomicU64; Deed::ALL.len()]>,
}

impl Happened {
    /// Counts what a batch did; what was there already was counted when it was done.
    pub(super) fn see<'a>(&self, outcomes: impl IntoIterator<Item = &'a Outcome>) {
        let done = outcomes.into_iter().filter(|outcome| !outcome.replayed);
        for deed in done.filter_map(Deed::of) {
            count(&self.deeds.here()[deed as usize]);
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Deed::ALL.into_iter().enumerate().map(|(at, name)| (name, self.deeds.sum(|deeds| &deeds[at])))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc, time::Duration};

    use booking_core::{
        Amount, BookingPolicy, Clock, Engine, LaneName, ManualClock, Timestamp,
        catalog::{ConcertDraft, LaneChange, PerformanceDraft},
        id::{ConcertId, EntryId, PerformanceId, ReservationId, UserId},
        memory::{MemoryBooking, MemoryQueue},
    };

    use crate::{Metrics, clock::system_clock};

    #[tokio::test]
    async fn every_deed_is_counted_once_however_often_it_is_asked_for() {
        let (metrics, clock) = (Arc::<Metrics>::default(), Arc::new(ManualClock::at(system_clock())));
        let shared: Arc<dyn Clock> = Arc::new(Arc::clone(&clock));
        let booking = MemoryBooking::new(BookingPolicy::default(), Arc::clone(&shared));
        let queue = metrics.queue(Arc::new(MemoryQueue::new(shared)));
        let engine = Engine::new(metrics.booking(Arc::new(booking)), queue);
        let (lane, show) = (LaneName::main(), PerformanceId::random());
        engine.set_lane(&lane, LaneChange::default()).await.unwrap();
        let starts_at =
            Timestamp::from(chrono::DateTime::from(system_clock())).after(Duration::from_hours(48));
        let performance = PerformanceDraft {
            id: show,
            venue: "Hall".into(),
            starts_at: chrono::DateTime::from(starts_at).fixed_offset(),
            zone: None,
            price: 5.try_into().unwrap(),
            seats: 50,
            on_sale: true,
        };
        let (title, performances) = ("Concert".into(), vec![performance]);
        let concert = ConcertDraft { id: ConcertId::random(), title, lane: lane.clone(), performances };
        engine.put_concerts(vec![concert]).await.unwrap();
        let user = UserId::random();
        engine.open_wallet(user).await.unwrap();
        engine.charge(user, EntryId::random(), Amount::new(10).unwrap()).await.unwrap();
        let ticket = engine.enter(&lane, user).await.unwrap().ticket;
        let hold = async |seat: u32| {
            let id = ReservationId::random();
            engine.hold(&ticket, id, show, vec![seat]).await.unwrap();
            engine.hold(&ticket, id, show, vec![seat]).await.unwrap();
            id
        };
        let released = hold(1).await;
        engine.release(user, released).await.unwrap();
        let paid = hold(2).await;
        let payment = engine.pay(&ticket, paid).await.unwrap().value.payment.id;
        engine.pay(&ticket, paid).await.unwrap();
        engine.refund(payment).await.unwrap();
        engine.refund(payment).await.unwrap();
        let ticket = engine.enter(&lane, user).await.unwrap().ticket;
        engine.hold(&ticket, ReservationId::random(), show, vec![3]).await.unwrap();
        clock.advance(Duration::from_mins(6));
        engine.tend().await.unwrap();
        let deeds: BTreeMap<_, _> = metrics.happened.all().collect();
        let expected =
            [("held", 3), ("released", 1), ("expired", 1), ("charged", 1), ("paid", 1), ("refunded", 1)];
        assert_eq!(deeds, BTreeMap::from(expected));
    }
}
