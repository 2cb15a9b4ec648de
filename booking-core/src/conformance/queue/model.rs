//! A store and a pure [`Lane`], called alike at the same instants, may differ in nothing that is promised.

use std::time::Duration;

use super::{
    Factory,
    stage::{CLAIM, Stage, capacity},
};
use crate::{
    conformance::tools::{Random, operations},
    id::UserId,
    policy::LanePolicy,
    queue::{Advanced, Command, Event, Lane, LaneSnapshot, Place},
    refusal::Refusal,
    ticket::{EndReason, Epoch, Ticket},
    time::Timestamp,
};

/// Two sides of one story.
struct Twins {
    stage: Stage,
    lane: Lane,
    users: Vec<UserId>,
    tickets: Vec<Ticket>,
    /// How far the departures were told, by the store and by the lane: each counts in its own way.
    cursors: (u64, u64),
    refused: u64,
}

/// A place without the guesses: when to ask again is only bounded.
#[derive(Debug, PartialEq)]
enum Exact {
    Rank(u64),
    Fixed(Place),
}

fn exact(place: Place) -> Exact {
    match place {
        Place::Waiting { rank, ahead, poll_after, .. } => {
            assert_eq!(ahead, rank - 1);
            assert!(poll_after <= CLAIM / 3, "{poll_after:?}");
            Exact::Rank(rank)
        }
        fixed => Exact::Fixed(fixed),
    }
}

/// A refusal without the guess of when to ask again.
fn firm(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::NotYourTurn { rank, .. } => Refusal::NotYourTurn { rank, retry_after: Duration::ZERO },
        other => other,
    }
}

pub(super) fn random_calls_agree_with_the_pure_lane(make: &Factory) {
    let policies = [
        capacity(3),
        LanePolicy { max_waiting: Some(6), claim_ttl: CLAIM / 10, ..capacity(2) },
        LanePolicy { admit_per_second: Some(5), ..capacity(50) },
    ];
    for (run, policy) in (0..).zip(policies) {
        let mut random = Random::of_case(run);
        let stage = Stage::new(make, policy);
        let lane = Lane::new(stage.lane.clone(), stage.snapshot(None).epoch, stage.settings());
        let users = (0..25).map(|_| UserId(random.uuid())).collect();
        let cursors = (stage.snapshot(None).cursor, 0);
        let mut twins = Twins { stage, lane, users, tickets: Vec::new(), cursors, refused: 0 };
        let calls = operations() / 3;
        (0..calls).for_each(|_| twins.call(&mut random));
        assert!(twins.refused * 10 < calls * 7, "{} of {calls} calls were refused", twins.refused);
        for ticket in std::mem::take(&mut twins.tickets) {
            twins.place(&ticket, twins.stage.now());
        }
    }
}

impl Twins {
    fn call(&mut self, random: &mut Random) {
        let now = self.stage.now();
        let ticket = self.ticket(random);
        match random.below(100) {
            0..35 => self.enter(*random.pick(&self.users.clone()), now),
            35..50 => self.place(&ticket, now),
            50..66 => self.claim(&ticket, now),
            66..80 => {
                let reasons = [EndReason::Completed, EndReason::HoldExpired, EndReason::Left];
                let reason = *random.pick(&reasons);
                self.execute(&Command::Finish(ticket.clone(), reason), now);
                self.stage.finish(&ticket, reason);
            }
            80..88 => {
                let expected = counted(&self.execute(&Command::Advance, now));
                assert_eq!(self.stage.advance(), expected, "at {now}");
            }
            88..92 => self.configure(random, now),
            _ => self.snapshot(now),
        }
        self.move_clock(random);
    }

    /// One of the tickets given of late, at times with something wrong about it.
    fn ticket(&self, random: &mut Random) -> Ticket {
        let recent = &self.tickets[self.tickets.len().saturating_sub(30)..];
        if recent.is_empty() {
            let (lane, user) = (self.stage.lane.clone(), *random.pick(&self.users));
            return Ticket { lane, epoch: Epoch(0), seq: 1, user };
        }
        let mut ticket = random.pick(recent).clone();
        match random.below(40) {
            0 => ticket.epoch = Epoch(ticket.epoch.0 ^ 1),
            1 => ticket.user = *random.pick(&self.users),
            2 => ticket.seq += random.below(20),
            _ => {}
        }
        ticket
    }

