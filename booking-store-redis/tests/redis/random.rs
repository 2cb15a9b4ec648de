//! The same random steps on a lane in Redis and on the core's own: every answer is the same, guesses and speed included.

use std::{sync::Arc, time::Duration};

use booking_core::{
    EndReason, Epoch, Error, LaneName, LanePolicy, Ticket,
    catalog::LaneSettings,
    conformance::{Harness as _, queue::QueueHarness},
    id::UserId,
    queue::{Answer, Call, Command, Entered, Lane, LaneSnapshot, Place},
    store::QueueStore,
};
use uuid::Uuid;

use crate::support::{
    chance::{Chance, scale},
    harness::{Harness, fresh},
};

/// Steps in all; `BOOKING_TEST_SCALE` multiplies them.
const STEPS: u64 = 21_000;
/// Lanes they are spread over, each with another crowd.
const LANES: u64 = 7;

const REASONS: [EndReason; 4] =
    [EndReason::Completed, EndReason::HoldExpired, EndReason::Left, EndReason::SessionExpired];

struct Twins {
    harness: Harness,
    store: Arc<dyn QueueStore>,
    lane: Lane,
    settings: LaneSettings,
    users: Vec<UserId>,
    tickets: Vec<Ticket>,
    cursor: u64,
    chance: Chance,
    refused: u64,
}

fn policy(chance: &mut Chance) -> LanePolicy {
    let span = |chance: &mut Chance, most| Duration::from_millis(1 + chance.below(most));
    LanePolicy {
        capacity: u32::try_from(chance.below(12)).expect("it is small"),
        max_waiting: (chance.below(3) == 0).then(|| chance.below(12)),
        admit_per_second: (chance.below(2) == 0)
            .then(|| u32::try_from(1 + chance.below(40)).expect("it is small")),
        claim_ttl: span(chance, 20_000),
        session_ttl: span(chance, 60_000),
    }
}

