//! The lane against a list of people.

use std::{collections::BTreeSet, time::Duration};

use booking_core::{
    EndReason, Epoch, LaneName, LanePolicy, Refusal, Ticket, Timestamp,
    catalog::LaneSettings,
    queue::{Command, Event, Lane, Place, TicketRow},
};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::{
    ids::{ticket, user},
    line::{Fate, Line},
    run::{Tally, run},
};

const USERS: usize = 8;
static TALLY: Tally = Tally::new();

/// At an instant, a command.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    at: Timestamp,
    command: Command,
}

pub(crate) struct People;

fn policy() -> impl Strategy<Value = LanePolicy> {
    let span = |secs: std::ops::Range<u64>| secs.prop_map(Duration::from_secs);
    let rate = prop_oneof![3 => Just(None), 1 => (1..30_u32).prop_map(Some)];
    let most = prop_oneof![2 => Just(None), 1 => (0..4_u64).prop_map(Some)];
    (0..5_u32, most, rate, span(1..20), span(1..40)).prop_map(
        |(capacity, max_waiting, admit_per_second, claim_ttl, session_ttl)| LanePolicy {
            capacity,
            max_waiting,
            admit_per_second,
            claim_ttl,
            session_ttl,
        },
    )
}

/// Newer settings mostly, open mostly; sometimes settings that are late.
fn settings(line: &Line) -> impl Strategy<Value = LaneSettings> + use<> {
    let newest = line.settings.revision;
    let revision = prop_oneof![4 => Just(newest + 1), 1 => 0..=newest];
    let rarely = || prop::bool::weighted(0.15);
    (policy(), rarely(), rarely(), rarely(), revision).prop_map(
        |(policy, paused, closed, sold_out, revision)| LaneSettings {
            policy,
            paused,
            closed,
            sold_out,
            revision,
        },
    )
}

/// Tickets of the line mostly; sometimes one that was never given, or somebody else's, or of another epoch.
fn some_ticket(line: &Line) -> BoxedStrategy<Ticket> {
    let given: Vec<Ticket> = line.numbers().map(|seq| line.ticket(seq)).collect();
    let alive = |ticket: &&Ticket| !matches!(line.fate(ticket.seq), Fate::Done(_));
    let live: Vec<Ticket> = given.iter().filter(alive).cloned().collect();
    let last = given.len() as u64;
    let odd = (0..=last + 2, 1..=USERS, 1..=2_u64)
        .prop_map(|(seq, of, epoch)| Ticket { epoch: Epoch(epoch), ..ticket("main", seq, of) });
    let pick =
        |from: Vec<Ticket>| if from.is_empty() { None } else { Some(prop::sample::select(from).boxed()) };
    match (pick(given), pick(live)) {
        (Some(given), Some(live)) => prop_oneof![8 => live, 2 => given, 1 => odd].boxed(),
        (Some(given), None) => prop_oneof![2 => given, 1 => odd].boxed(),
        (None, _) => odd.boxed(),
    }
}

/// Now mostly; or a little later; or around the instant when the next admission ends.
fn instant(line: &Line) -> BoxedStrategy<Timestamp> {
    let now = line.now.micros();
    let ends = line.numbers().filter_map(|seq| match line.fate(seq) {
        Fate::Admitted { until, .. } => Some(until.micros()),
        _ => None,
    });
    let little = (now..now + 3_000_000).boxed();
    let micros = match ends.min() {
        None => prop_oneof![3 => Just(now), 1 => little].boxed(),
        Some(end) => prop_oneof![6 => Just(now), 2 => little, 1 => end - 1..=end + 1].boxed(),
    };
    micros.prop_map(Timestamp::from_micros).boxed()
}

fn reason() -> impl Strategy<Value = EndReason> {
    prop::sample::select(vec![EndReason::Completed, EndReason::HoldExpired, EndReason::Left])
}

impl ReferenceStateMachine for People {
    type State = Line;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Line> {
        let settings =
            policy().prop_map(|policy| LaneSettings { policy, revision: 1, ..LaneSettings::default() });
        settings.prop_map(Line::new).boxed()
    }

    fn transitions(line: &Line) -> BoxedStrategy<Step> {
        let command = prop_oneof![
            6 => (1..=USERS).prop_map(|of| Command::Enter(user(of))),
            4 => some_ticket(line).prop_map(Command::Claim),
            3 => (some_ticket(line), reason()).prop_map(|(ticket, reason)| Command::Finish(ticket, reason)),
            2 => Just(Command::Advance),
            1 => settings(line).prop_map(Command::Configure),
        ];
        (instant(line), command).prop_map(|(at, command)| Step { at, command }).boxed()
    }

    fn apply(mut line: Line, step: &Step) -> Line {
        line.now = line.now.max(step.at);
        line.execute(&step.command);
        line
    }
}

/// The lane, a second one that only follows its events, and what became of everybody so far.
pub(crate) struct Watched {
    lane: Lane,
    follower: Lane,
    table: Table,
    fates: Vec<Fate>,
}

/// Ticket rows as a store keeps them, and a lane that follows those that changed, every few steps.
struct Table {
    rows: Vec<TicketRow>,
    changed: BTreeSet<u64>,
    copy: Lane,
}

impl Table {
    fn save(&mut self, lane: &Lane, events: &[Event]) {
        let changes = lane.changed_tickets(events);
        self.changed.extend(changes.entered.iter().map(|row| row.seq));
        self.changed.extend(changes.moved.iter().map(|(seq, _)| seq));
        self.rows.extend(changes.entered);
        for (seq, course) in changes.moved {
            let row = self.rows.iter_mut().find(|row| row.seq == seq).expect("a row that is there");
            row.course.admitted_until = course.admitted_until.or(row.course.admitted_until);
            row.course.claimed |= course.claimed;
            row.course.ended = course.ended.or(row.course.ended);
            row.course.departed = course.departed.or(row.course.departed);
        }
    }

