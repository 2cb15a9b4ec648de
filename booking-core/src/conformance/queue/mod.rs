//! The suite for implementers of [`QueueStore`].

mod admission;
mod finishing;
mod model;
mod order;
mod races;
mod sessions;
mod settings;
mod snapshots;
mod stage;
mod strangers;

use std::sync::Arc;

use super::{Case, Harness};
use crate::store::QueueStore;

/// What the implementer of a [`QueueStore`] brings to a case.
pub trait QueueHarness: Harness {
    /// The store of this harness; at first there is no lane in it.
    fn store(&self) -> Arc<dyn QueueStore>;

    /// A second instance on the same data, as another server would have. A store that lives in one process only gives
    /// the same again.
    fn another(&self) -> Arc<dyn QueueStore>;

    /// Empties the store, as a crash does to one that kept nothing. The case asks for its stores anew afterwards.
    fn lose(&self);
}

/// Makes a harness with a fresh store.
pub type Factory = dyn Fn() -> Box<dyn QueueHarness>;

/// Makes one `#[test]` of every case of the queue suite. The argument names a function that gives a
/// [`QueueHarness`](crate::conformance::queue::QueueHarness).
#[macro_export]
macro_rules! queue_store {
    ($factory:expr) => {
        $crate::__queue_cases! { { $crate::__tests } queue || ::std::boxed::Box::new($factory()) }
    };
}

/// The list of all cases, by topic; it stands only here.
#[doc(hidden)]
#[macro_export]
macro_rules! __queue_cases {
    ({ $($callback:tt)* } $($context:tt)*) => {
        $($callback)*! { { $($context)* }
            order {
                numbers_are_given_in_the_order_of_arrival,
                entering_twice_gives_the_same_place,
                ten_thousand_enters_of_one_user_leave_one_place,
                who_is_done_gets_a_new_number_at_the_end,
                ranks_are_exact_after_departures,
                a_waiting_place_tells_when_to_ask_again,
                lanes_do_not_touch_each_other,
            }
            strangers {
                an_unknown_lane_is_refused,
                a_ticket_of_another_epoch_is_refused_and_changes_nothing,
                a_ticket_the_lane_never_gave_is_refused_and_changes_nothing,
                a_lane_that_lost_its_numbers_starts_a_new_epoch,
            }
            admission {
                who_enters_a_free_lane_is_admitted_at_once,
                nobody_is_admitted_while_the_capacity_is_in_use,
                admission_is_by_number_skipping_those_gone,
                a_freed_slot_reaches_the_head_in_the_same_step,
                entering_ends_what_time_has_ended,
                claiming_ends_what_time_has_ended,
                advancing_tells_what_it_did_and_does_it_once,
                a_rate_limits_how_many_are_admitted,
                a_full_waiting_room_is_refused,
                a_lane_without_capacity_admits_nobody,
            }
            sessions {
                a_poll_claims_nothing,
                the_first_claim_starts_the_session,
                a_later_claim_keeps_the_end_of_the_session,
                who_does_not_claim_in_time_is_a_no_show,
                a_session_ends_by_time,
                who_waits_cannot_claim,
            }
            finishing {
                a_finished_ticket_is_over_with_its_reason,
                a_ticket_that_is_over_stays_as_it_is,
                finishing_what_is_not_there_is_no_failure,
                who_leaves_the_line_moves_up_those_behind,
            }
            settings {
                older_settings_change_nothing,
                a_lowered_capacity_evicts_nobody,
                a_raised_capacity_is_used_at_the_next_advance,
                a_paused_lane_takes_numbers_but_admits_nobody,
                a_closed_lane_ends_every_ticket_and_takes_nobody,
                a_sold_out_lane_opens_again_where_it_stopped,
                changed_spans_count_for_what_begins_later,
            }
            snapshots {
                a_snapshot_tells_the_lane_at_a_glance,
                departures_are_told_once_by_cursor,
                ranks_follow_from_snapshots,
            }
            races {
                numbers_are_unique_and_ascending_under_eight_threads,
                who_was_answered_before_another_asked_has_the_lower_number,
                one_user_in_eight_threads_has_one_place,
                the_lowest_numbers_are_admitted_whoever_races,
                the_capacity_is_never_exceeded,
                one_claim_starts_the_session_for_eight,
                eight_finishes_free_one_slot,
                two_instances_are_one_lane,
            }
            model {
                random_calls_agree_with_the_pure_lane,
            }
        }
    };
}

__queue_cases! { { table } }