impl Twins {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let harness = fresh();
        let store = harness.store();
        let settings = LaneSettings { policy: policy(&mut chance), revision: 1, ..LaneSettings::default() };
        let name = LaneName::main();
        let mut epoch = Epoch(0);
        harness.block_on(Box::pin(async {
            store.configure(&name, &settings).await.expect("Redis answers");
            epoch = store.snapshot(&name, None).await.expect("the lane exists").epoch;
        }));
        let lane = Lane::new(name, epoch, settings.clone());
        let users = (0..30).map(|_| UserId(Uuid::from_u64_pair(chance.next(), chance.next()))).collect();
        Self { harness, store, lane, settings, users, tickets: Vec::new(), cursor: 0, chance, refused: 0 }
    }

    /// What the core answers.
    fn told(&mut self, call: impl Into<Call>) -> Result<Answer, Error> {
        Ok(call.into().answer(&mut self.lane, self.harness.now(), &mut Vec::new())?)
    }

    /// What the store answers.
    fn asked<T: Send>(&self, work: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
        let mut answer = None;
        self.harness.block_on(Box::pin(async { answer = Some(work.await) }));
        answer.expect("the work was done")
    }

    fn step(&mut self) {
        match self.chance.below(100) {
            0..34 => self.enter(),
            34..46 => self.place(),
            46..60 => self.claim(),
            60..76 => self.finish(),
            76..84 => self.advance(),
            84..88 => self.configure(),
            _ => self.snapshot(),
        }
        self.pass_time();
    }

    /// One of the tickets given of late, at times with something wrong about it.
    fn ticket(&mut self) -> Ticket {
        let recent = self.tickets.len().min(40) as u64;
        if recent == 0 {
            return Ticket { lane: LaneName::main(), epoch: Epoch(1), seq: 1, user: self.users[0] };
        }
        let at = usize::try_from(self.chance.below(recent)).expect("it is small");
        let mut ticket = self.tickets[self.tickets.len() - 1 - at].clone();
        match self.chance.below(50) {
            0 => ticket.epoch = Epoch(ticket.epoch.0 ^ 1),
            1 => ticket.user = self.user(),
            2 => ticket.seq += self.chance.below(30),
            3 => ticket.seq = self.chance.below(ticket.seq + 1),
            _ => {}
        }
        ticket
    }

    fn user(&mut self) -> UserId {
        let at = self.chance.below(self.users.len() as u64);
        self.users[usize::try_from(at).expect("it is small")]
    }

    fn enter(&mut self) {
        let (user, now, name) = (self.user(), self.harness.now(), LaneName::main());
        let expected = self.told(Command::Enter(user));
        let answer = self.asked(self.store.enter(&name, user));
        assert_eq!(answer.clone().map(Answer::Entered), expected, "entering of {user} at {now}");
        match answer {
            Ok(Entered { ticket, .. }) => self.tickets.push(ticket),
            Err(_) => self.refused += 1,
        }
    }

    fn place(&mut self) {
        let (ticket, now) = (self.ticket(), self.harness.now());
        let expected = self.told(Call::Place(ticket.clone()));
        let answer = self.asked(self.store.place(&ticket));
        self.refused += u64::from(answer.is_err());
        assert_eq!(answer.map(Answer::Place), expected, "the place of {ticket:?} at {now}");
    }

    fn claim(&mut self) {
        let (ticket, now) = (self.ticket(), self.harness.now());
        let expected = self.told(Command::Claim(ticket.clone()));
        let answer = self.asked(self.store.claim(&ticket));
        self.refused += u64::from(answer.is_err());
        assert_eq!(answer.map(Answer::Until), expected, "the claim of {ticket:?} at {now}");
    }

    fn finish(&mut self) {
        let ticket = self.ticket();
        let reason = REASONS[usize::try_from(self.chance.below(4)).expect("it is small")];
        self.told(Command::Finish(ticket.clone(), reason)).expect("finishing is never refused");
        self.asked(async { Ok(self.store.finish(&ticket, reason).await?) })
            .expect("finishing is never refused");
    }

    fn advance(&mut self) {
        let (now, name) = (self.harness.now(), LaneName::main());
        let expected = self.told(Command::Advance);
        assert_eq!(self.asked(self.store.advance(&name)).map(Answer::Advanced), expected, "at {now}");
    }

    fn configure(&mut self) {
        let mut settings = self.settings.clone();
        let rarely = |chance: &mut Chance| chance.below(5) == 0;
        match self.chance.below(8) {
            0..3 => settings.policy = policy(&mut self.chance),
            3 => settings.paused = rarely(&mut self.chance),
            4 => settings.closed = rarely(&mut self.chance),
            5 => settings.sold_out = rarely(&mut self.chance),
            _ => (settings.paused, settings.closed, settings.sold_out) = (false, false, false),
        }
        // Some are late, and count for nothing.
        settings.revision = (self.settings.revision + 1).saturating_sub(self.chance.below(2) * 2);
        self.told(Command::Configure(settings.clone())).expect("configuring is never refused");
        self.settings = self.lane.settings().clone();
        self.asked(async { Ok(self.store.configure(&LaneName::main(), &settings).await?) })
            .expect("configuring is never refused");
    }

    fn snapshot(&mut self) {
        let (now, name) = (self.harness.now(), LaneName::main());
        let since = (self.chance.below(4) > 0).then(|| self.cursor.saturating_sub(self.chance.below(3)));
        let expected: LaneSnapshot = self.lane.snapshot(since, now);
        let answer = self.asked(self.store.snapshot(&name, since));
        self.cursor = expected.cursor;
        assert_eq!(answer, Ok(expected), "at {now}");
    }

    /// A little, or to the instant at which an admission ends, just before it or just after it.
    fn pass_time(&mut self) {
        let now = self.harness.now();
        let soonest =
            self.tickets.iter().rev().take(40).filter_map(|ticket| match self.lane.place(ticket, now) {
                Ok(Place::Admitted { until, .. }) => Some(until),
                _ => None,
            });
        let by = match (self.chance.below(20), soonest.min()) {
            (end @ 0..=2, Some(until)) => {
                until.since(now).saturating_sub(Duration::from_micros(1)) + Duration::from_micros(end)
            }
            (3, _) => Duration::from_millis(self.chance.below(40_000)),
            (4..=10, _) => Duration::from_micros(self.chance.below(150_000)),
            _ => return,
        };
        self.harness.advance(by);
    }
}

#[test]
fn random_steps_in_redis_and_in_the_pure_lane_differ_in_nothing() {
    let steps = STEPS * scale() / LANES;
    for seed in 1..=LANES {
        let mut twins = Twins::new(seed);
        (0..steps).for_each(|_| twins.step());
        assert!(twins.refused * 10 < steps * 6, "{} of {steps} steps were refused", twins.refused);
        assert!(twins.tickets.len() as u64 * 10 > steps, "hardly anybody entered");
    }
}
