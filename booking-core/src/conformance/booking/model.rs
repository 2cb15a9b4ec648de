//! A store and a pure [`State`], given the same commands at the same instants, may differ in nothing, whichever instance is
//! asked.

use std::time::Duration;

use super::{
    Factory, compare,
    crowd::Crowd,
    reads::AGE,
    stage::{Stage, generous, money},
};
use crate::{
    command::Command,
    conformance::tools::{Random, operations},
    event::RecordedEvent,
    outcome::Outcome,
    policy::BookingPolicy,
    refusal::Refusal,
    state::State,
    ticket::Ticket,
    time::Timestamp,
};

/// The pure side: the state, and how many events led to it.
struct Model {
    state: State,
    log_len: u64,
}

impl Model {
    fn execute(
        &mut self,
        batch: &[Command],
        at: Timestamp,
    ) -> (Vec<Result<Outcome, Refusal>>, Vec<RecordedEvent>) {
        let (mut answers, mut told) = (Vec::new(), Vec::new());
        for command in batch {
            let answer = self.state.execute(command, at).map(|(outcome, events)| {
                for event in events {
                    self.log_len += 1;
                    told.push(RecordedEvent { seq: self.log_len, at, event });
                }
                outcome
            });
            answers.push(answer);
        }
        (answers, told)
    }
}

pub(super) fn random_batches_agree_with_the_pure_state(make: &Factory) {
    let policies = [
        BookingPolicy { seats_per_user: 4, ..BookingPolicy::default() },
        BookingPolicy { live_reservations_per_user: 3, seats_per_user: 5, ..BookingPolicy::default() },
        BookingPolicy { hold_ttl: Duration::from_secs(20), max_balance: money(40_000), ..generous() },
    ];
    for (run, policy) in (0..).zip(policies) {
        agree_under(make, &policy, run);
    }
}

fn agree_under(make: &Factory, policy: &BookingPolicy, run: u64) {
    let mut random = Random::of_case(run);
    let stage = Stage::under(make, policy.clone());
    let instances = [&stage, &stage.elsewhere()];
    let mut crowd = Crowd::on(&stage, &mut random);
    let log = stage.events();
    let mut model = Model { state: State::new(policy.clone()), log_len: log.len() as u64 };
    for recorded in &log {
        model.state.evolve(&recorded.event);
    }
    let (mut asked, mut went, mut step) = (0, 0, 0);
    while asked < operations() / 3 {
        step += 1;
        let now = stage.now();
        let batch: Vec<Command> = (0..=random.below(6)).map(|_| crowd.command(&mut random, now)).collect();
        let before = model.log_len;
        let (expected, told) = model.execute(&batch, now);
        let answers = random.pick(&instances).execute(batch.clone());
        assert_eq!(answers, expected, "run {run}, step {step}, at {now}: {batch:#?}");
        let asked_of = random.pick(&instances);
        let events = asked_of.read(asked_of.store.events(before, 1_000));
        assert_eq!(events, told, "run {run}, step {step}, at {now}: {batch:#?}");
        crowd.learn(&batch, &answers);
        asked += batch.len() as u64;
        went += answers.iter().flatten().count() as u64;
        if random.once_in(4) {
            let stage = random.pick(&instances);
            compare::user(stage, &model.state, *random.pick(&crowd.users));
            compare::sweep(stage, &model.state);
            compare::counts(stage, &model.state);
            acknowledge(stage, &mut model.state, &mut random);
            stage.advance(AGE);
            compare::show(stage, &model.state, random.pick(&crowd.shows).1);
        }
        if random.once_in(2) {
            move_clock(&stage, &model.state, &mut random);
        }
    }
    assert!(
        went * 10 > asked * 3,
        "a run in which only {went} of {asked} commands were not refused shows little"
    );
    stage.advance(AGE);
    for stage in instances {
        crowd.users.iter().for_each(|user| compare::user(stage, &model.state, *user));
        crowd.shows.iter().for_each(|(_, show)| compare::show(stage, &model.state, *show));
        compare::catalog(stage, &model.state);
    }
    stage.books_are_clean();
}

fn acknowledge(stage: &Stage, state: &mut State, random: &mut Random) {
    let pending: Vec<_> = state.endings.iter().map(|(ticket, reason)| (ticket.clone(), *reason)).collect();
    assert_eq!(stage.endings(), pending);
    let some: Vec<Ticket> =
        pending.into_iter().map(|(ticket, _)| ticket).filter(|_| random.once_in(3)).collect();
    stage.read(stage.store.ack_endings(&some));
    state.endings.retain(|ticket, _| !some.contains(ticket));
}

/// A little, or to the instant at which the next hold ends, just before it and just after it, or past many.
fn move_clock(stage: &Stage, state: &State, random: &mut Random) {
    let now = stage.now();
    let next = state.holds.iter().map(|(until, _)| *until).find(|until| *until > now);
    let micros = match (random.below(24), next) {
        (end @ 0..=2, Some(until)) => {
            let left = until.since(now);
            return stage.advance(left.saturating_sub(Duration::from_micros(1)) + Duration::from_micros(end));
        }
        (3, _) if random.once_in(4) => 400_000_000,
        (4 | 5, _) => random.below(60_000_000),
        _ => random.below(1_000),
    };
    stage.advance(Duration::from_micros(micros));
}
