//! Faults in the one step over both ports.

use std::sync::Arc;

use async_trait::async_trait;
use booking_core::{
    Command, EndReason, Error, Outcome, Ticket,
    conformance::joint::CASES,
    memory::{MemoryBooking, MemoryJoint, MemoryQueue},
    store::{BookingStore, JointStore, QueueStore},
};

use crate::harness::{Joint, MakeJoint};

/// What a broken step is made of.
struct Parts {
    booking: Arc<MemoryBooking>,
    queue: Arc<MemoryQueue>,
    right: MemoryJoint,
}

impl Parts {
    fn of(booking: Arc<MemoryBooking>, queue: Arc<MemoryQueue>) -> Self {
        let right = MemoryJoint::new(Arc::clone(&booking), Arc::clone(&queue));
        Self { booking, queue, right }
    }

    /// The command by the booking port alone.
    async fn alone(&self, command: Command) -> Result<Outcome, Error> {
        Ok(self.booking.execute(vec![command]).await?.remove(0)?)
    }
}

/// The suite finds the fault, by this case among others.
fn rejected(expected: &str, make: MakeJoint) {
    super::judge(CASES, &move |policy| Box::new(Joint::of(policy, make)), expected);
}

/// A step with a fault: a name, and what it does instead.
macro_rules! fault {
    ($test:ident, $expected:literal, |$parts:ident, $claim:ident, $command:ident| $does:expr) => {
        #[test]
        fn $test() {
            struct Fault(Parts);
            #[async_trait]
            impl JointStore for Fault {
                async fn book(&self, $claim: Option<&Ticket>, $command: Command) -> Result<Outcome, Error> {
                    let $parts = &self.0;
                    $does
                }
            }
            rejected($expected, |booking, queue| Arc::new(Fault(Parts::of(booking, queue))));
        }
    };
}

fault!(a_hold_that_asks_no_lane, "who_waits_holds_nothing_and_keeps_the_place", |parts, _claim, command| {
    parts.right.book_now(None, &command)
});

fault!(
    a_claim_that_is_only_looked_at,
    "a_first_hold_claims_and_holds_in_one_step",
    |parts, claim, command| {
        if let Some(ticket) = claim
            && !matches!(parts.queue.place(ticket).await?, booking_core::queue::Place::Admitted { .. })
        {
            return parts.right.book_now(claim, &command);
        }
        parts.right.book_now(None, &command)
    }
);

fault!(a_claim_that_falls_with_the_command, "a_refused_hold_leaves_the_claim", |parts, claim, command| {
    let outcome = parts.right.book_now(None, &command)?;
    if let Some(ticket) = claim {
        parts.queue.claim(ticket).await?;
    }
    Ok(outcome)
});

fault!(an_ending_that_stays_pending, "a_swept_hold_ends_its_ticket_in_the_lane", |parts, claim, command| {
    if let Some(ticket) = claim {
        parts.queue.claim(ticket).await?;
    }
    parts.alone(command).await
});

fault!(
    an_ending_that_is_told_and_not_forgotten,
    "a_payment_asked_again_ends_nothing_else",
    |parts, claim, command| {
        if let Some(ticket) = claim {
            parts.queue.claim(ticket).await?;
        }
        let outcome = parts.alone(command).await?;
        for (ticket, reason) in parts.booking.pending_endings(100).await? {
            parts.queue.finish(&ticket, reason).await?;
        }
        Ok(outcome)
    }
);

fault!(
    an_ending_that_no_lane_is_told,
    "a_freed_slot_reaches_the_head_in_the_step_that_frees_it",
    |parts, claim, command| {
        if let Some(ticket) = claim {
            parts.queue.claim(ticket).await?;
        }
        let outcome = parts.alone(command).await?;
        let pending = parts.booking.pending_endings(100).await?;
        parts.booking.ack_endings(&pending.into_iter().map(|(ticket, _)| ticket).collect::<Vec<_>>()).await?;
        Ok(outcome)
    }
);

fault!(
    a_ticket_that_ends_whatever_comes_of_it,
    "a_refused_payment_ends_no_ticket",
    |parts, claim, command| {
        if let Command::Payment(booking_core::payment::Command::Pay { ticket, .. }) = &command {
            parts.queue.finish(ticket, EndReason::Completed).await?;
        }
        parts.right.book_now(claim, &command)
    }
);

fault!(a_payment_that_asks_the_lane, "a_payment_needs_no_lane", |parts, claim, command| {
    if let Command::Payment(booking_core::payment::Command::Pay { ticket, .. }) = &command {
        parts.queue.claim(ticket).await?;
    }
    parts.right.book_now(claim, &command)
});
