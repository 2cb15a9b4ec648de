//! Faults in numbers, tickets and sessions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use booking_core::{
    Clock as _, EndReason, Epoch, Error, LaneName, Refusal, StoreError, Ticket, Timestamp,
    catalog::LaneSettings,
    id::UserId,
    memory::MemoryQueue,
    queue::{Entered, Place},
};

use super::{
    Window,
    queue::{Lanes, QueueFault, refusal, rejected, rejected_as},
};

#[test]
fn a_number_that_is_given_twice() {
    /// Looks which number is next, and takes it later.
    #[derive(Default)]
    struct LookedUp(Window);
    impl QueueFault for LookedUp {
        fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
            let next = right.snapshot(lane, None)?.next;
            self.0.stay();
            let mut entered = right.enter(lane, user)?;
            self.0.leave();
            if !entered.replayed {
                entered.ticket.seq = next;
            }
            Ok(entered)
        }
    }
    rejected::<LookedUp>("numbers_are_unique_and_ascending_under_eight_threads");
}

/// Which number is whose.
#[derive(Default)]
struct Owners(Mutex<HashMap<(LaneName, u64), UserId>>);

impl Owners {
    fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        let entered = right.enter(lane, user)?;
        self.0.lock().unwrap().insert((lane.clone(), entered.ticket.seq), user);
        Ok(entered)
    }

    /// The ticket of this number, whosever it is.
    fn numbered(&self, seq: u64, ticket: &Ticket) -> Option<Ticket> {
        let user = *self.0.lock().unwrap().get(&(ticket.lane.clone(), seq))?;
        Some(Ticket { seq, user, ..ticket.clone() })
    }
}

#[test]
fn admission_out_of_order() {
    /// The second of each two neighbours goes before the first.
    #[derive(Default)]
    struct Swapped(Owners);
    impl Swapped {
        fn other(&self, ticket: &Ticket) -> Ticket {
            let own = self.0.numbered(ticket.seq, ticket).is_some_and(|own| own == *ticket);
            let other = if own { self.0.numbered(ticket.seq ^ 1, ticket) } else { None };
            other.unwrap_or_else(|| ticket.clone())
        }
    }
    impl QueueFault for Swapped {
        fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
            self.0.enter(right, lane, user)
        }

        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            right.place(&self.other(ticket))
        }

        fn claim(&self, right: &Lanes, ticket: &Ticket) -> Result<Timestamp, Error> {
            right.claim(&self.other(ticket))
        }

        fn finish(&self, right: &Lanes, ticket: &Ticket, reason: EndReason) {
            right.finish(&self.other(ticket), reason);
        }
    }
    rejected::<Swapped>("admission_is_by_number_skipping_those_gone");
}

#[test]
fn a_second_live_place_for_one_user() {
    #[derive(Default)]
    struct Twice;
    impl QueueFault for Twice {
        fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
            let entered = right.enter(lane, user)?;
            if !entered.replayed {
                return Ok(entered);
            }
            let second = right.enter(lane, UserId::random())?;
            Ok(Entered { ticket: Ticket { user, ..second.ticket }, ..second })
        }
    }
    rejected::<Twice>("ten_thousand_enters_of_one_user_leave_one_place");
}

#[test]
fn a_poll_that_claims() {
    #[derive(Default)]
    struct Eager;
    impl QueueFault for Eager {
        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            right.claim(ticket).ok();
            right.place(ticket)
        }
    }
    rejected::<Eager>("a_poll_claims_nothing");
}

#[test]
fn a_claim_that_does_not_start_the_session() {
    #[derive(Default)]
    struct NoSession;
    impl QueueFault for NoSession {
        fn claim(&self, right: &Lanes, ticket: &Ticket) -> Result<Timestamp, Error> {
            match right.place(ticket)? {
                Place::Admitted { until, .. } => Ok(until),
                Place::Waiting { .. } | Place::Done(_) => right.claim(ticket),
            }
        }
    }
    rejected::<NoSession>("the_first_claim_starts_the_session");
}

#[test]
fn a_claim_that_prolongs_the_session() {
    /// Each claim answers a session from now on.
    #[derive(Default)]
    struct Prolonged(Mutex<HashMap<Ticket, Timestamp>>);
    impl QueueFault for Prolonged {
        fn claim(&self, right: &Lanes, ticket: &Ticket) -> Result<Timestamp, Error> {
            right.claim(ticket)?;
            right.with(&ticket.lane, Refusal::QueueReset, |lane, now| {
                let until = now.after(lane.settings().policy.session_ttl);
                self.0.lock().unwrap().insert(ticket.clone(), until);
                Ok(until)
            })
        }

        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            Ok(match (right.place(ticket)?, self.0.lock().unwrap().get(ticket)) {
                (Place::Admitted { claimed, .. }, Some(until)) => Place::Admitted { until: *until, claimed },
                (place, _) => place,
            })
        }
    }
    rejected::<Prolonged>("a_later_claim_keeps_the_end_of_the_session");
}

#[test]
fn a_finish_that_overwrites_the_reason() {
    #[derive(Default)]
    struct LastReason(Mutex<HashMap<Ticket, EndReason>>);
    impl QueueFault for LastReason {
        fn finish(&self, right: &Lanes, ticket: &Ticket, reason: EndReason) {
            right.finish(ticket, reason);
            self.0.lock().unwrap().insert(ticket.clone(), reason);
        }

        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            Ok(match (right.place(ticket)?, self.0.lock().unwrap().get(ticket)) {
                (Place::Done(_), Some(reason)) => Place::Done(*reason),
                (place, _) => place,
            })
        }
    }
    rejected::<LastReason>("a_ticket_that_is_over_stays_as_it_is");
}