    fn check(&mut self, lane: &Lane) {
        let changed = std::mem::take(&mut self.changed);
        let rows: Vec<_> = self.rows.iter().filter(|row| changed.contains(&row.seq)).cloned().collect();
        self.copy.follow(lane.row(), &rows).expect("whole rows");
        assert_eq!(&self.copy, lane, "what follows the rows");
        let loaded = Lane::load(LaneName::main(), lane.row(), &self.rows).expect("whole rows");
        assert_eq!(&loaded, lane, "what is loaded from the rows");
    }
}

fn without_wait(refusal: &Refusal) -> Refusal {
    match refusal {
        Refusal::NotYourTurn { rank, .. } => {
            Refusal::NotYourTurn { rank: *rank, retry_after: Duration::ZERO }
        }
        other => other.clone(),
    }
}

fn fate_of(place: &Place) -> Fate {
    match place {
        Place::Waiting { .. } => Fate::Waiting,
        Place::Admitted { until, claimed } => Fate::Admitted { until: *until, claimed: *claimed },
        Place::Done(reason) => Fate::Done(*reason),
    }
}

impl Watched {
    /// Before anything sweeps, a place is what time has made of it (Q9).
    fn check_unswept(&self, line: &Line) {
        for (seq, fate) in (1..).zip(&self.fates) {
            let by_now = match *fate {
                Fate::Admitted { until, claimed: true } if line.now >= until => {
                    Fate::Done(EndReason::SessionExpired)
                }
                Fate::Admitted { until, claimed: false } if line.now >= until => {
                    Fate::Done(EndReason::NoShow)
                }
                fate => fate,
            };
            let place = self.lane.place(&line.ticket(seq), line.now).expect("a known number");
            assert_eq!(fate_of(&place), by_now, "number {seq}");
        }
    }

    /// Nobody is admitted over the capacity, at no instant.
    fn follow(&mut self, events: &[Event]) {
        for event in events {
            self.follower.evolve(event);
            if matches!(event, Event::Admitted { .. }) {
                let capacity = self.follower.settings().policy.capacity;
                assert!(self.follower.admitted() <= u64::from(capacity), "admitted beyond {capacity}");
            }
        }
    }
}

impl StateMachineTest for Watched {
    type SystemUnderTest = Self;
    type Reference = People;

    fn init_test(line: &Line) -> Self {
        let lane = Lane::new(LaneName::main(), Epoch(1), line.settings.clone());
        let table = Table { rows: Vec::new(), changed: BTreeSet::new(), copy: lane.clone() };
        Self { follower: lane.clone(), lane, table, fates: Vec::new() }
    }

    fn apply(mut watched: Self, line: &Line, step: Step) -> Self {
        watched.check_unswept(line);
        let mut events = Vec::new();
        let answer = watched.lane.execute_logged(&step.command, line.now, &mut events);
        // What time had ended was ended, refused or not.
        watched.follow(&events);
        watched.table.save(&watched.lane, &events);
        match &answer {
            Ok(()) if events.is_empty() => TALLY.replayed(),
            Ok(()) => TALLY.done(),
            Err(_) => TALLY.refused(),
        }
        if watched.lane.next().is_multiple_of(3) {
            watched.table.check(&watched.lane);
        }
        let answer = answer.map(|()| events);
        assert_eq!(answer.map_err(|refusal| without_wait(&refusal)), line.answer, "{step:?}");
        let fate = |seq| watched.lane.place(&line.ticket(seq), line.now).map(|place| fate_of(&place));
        let fates: Vec<Fate> = line.numbers().map(|seq| fate(seq).expect("a known number")).collect();
        for (seq, (before, after)) in (1..).zip(watched.fates.iter().zip(&fates)) {
            assert!(before.may_become(*after), "number {seq} went from {before:?} to {after:?}");
        }
        Self { fates, ..watched }
    }

    fn check_invariants(watched: &Self, line: &Line) {
        let snapshot = watched.lane.snapshot(Some(0), line.now);
        let (waiting, admitted) = (line.waiting(), line.admitted());
        let counts = (snapshot.next - 1, snapshot.waiting, snapshot.admitted, snapshot.users);
        assert_eq!(counts, (line.people.len() as u64, waiting, admitted, waiting + admitted));
        assert_eq!(snapshot, watched.follower.snapshot(Some(0), line.now), "the fold of the events");
        for of in 1..=USERS {
            let own = line.people.iter().filter(|person| person.user == of);
            let unended = own.filter(|person| !matches!(person.fate, Fate::Done(_))).count();
            assert!(unended <= 1, "user {of} has two live tickets");
        }
        for seq in line.numbers() {
            let place = watched.lane.place(&line.ticket(seq), line.now);
            let place = place.unwrap_or_else(|refusal| panic!("number {seq}: {refusal}"));
            assert_eq!(fate_of(&place), line.fate(seq), "number {seq}");
            if let Place::Waiting { rank, ahead, poll_after, .. } = place {
                assert_eq!((rank, ahead), (line.rank(seq), line.rank(seq) - 1), "number {seq}");
                assert!(poll_after <= line.settings.policy.claim_ttl / 3, "number {seq}: {poll_after:?}");
            }
        }
    }
}

#[test]
fn a_lane_does_what_a_list_of_people_does() {
    run::<Watched>(7_000);
    TALLY.check(150_000);
}
