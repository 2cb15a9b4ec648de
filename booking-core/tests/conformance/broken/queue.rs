//! A small queue store of its own on [`Lane`], which a fault may bend at every call.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use booking_core::{
    Clock, EndReason, Epoch, Error, LaneName, ManualClock, Refusal, StoreError, Ticket, Timestamp,
    catalog::LaneSettings,
    conformance::queue::CASES,
    id::UserId,
    queue::{Advanced, Command, Entered, Event, Lane, LaneSnapshot, Place},
    store::QueueStore,
};

use crate::harness::{MakeQueue, Queue};

/// What a broken store does otherwise; what a fault leaves out is right.
pub(super) trait QueueFault: Default + Send + Sync + 'static {
    fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        right.enter(lane, user)
    }

    fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
        right.place(ticket)
    }

    fn claim(&self, right: &Lanes, ticket: &Ticket) -> Result<Timestamp, Error> {
        right.claim(ticket)
    }

    fn finish(&self, right: &Lanes, ticket: &Ticket, reason: EndReason) {
        right.finish(ticket, reason);
    }

    fn failure(&self, _right: &Lanes, _ticket: &Ticket) -> Result<(), StoreError> {
        Ok(())
    }

    fn advance(&self, right: &Lanes, lane: &LaneName) -> Result<Advanced, Error> {
        right.advance(lane)
    }

    fn snapshot(&self, right: &Lanes, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        right.snapshot(lane, since)
    }

    fn configure(&self, right: &Lanes, lane: &LaneName, settings: &LaneSettings) {
        right.configure(lane, settings, Epoch::random());
    }
}

/// The store that is right.
pub(super) struct Lanes {
    clock: Arc<dyn Clock>,
    lanes: Mutex<BTreeMap<LaneName, Lane>>,
}

impl Lanes {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, lanes: Mutex::default() }
    }

    pub(super) fn with<T>(
        &self,
        lane: &LaneName,
        unknown: Refusal,
        act: impl FnOnce(&mut Lane, Timestamp) -> Result<T, Refusal>,
    ) -> Result<T, Error> {
        let mut lanes = self.lanes.lock().unwrap();
        let now = self.clock.now();
        Ok(act(lanes.get_mut(lane).ok_or(unknown)?, now)?)
    }

    pub(super) fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        self.with(lane, Refusal::UnknownLane, |lane, now| {
            let events = lane.execute(&Command::Enter(user), now)?;
            let replayed = !events.iter().any(|event| matches!(event, Event::Entered { .. }));
            let ticket = lane.live_ticket(user).expect("who entered has a ticket");
            Ok(Entered { place: lane.place(&ticket, now)?, ticket, replayed })
        })
    }

    pub(super) fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        self.with(&ticket.lane, Refusal::QueueReset, |lane, now| lane.place(ticket, now))
    }

    pub(super) fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        self.with(&ticket.lane, Refusal::QueueReset, |lane, now| {
            lane.execute(&Command::Claim(ticket.clone()), now)?;
            match lane.place(ticket, now)? {
                Place::Admitted { until, .. } => Ok(until),
                other => panic!("who claimed is admitted, not {other:?}"),
            }
        })
    }

    pub(super) fn finish(&self, ticket: &Ticket, reason: EndReason) {
        let finish = Command::Finish(ticket.clone(), reason);
        self.with(&ticket.lane, Refusal::UnknownLane, |lane, now| lane.execute(&finish, now)).ok();
    }

    pub(super) fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        self.with(lane, Refusal::UnknownLane, |lane, now| {
            let events = lane.execute(&Command::Advance, now)?;
            let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count() as u64;
            Ok(Advanced {
                admitted: count(|event| matches!(event, Event::Admitted { .. })),
                ended: count(|event| matches!(event, Event::Finished { .. })),
            })
        })
    }

    pub(super) fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        self.with(lane, Refusal::UnknownLane, |lane, now| Ok(lane.snapshot(since, now)))
    }

    pub(super) fn configure(&self, name: &LaneName, settings: &LaneSettings, epoch: Epoch) {
        let configure = Command::Configure(settings.clone());
        let known = self.with(name, Refusal::UnknownLane, |lane, now| lane.execute(&configure, now));
        if known.is_err() {
            let lane = Lane::new(name.clone(), epoch, settings.clone());
            self.lanes.lock().unwrap().entry(name.clone()).or_insert(lane);
        }
    }
}

/// The refusal, if that is what the answer is.
pub(super) fn refusal<T>(answer: &Result<T, Error>) -> Option<&Refusal> {
    answer.as_ref().err().and_then(Error::refusal)
}

struct Broken<F> {
    right: Lanes,
    fault: F,
}

fn with_fault<F: QueueFault>(clock: Arc<ManualClock>) -> Arc<dyn QueueStore> {
    Arc::new(Broken { right: Lanes::new(clock), fault: F::default() })
}

/// The suite finds the fault, by this case among others.
pub(super) fn rejected<F: QueueFault>(expected: &str) {
    rejected_as(expected, with_fault::<F>);
}

/// The suite finds the fault of a store made otherwise.
pub(super) fn rejected_as(expected: &str, make: MakeQueue) {
    super::judge(CASES, &move || Box::new(Queue::of(make)), expected);
}

#[test]
fn a_small_store_without_a_fault_passes() {
    #[derive(Default)]
    struct NoFault;
    impl QueueFault for NoFault {}
    assert_eq!(super::failures(CASES, &|| Box::new(Queue::of(with_fault::<NoFault>))), [""; 0]);
}

#[async_trait]
impl<F: QueueFault> QueueStore for Broken<F> {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        self.fault.enter(&self.right, lane, user)
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        self.fault.place(&self.right, ticket)
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        self.fault.claim(&self.right, ticket)
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        self.fault.failure(&self.right, ticket)?;
        self.fault.finish(&self.right, ticket, reason);
        Ok(())
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        self.fault.advance(&self.right, lane)
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        self.fault.snapshot(&self.right, lane, since)
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        self.fault.configure(&self.right, lane, settings);
        Ok(())
    }
}