#[test]
fn a_claim_that_brings_the_dead_back() {
    #[derive(Default)]
    struct Revived;
    impl QueueFault for Revived {
        fn claim(&self, right: &Lanes, ticket: &Ticket) -> Result<Timestamp, Error> {
            let answer = right.claim(ticket);
            if refusal(&answer) == Some(&Refusal::TicketOver(EndReason::NoShow)) {
                return right.with(&ticket.lane, Refusal::QueueReset, |lane, now| {
                    Ok(now.after(lane.settings().policy.session_ttl))
                });
            }
            answer
        }
    }
    rejected::<Revived>("who_does_not_claim_in_time_is_a_no_show");
}

#[test]
fn a_ticket_that_anybody_can_use() {
    #[derive(Default)]
    struct NoOwner(Owners);
    impl QueueFault for NoOwner {
        fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
            self.0.enter(right, lane, user)
        }

        fn claim(&self, right: &Lanes, ticket: &Ticket) -> Result<Timestamp, Error> {
            right.claim(&self.0.numbered(ticket.seq, ticket).unwrap_or_else(|| ticket.clone()))
        }
    }
    rejected::<NoOwner>("a_ticket_the_lane_never_gave_is_refused_and_changes_nothing");
}

#[test]
fn a_ticket_of_another_epoch_that_is_accepted() {
    #[derive(Default)]
    struct AnyEpoch;
    impl QueueFault for AnyEpoch {
        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            let epoch = right.snapshot(&ticket.lane, None).map_or(ticket.epoch, |told| told.epoch);
            right.place(&Ticket { epoch, ..ticket.clone() })
        }
    }
    rejected::<AnyEpoch>("a_ticket_of_another_epoch_is_refused_and_changes_nothing");
}

#[test]
fn an_epoch_that_outlives_the_numbers() {
    #[derive(Default)]
    struct SameEpoch;
    impl QueueFault for SameEpoch {
        fn configure(&self, right: &Lanes, lane: &LaneName, settings: &LaneSettings) {
            right.configure(lane, settings, Epoch(lane.as_str().len() as u64));
        }
    }
    rejected::<SameEpoch>("a_lane_that_lost_its_numbers_starts_a_new_epoch");
}

#[test]
fn a_clock_that_stands_still() {
    rejected_as("who_does_not_claim_in_time_is_a_no_show", |clock| {
        let start = clock.now();
        Arc::new(MemoryQueue::new(Arc::new(move || start)))
    });
}

#[test]
fn a_limit_that_ends_a_moment_late() {
    /// At the end of an admission it is not over yet.
    #[derive(Default)]
    struct Late;
    impl QueueFault for Late {
        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            right.with(&ticket.lane, Refusal::QueueReset, |lane, now| {
                lane.place(ticket, now.before(Duration::from_micros(1)))
            })
        }
    }
    rejected::<Late>("who_does_not_claim_in_time_is_a_no_show");
}

#[test]
fn a_ticket_that_cannot_be_finished_twice() {
    #[derive(Default)]
    struct Strict;
    impl QueueFault for Strict {
        fn failure(&self, right: &Lanes, ticket: &Ticket) -> Result<(), StoreError> {
            match right.place(ticket) {
                Ok(Place::Waiting { .. } | Place::Admitted { .. }) => Ok(()),
                other => Err(StoreError::broken(format!("there is nothing to finish: {other:?}"))),
            }
        }
    }
    rejected::<Strict>("finishing_what_is_not_there_is_no_failure");
}

#[test]
fn a_lane_that_is_made_by_asking() {
    #[derive(Default)]
    struct OnDemand;
    impl QueueFault for OnDemand {
        fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
            right.enter(lane, user).or_else(|_| {
                right.configure(lane, &LaneSettings::default(), Epoch::random());
                right.enter(lane, user)
            })
        }
    }
    rejected::<OnDemand>("an_unknown_lane_is_refused");
}

#[test]
fn numbers_that_are_given_in_blocks() {
    /// As from sequences with a cache: unique, but not in the order of the answers.
    #[derive(Default)]
    struct Blocks;
    fn other(ticket: &Ticket) -> Ticket {
        Ticket { seq: (ticket.seq.wrapping_sub(1) ^ 3).wrapping_add(1), ..ticket.clone() }
    }
    impl QueueFault for Blocks {
        fn enter(&self, right: &Lanes, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
            right.enter(lane, user).map(|entered| Entered { ticket: other(&entered.ticket), ..entered })
        }

        fn place(&self, right: &Lanes, ticket: &Ticket) -> Result<Place, Error> {
            right.place(&other(ticket))
        }

        fn claim(&self, right: &Lanes, ticket: &Ticket) -> Result<Timestamp, Error> {
            right.claim(&other(ticket))
        }

        fn finish(&self, right: &Lanes, ticket: &Ticket, reason: EndReason) {
            right.finish(&other(ticket), reason);
        }
    }
    rejected::<Blocks>("who_was_answered_before_another_asked_has_the_lower_number");
}