    fn execute(&mut self, command: &Command, now: Timestamp) -> Vec<Event> {
        self.lane.execute(command, now).expect("this command is never refused")
    }

    fn enter(&mut self, user: UserId, now: Timestamp) {
        let expected = self.lane.execute(&Command::Enter(user), now).map(|events| {
            let ticket = self.lane.live_ticket(user).expect("who entered has a ticket");
            let place = self.lane.place(&ticket, now).map(exact).expect("the lane knows its tickets");
            (ticket, place, !events.iter().any(|event| matches!(event, Event::Entered { .. })))
        });
        let answer = self.stage.enter(user).map(|entered| {
            self.tickets.push(entered.ticket.clone());
            (entered.ticket, exact(entered.place), entered.replayed)
        });
        self.refused += u64::from(answer.is_err());
        assert_eq!(answer, expected, "entering of {user} at {now}");
    }

    fn place(&mut self, ticket: &Ticket, now: Timestamp) {
        let expected = self.lane.place(ticket, now).map(exact);
        let answer = self.stage.place(ticket).map(exact);
        self.refused += u64::from(answer.is_err());
        assert_eq!(answer, expected, "the place of {ticket:?} at {now}");
    }

    fn claim(&mut self, ticket: &Ticket, now: Timestamp) {
        let command = Command::Claim(ticket.clone());
        let expected = self.lane.execute(&command, now).map(|_| match self.lane.place(ticket, now) {
            Ok(Place::Admitted { until, .. }) => until,
            other => panic!("who claimed is admitted, not {other:?}"),
        });
        let answer = self.stage.claim(ticket).map_err(firm);
        self.refused += u64::from(answer.is_err());
        assert_eq!(answer, expected.map_err(firm), "the claim of {ticket:?} at {now}");
    }

    fn configure(&mut self, random: &mut Random, now: Timestamp) {
        let mut settings = self.stage.settings();
        let turn = |on: &mut bool, random: &mut Random| *on = !*on && random.once_in(3);
        match random.below(6) {
            0 => turn(&mut settings.paused, random),
            1 => turn(&mut settings.closed, random),
            2 => turn(&mut settings.sold_out, random),
            3 => (settings.paused, settings.closed, settings.sold_out) = (false, false, false),
            4 => settings.revision = settings.revision.saturating_sub(1 + random.below(3)),
            _ => settings.policy.capacity = random.seat(8),
        }
        if settings.revision == self.stage.settings().revision {
            self.stage.configure(|told| settings.clone_into(told));
            settings = self.stage.settings();
        } else {
            self.stage.tell(&settings);
        }
        self.execute(&Command::Configure(settings), now);
    }

    fn snapshot(&mut self, now: Timestamp) {
        let expected = self.lane.snapshot(Some(self.cursors.1), now);
        let answer = self.stage.snapshot(Some(self.cursors.0));
        self.cursors = (answer.cursor, expected.cursor);
        let plain = |told: LaneSnapshot| LaneSnapshot { cursor: 0, per_admission: None, ..told };
        assert_eq!(plain(answer), plain(expected), "at {now}");
    }

    /// A little, or to the instant at which an admission ends, just before it or just after it.
    fn move_clock(&self, random: &mut Random) {
        let now = self.stage.now();
        let ends =
            self.tickets.iter().rev().take(30).filter_map(|ticket| match self.lane.place(ticket, now) {
                Ok(Place::Admitted { until, .. }) => Some(until),
                _ => None,
            });
        let by = match (random.below(30), ends.min()) {
            (end @ 0..=2, Some(until)) => {
                until.since(now).saturating_sub(Duration::from_micros(1)) + Duration::from_micros(end)
            }
            (3, _) => Duration::from_secs(random.below(40)),
            (4..=12, _) => Duration::from_micros(random.below(200_000)),
            _ => Duration::ZERO,
        };
        self.stage.move_clock(by);
    }
}

fn counted(events: &[Event]) -> Advanced {
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count() as u64;
    Advanced {
        admitted: count(|event| matches!(event, Event::Admitted { .. })),
        ended: count(|event| matches!(event, Event::Finished { .. })),
    }
}
