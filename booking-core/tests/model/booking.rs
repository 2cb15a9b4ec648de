//! The memory store and the state against the naive world, and against each other: the rows a batch touches decide
//! like all rows, the state is the fold of the events, a refusal changes nothing, and the audit is clean at every step.

use std::{marker::PhantomData, sync::Arc};

use booking_core::{
    Clock, Command, Event, Keys, ManualClock, Outcome, Reach, Refusal, State, Timestamp, decide,
    memory::MemoryBooking, store::BookingStore,
};
use pollster::block_on;
use proptest::{prelude::*, strategy::Union};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::{
    commands::{beginnings, command, instant},
    focus::Focus,
    ids::START,
    naive::{Answer, World},
    reads,
};

/// At an instant, a batch.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    at: Timestamp,
    batch: Vec<Command>,
}

/// The naive world, and its answers to the last batch.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) world: World,
    answers: Vec<Answer>,
}

impl Told {
    fn execute(&mut self, batch: &[Command]) {
        self.answers = batch.iter().map(|command| self.world.execute(command)).collect();
    }
}

pub(crate) struct Reference<F>(PhantomData<F>);

impl<F: Focus> ReferenceStateMachine for Reference<F> {
    type State = Told;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Told> {
        let begin = |policy| {
            let mut told = Told { world: World::new(policy, START), answers: Vec::new() };
            told.execute(&beginnings());
            told
        };
        F::policy().prop_map(begin).boxed()
    }

    fn transitions(told: &Told) -> BoxedStrategy<Step> {
        let command = command(&told.world, &F::WEIGHTS);
        let one = command.clone().prop_map(|command| vec![command]).boxed();
        let several = prop::collection::vec(command, 2..=4).boxed();
        let batch = Union::new_weighted(vec![(100 - F::BATCHES, one), (F::BATCHES, several)]);
        (instant(&told.world), batch).prop_map(|(at, batch)| Step { at, batch }).boxed()
    }

    fn apply(mut told: Told, step: &Step) -> Told {
        told.world.now = told.world.now.max(step.at);
        told.execute(&step.batch);
        told
    }
}

/// The store, and a state that is told the same.
pub(crate) struct Books<F> {
    clock: Arc<ManualClock>,
    pub(crate) store: MemoryBooking,
    state: State,
    log: Vec<Event>,
    behind: Behind,
    focus: PhantomData<F>,
}

/// A state that has not followed the last batches yet, as a store decides on while it writes them.
struct Behind {
    state: State,
    since: Vec<Event>,
    reaches: Vec<Reach>,
}

impl Behind {
    /// More batches than this are not behind.
    const MOST: usize = 3;

    fn of(state: &State) -> Self {
        Self { state: state.clone(), since: Vec::new(), reaches: Vec::new() }
    }

    /// If the batch meets none of those that this has not followed, it is decided here as it `was`, and changes the same rows.
    fn decides_alike(&self, batch: &[Command], now: Timestamp, was: &[Answer], events: &[Event]) -> bool {
        let keys = Keys::of(batch);
        let mut part = self.state.subset(&keys);
        let (taken, all_taken) = (part.taken_seats(), self.state.taken_seats());
        let reach = part.reach(&keys);
        if self.reaches.iter().any(|other| other.meets(&reach)) {
            return false;
        }
        let mut happened = Vec::new();
        for (command, was) in batch.iter().zip(was) {
            let answer = part.execute(command, now).map(|(outcome, events)| {
                happened.extend(events);
                outcome
            });
            assert_eq!(&answer, was, "while others are written: {command:?}");
        }
        assert_eq!(happened, events, "while others are written: {batch:?}");
        let mut after = self.state.clone();
        self.since.iter().chain(events).for_each(|event| after.evolve(event));
        assert_eq!(part.changed_rows(events, &taken), after.changed_rows(events, &all_taken), "{batch:?}");
        true
    }

    /// Keeps in mind what was decided on `before`.
    fn note(&mut self, batch: &[Command], events: &[Event], before: &State) {
        if self.reaches.len() == Self::MOST {
            *self = Self::of(before);
        }
        let keys = Keys::of(batch);
        self.reaches.push(before.subset(&keys).reach(&keys));
        self.since.extend_from_slice(events);
    }
}

