//! Faults in how a lane admits, advances, obeys and is told.

use std::{collections::HashMap, sync::Mutex};

use booking_core::{
    EndReason, Epoch, Error, LaneName, Refusal, Ticket,
    catalog::LaneSettings,
    id::UserId,
    queue::{Advanced, Command, Entered, LaneSnapshot, Place, decide},
};

use super::queue::{Lanes, QueueFault, refusal, rejected};

/// A waiting place of this rank.
fn waiting(rank: u64, place: Place) -> Place {
    match place {
        Place::Waiting { estimated_wait, poll_after, .. } => {
            Place::Waiting { rank, ahead: rank - 1, estimated_wait, poll_after }
        }
        other => other,
    }
}

#[test]
fn a_rank_that_does_not_count_departures() {
    #[derive(Default)]
    struct NoDepartures;
    impl QueueFault for NoDepartures {
        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            let head = right.snapshot(&ticket.lane, None).map_or(1, |told| told.head);
            Ok(waiting(ticket.seq.saturating_sub(head) + 1, right.place(ticket)?))
        }
    }
    rejected::<NoDepartures>("who_leaves_the_line_moves_up_those_behind");
}

#[test]
fn a_rank_from_a_stale_cache() {
    #[derive(Default)]
    struct Cached(Mutex<HashMap<Ticket, (u64, u32)>>);
    impl QueueFault for Cached {
        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            let place = right.place(ticket)?;
            let Place::Waiting { rank, .. } = place else { return Ok(place) };
            let mut cache = self.0.lock().unwrap();
            let (kept, reads) = cache.entry(ticket.clone()).or_insert((rank, 0));
            *reads += 1;
            if *reads % 4 == 0 {
                *kept = rank;
            }
            Ok(waiting(*kept, place))
        }
    }
    rejected::<Cached>("ranks_are_exact_after_departures");
}

#[test]
fn a_capacity_exceeded_by_one() {
    #[derive(Default)]
    struct OneMore;
    impl QueueFault for OneMore {
        fn configure(&self, right: &Lanes, lane: &LaneName, settings: &LaneSettings) {
            let mut settings = settings.clone();
            settings.policy.capacity += u32::from(settings.policy.capacity > 0);
            right.configure(lane, &settings, Epoch::random());
        }

        fn snapshot(
            &self,
            right: &Lanes,
            lane: &LaneName,
            since: Option<u64>,
        ) -> Result<LaneSnapshot, Error> {
            let mut told = right.snapshot(lane, since)?;
            let capacity = &mut told.settings.policy.capacity;
            *capacity = capacity.saturating_sub(1);
            Ok(told)
        }
    }
    rejected::<OneMore>("nobody_is_admitted_while_the_capacity_is_in_use");
    rejected::<OneMore>("the_capacity_is_never_exceeded");
}

/// Does one step without the advances around it.
fn bare_step(right: &Lanes, lane: &LaneName, command: &Command) -> Result<(), Error> {
    right.with(lane, Refusal::UnknownLane, |lane, now| {
        let events = decide(lane, command, now)?;
        for event in &events {
            lane.evolve(event);
        }
        Ok(())
    })
}

#[test]
fn a_freed_slot_that_waits_for_the_next_round() {
    #[derive(Default)]
    struct Later;
    impl QueueFault for Later {
        fn finish(&self, right: &Lanes, ticket: &Ticket, reason: EndReason) {
            bare_step(right, &ticket.lane, &Command::Finish(ticket.clone(), reason)).ok();
        }
    }
    rejected::<Later>("a_freed_slot_reaches_the_head_in_the_same_step");
}

#[test]
fn a_lane_that_goes_back_when_it_is_told_old_settings() {
    #[derive(Default)]
    struct AnySettings;
    impl QueueFault for AnySettings {
        fn configure(&self, right: &Lanes, lane: &LaneName, settings: &LaneSettings) {
            let known = right.snapshot(lane, None).map_or(0, |told| told.settings.revision);
            let revision = settings.revision.max(known + 1);
            right.configure(lane, &LaneSettings { revision, ..settings.clone() }, Epoch::random());
        }
    }
    rejected::<AnySettings>("older_settings_change_nothing");
}

#[test]
fn a_closed_lane_that_takes_people() {
    /// Ends the tickets, and forgets that it is closed.
    #[derive(Default)]
    struct OpenDoor;
    impl QueueFault for OpenDoor {
        fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
            let answer = right.enter(lane, user);
            if refusal(&answer) != Some(&Refusal::LaneClosed) {
                return answer;
            }
            let told = right.snapshot(lane, None)?;
            let ticket = Ticket { lane: lane.clone(), epoch: told.epoch, seq: told.next, user };
            let poll_after = std::time::Duration::from_secs(1);
            let place = Place::Waiting { rank: 1, ahead: 0, estimated_wait: None, poll_after };
            Ok(Entered { ticket, place, replayed: false })
        }
    }
    rejected::<OpenDoor>("a_closed_lane_ends_every_ticket_and_takes_nobody");
}

#[test]
fn a_paused_lane_that_admits() {
    #[derive(Default)]
    struct Restless;
    impl QueueFault for Restless {
        fn configure(&self, right: &Lanes, lane: &LaneName, settings: &LaneSettings) {
            let settings = LaneSettings { paused: false, ..settings.clone() };
            right.configure(lane, &settings, Epoch::random());
        }
    }
    rejected::<Restless>("a_paused_lane_takes_numbers_but_admits_nobody");
}

#[test]
fn departures_that_are_told_again() {
    #[derive(Default)]
    struct FromTheStart;
    impl QueueFault for FromTheStart {
        fn snapshot(
            &self,
            right: &Lanes,
            lane: &LaneName,
            since: Option<u64>,
        ) -> Result<LaneSnapshot, Error> {
            right.snapshot(lane, since.map(|_| 0))
        }
    }
    rejected::<FromTheStart>("departures_are_told_once_by_cursor");
}

#[test]
fn an_advance_that_ends_nobody() {
    /// Admits while there is room, and leaves those whose time is over where they are.
    #[derive(Default)]
    struct Kind;
    impl QueueFault for Kind {
        fn advance(&self, right: &Lanes, lane: &LaneName) -> Result<Advanced, Error> {
            let told = right.snapshot(lane, None)?;
            let room = u64::from(told.settings.policy.capacity).saturating_sub(told.admitted);
            if room == 0 { Ok(Advanced::default()) } else { right.advance(lane) }
        }
    }
    rejected::<Kind>("advancing_tells_what_it_did_and_does_it_once");
}
