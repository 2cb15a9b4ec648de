//! A lane on a fresh store, and short words for what happens in it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Factory, QueueHarness};
use crate::{
    catalog::LaneSettings,
    conformance::tools::wait,
    error::{Error, StoreError},
    id::UserId,
    policy::LanePolicy,
    queue::{Advanced, Entered, LaneSnapshot, Place},
    refusal::Refusal,
    store::QueueStore,
    ticket::{EndReason, LaneName, Ticket},
    time::Timestamp,
};

/// How long one has to claim on the stage.
pub(super) const CLAIM: Duration = Duration::from_mins(1);
/// How long a session lasts on the stage.
pub(super) const SESSION: Duration = Duration::from_mins(15);

/// A policy that admits so many at once.
pub(super) fn capacity(capacity: u32) -> LanePolicy {
    LanePolicy { capacity, claim_ttl: CLAIM, session_ttl: SESSION, ..LanePolicy::default() }
}

/// What a rule said, if the machinery works.
fn ruled<T>(answer: Result<T, Error>) -> Result<T, Refusal> {
    answer.map_err(|error| match error {
        Error::Refused(refusal) => refusal,
        Error::Store(error) => panic!("the store failed: {error}"),
    })
}

/// One lane, seen through one instance.
pub(super) struct Stage {
    harness: Arc<dyn QueueHarness>,
    store: Arc<dyn QueueStore>,
    pub(super) lane: LaneName,
    settings: Arc<Mutex<LaneSettings>>,
}

impl Stage {
    /// The lane `main` under a policy, told once.
    pub(super) fn new(make: &Factory, policy: LanePolicy) -> Self {
        let stage = Self::untold(make);
        stage.configure(|settings| settings.policy = policy);
        stage
    }

    /// The lane `main`, which the store was not told of yet.
    pub(super) fn untold(make: &Factory) -> Self {
        let harness: Arc<dyn QueueHarness> = Arc::from(make());
        Self { store: harness.store(), harness, lane: LaneName::main(), settings: Arc::default() }
    }

    /// The same lane, seen through another instance.
    pub(super) fn elsewhere(&self) -> Self {
        Self {
            store: self.harness.another(),
            harness: Arc::clone(&self.harness),
            lane: self.lane.clone(),
            settings: Arc::clone(&self.settings),
        }
    }

    /// Another lane of the same store.
    pub(super) fn other_lane(&self, name: &str, policy: LanePolicy) -> Self {
        let lane = name.parse().expect("a case names lanes that are valid");
        let stage = Self { lane, settings: Arc::default(), ..self.elsewhere() };
        stage.configure(|settings| settings.policy = policy);
        stage
    }

    /// Empties the store, and sees it anew.
    pub(super) fn lose(&mut self) {
        self.harness.lose();
        self.store = self.harness.store();
    }

    pub(super) fn now(&self) -> Timestamp {
        self.harness.now()
    }

    pub(super) fn move_clock(&self, by: Duration) {
        self.harness.advance(by);
    }

    fn wait<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        wait(|work| self.harness.block_on(work), work)
    }

    fn worked(&self, work: impl Future<Output = Result<(), StoreError>> + Send) {
        self.wait(work).unwrap_or_else(|error| panic!("the store failed: {error}"));
    }

    /// Changes the settings, and tells the lane.
    pub(super) fn configure(&self, change: impl FnOnce(&mut LaneSettings)) {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut settings);
        settings.revision += 1;
        self.worked(self.store.configure(&self.lane, &settings));
    }

    /// Tells the lane just these settings.
    pub(super) fn tell(&self, settings: &LaneSettings) {
        self.worked(self.store.configure(&self.lane, settings));
    }

    /// The settings as they were told last.
    pub(super) fn settings(&self) -> LaneSettings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn enter(&self, user: UserId) -> Result<Entered, Refusal> {
        ruled(self.wait(self.store.enter(&self.lane, user)))
    }

    /// The ticket of a user who enters a lane that takes people.
    pub(super) fn ticket(&self, user: UserId) -> Ticket {
        self.enter(user).unwrap_or_else(|refusal| panic!("entering was refused: {refusal}")).ticket
    }

    /// A new user's ticket.
    pub(super) fn entered(&self) -> Ticket {
        self.ticket(UserId::random())
    }

    /// So many new users' tickets, one after the other.
    pub(super) fn line(&self, many: usize) -> Vec<Ticket> {
        (0..many).map(|_| self.entered()).collect()
    }

    pub(super) fn place(&self, ticket: &Ticket) -> Result<Place, Refusal> {
        ruled(self.wait(self.store.place(ticket)))
    }

    /// Where a ticket stands that the lane knows.
    pub(super) fn standing(&self, ticket: &Ticket) -> Place {
        self.place(ticket).unwrap_or_else(|refusal| panic!("{ticket:?} was refused: {refusal}"))
    }

    pub(super) fn is_admitted(&self, ticket: &Ticket) -> bool {
        matches!(self.standing(ticket), Place::Admitted { .. })
    }

    /// The rank of a ticket, if it waits.
    pub(super) fn rank(&self, ticket: &Ticket) -> Option<u64> {
        match self.standing(ticket) {
            Place::Waiting { rank, ahead, .. } => {
                assert_eq!(ahead, rank - 1);
                Some(rank)
            }
            Place::Admitted { .. } | Place::Done(_) => None,
        }
    }

    pub(super) fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Refusal> {
        ruled(self.wait(self.store.claim(ticket)))
    }

    pub(super) fn finish(&self, ticket: &Ticket, reason: EndReason) {
        self.worked(self.store.finish(ticket, reason));
    }

    pub(super) fn try_advance(&self) -> Result<Advanced, Refusal> {
        ruled(self.wait(self.store.advance(&self.lane)))
    }

    pub(super) fn advance(&self) -> Advanced {
        self.try_advance().unwrap_or_else(|refusal| panic!("advancing was refused: {refusal}"))
    }

    pub(super) fn try_snapshot(&self, since: Option<u64>) -> Result<LaneSnapshot, Refusal> {
        ruled(self.wait(self.store.snapshot(&self.lane, since)))
    }

    pub(super) fn snapshot(&self, since: Option<u64>) -> LaneSnapshot {
        self.try_snapshot(since).unwrap_or_else(|refusal| panic!("a snapshot was refused: {refusal}"))
    }

    /// The snapshot without the speed, which nobody promises to the microsecond.
    pub(super) fn glance(&self) -> LaneSnapshot {
        LaneSnapshot { per_admission: None, ..self.snapshot(None) }
    }
}
