//! The suite for implementers of [`JointStore`].

mod endings;
mod holds;
mod races;
mod stage;

use std::sync::Arc;

use super::{Case, Harness};
use crate::{
    policy::BookingPolicy,
    store::{BookingStore, JointStore, QueueStore},
};

/// What the implementer of a [`JointStore`] brings to a case.
pub trait JointHarness: Harness {
    /// The bookings of this harness, the same at every call; at first there is nothing in them.
    fn booking(&self) -> Arc<dyn BookingStore>;

    /// The lanes beside them; at first there are none.
    fn queue(&self) -> Arc<dyn QueueStore>;

    /// The one step over both.
    fn joint(&self) -> Arc<dyn JointStore>;
}

/// Makes a harness with a fresh store that works under the policy of the case.
pub type Factory = dyn Fn(BookingPolicy) -> Box<dyn JointHarness>;

/// Makes one `#[test]` of every case of the joint suite. The argument names a function from a
/// [`BookingPolicy`](crate::BookingPolicy) to a [`JointHarness`](crate::conformance::joint::JointHarness).
#[macro_export]
macro_rules! joint_store {
    ($factory:expr) => {
        $crate::__joint_cases! { { $crate::__tests } joint |policy| ::std::boxed::Box::new($factory(policy)) }
    };
}

/// The list of all cases, by topic; it stands only here.
#[doc(hidden)]
#[macro_export]
macro_rules! __joint_cases {
    ({ $($callback:tt)* } $($context:tt)*) => {
        $($callback)*! { { $($context)* }
            holds {
                a_first_hold_claims_and_holds_in_one_step,
                a_later_hold_keeps_the_end_of_the_session,
                who_waits_holds_nothing_and_keeps_the_place,
                a_refused_hold_leaves_the_claim,
                a_ticket_that_is_over_holds_nothing,
                a_ticket_of_a_lane_or_epoch_that_is_gone_holds_nothing,
                the_same_hold_asked_again_is_answered_with_what_exists,
                a_slot_whose_time_is_over_is_free_before_anybody_is_judged,
            }
            endings {
                a_payment_ends_its_ticket_in_the_lane_and_leaves_nothing_pending,
                a_freed_slot_reaches_the_head_in_the_step_that_frees_it,
                a_refused_payment_ends_no_ticket,
                a_payment_asked_again_ends_nothing_else,
                a_payment_needs_no_lane,
                a_swept_hold_ends_its_ticket_in_the_lane,
                what_executes_alone_stays_pending,
            }
            races {
                of_eight_threads_on_one_seat_exactly_one_wins_and_all_have_claimed,
                a_payment_from_eight_threads_frees_one_slot_once,
                fifty_seats_sold_to_a_crowd_leave_lanes_and_books_in_step,
            }
        }
    };
}

__joint_cases! { { table } }