/// Texts are not compared, refusals are.
fn without_text(answer: &Answer) -> Answer {
    answer.clone().map_err(|refusal| match refusal {
        Refusal::InvalidSeats(_) => Refusal::InvalidSeats(String::new()),
        Refusal::InvalidConcert(_) => Refusal::InvalidConcert(String::new()),
        other => other,
    })
}

impl<F: Focus> Books<F> {
    /// Executes a batch everywhere, and compares the answers.
    fn execute(&mut self, batch: &[Command], expected: &[Answer]) {
        let now = self.clock.now();
        let before = self.state.clone();
        let mut part = before.subset(&Keys::of(batch));
        let mut events = Vec::new();
        let mut answers = Vec::new();
        for command in batch {
            // In a batch of one, the rows of the command are those of the batch.
            if batch.len() > 1 {
                let alone = self.state.subset(&command.touches());
                assert_eq!(decide(&alone, command, now), decide(&self.state, command, now), "{command:?}");
            }
            let by_part = part.execute(command, now);
            let by_whole = self.state.execute(command, now);
            assert_eq!(by_part, by_whole, "by the rows of its batch: {command:?}");
            answers.push(by_whole.map(|(outcome, happened)| {
                events.extend(happened);
                outcome
            }));
        }
        assert_eq!(answers.iter().map(without_text).collect::<Vec<_>>(), expected, "{batch:?}");
        let by_store = self.store.execute_now(batch).expect("memory does not fail");
        assert_eq!(by_store, answers, "{batch:?}");
        if self.behind.decides_alike(batch, now, &answers, &events) && !events.is_empty() {
            F::TALLY.ahead();
        }
        self.behind.note(batch, &events, &before);
        self.check_log(events, now);
    }

    /// The store's log has grown by exactly these events.
    fn check_log(&mut self, events: Vec<Event>, now: Timestamp) {
        let before = self.log.len() as u64;
        let recorded = block_on(self.store.events(before, usize::MAX)).expect("memory does not fail");
        let numbers: Vec<_> = recorded.iter().map(|recorded| (recorded.seq, recorded.at)).collect();
        assert_eq!(numbers, (before + 1..).map(|seq| (seq, now)).take(events.len()).collect::<Vec<_>>());
        assert!(
            recorded.iter().map(|recorded| &recorded.event).eq(&events),
            "{recorded:?} is not {events:?}"
        );
        self.log.extend(events);
    }

    fn count(answers: &[Answer]) {
        for answer in answers {
            match answer {
                Ok(Outcome { replayed: false, .. }) => F::TALLY.done(),
                Ok(Outcome { replayed: true, .. }) => F::TALLY.replayed(),
                Err(_) => F::TALLY.refused(),
            }
        }
    }
}

impl<F: Focus> StateMachineTest for Books<F> {
    type SystemUnderTest = Self;
    type Reference = Reference<F>;

    fn init_test(told: &Told) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let policy = told.world.policy.clone();
        let store = MemoryBooking::new(policy.clone(), Arc::clone(&clock) as Arc<dyn Clock>);
        let (state, log) = (State::new(policy), Vec::new());
        let behind = Behind::of(&state);
        let mut books = Self { clock, store, state, log, behind, focus: PhantomData };
        books.execute(&beginnings(), &told.answers);
        books
    }

    fn apply(mut books: Self, told: &Told, step: Step) -> Self {
        books.clock.advance(told.world.now.since(books.clock.now()));
        let before = books.state.clone();
        books.execute(&step.batch, &told.answers);
        Self::count(&told.answers);
        if told
            .answers
            .iter()
            .all(|answer| answer.as_ref().is_ok_and(|outcome| outcome.replayed) || answer.is_err())
        {
            assert_eq!(books.state, before, "refused or replayed, but changed");
        }
        books
    }

    fn check_invariants(books: &Self, told: &Told) {
        reads::compare(&books.store, &told.world);
        let audit = block_on(books.store.audit()).expect("memory does not fail");
        assert!(audit.is_clean(), "{:?}", audit.violations().collect::<Vec<_>>());
    }

    /// The state is the fold of all events from nothing.
    fn teardown(books: Self, told: Told) {
        let mut folded = State::new(told.world.policy.clone());
        books.log.iter().for_each(|event| folded.evolve(event));
        assert_eq!(folded, books.state);
    }
}
