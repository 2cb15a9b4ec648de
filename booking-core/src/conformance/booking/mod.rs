//! The suite for implementers of [`BookingStore`].

mod batches;
mod best_seats;
mod catalog;
mod compare;
mod crowd;
mod endings;
mod events;
mod expiry;
mod expiry_races;
mod holds;
mod identity;
mod lists;
mod model;
mod money_races;
mod moves;
mod payments;
mod reads;
mod seat_races;
mod stage;
mod wallets;
mod words;
mod workload;

use std::sync::Arc;

use super::{Case, Harness};
use crate::{policy::BookingPolicy, store::BookingStore};

/// What the implementer of a [`BookingStore`] brings to a case.
pub trait BookingHarness: Harness {
    /// The store of this harness, the same at every call; at first there is nothing in it.
    fn store(&self) -> Arc<dyn BookingStore>;

    /// A second instance on the same data, as another server would have: a second pool, a second connection. A store
    /// that lives in one process only gives the same again.
    fn another(&self) -> Arc<dyn BookingStore>;
}

/// Makes a harness with a fresh store that works under the policy of the case.
pub type Factory = dyn Fn(BookingPolicy) -> Box<dyn BookingHarness>;

/// Makes one `#[test]` of every case of the booking suite. The argument names a function from a
/// [`BookingPolicy`](crate::BookingPolicy) to a [`BookingHarness`](crate::conformance::booking::BookingHarness).
#[macro_export]
macro_rules! booking_store {
    ($factory:expr) => {
        $crate::__booking_cases! { { $crate::__tests } booking |policy| ::std::boxed::Box::new($factory(policy)) }
    };
}

/// The list of all cases, by topic; it stands only here.
#[doc(hidden)]
#[macro_export]
macro_rules! __booking_cases {
    ({ $($callback:tt)* } $($context:tt)*) => {
        $($callback)*! { { $($context)* }
            batches {
                every_command_of_a_batch_is_answered_in_order,
                an_empty_batch_does_nothing,
                a_batch_over_several_performances_goes_by_the_latest_of_each,
                a_refused_command_does_not_hinder_the_others,
                a_refused_command_leaves_no_trace_and_binds_nothing,
                a_command_sees_the_effects_of_those_before_it_in_the_batch,
                two_holds_of_one_seat_in_a_batch_have_one_winner,
                charges_of_one_wallet_in_a_batch_add_up,
                one_user_cannot_pass_the_limit_within_a_batch,
                a_batch_is_decided_at_one_instant,
                a_batch_of_a_thousand_commands_is_answered_whole,
            }
            holds {
                a_hold_answers_with_its_expiry_and_the_payment_due,
                a_held_seat_is_refused_naming_every_seat_in_conflict,
                a_hold_of_several_seats_is_all_or_nothing,
                a_hold_that_makes_no_sense_is_refused_by_its_first_fault,
                a_user_with_a_live_hold_gets_no_second_one,
                bought_seats_count_towards_the_limit_of_their_performance_only,
                a_released_hold_frees_its_seats_at_once,
                only_the_owner_can_release_a_hold,
                leaving_gives_back_what_the_ticket_holds,
                one_ticket_buys_once,
                a_changed_price_counts_for_new_holds_only,
            }
            expiry {
                instants_come_from_the_clock_of_the_store,
                a_hold_is_alive_until_the_very_instant_it_ends,
                an_expired_hold_reads_as_expired_without_a_sweep,
                an_expired_hold_is_taken_over_without_a_sweep,
                sweeping_after_a_takeover_frees_nobody_elses_seat,
                sweeping_frees_the_seats_that_were_not_taken_over,
                expired_holds_are_told_oldest_first_until_swept,
                a_live_hold_cannot_be_swept,
                a_ticket_whose_hold_ran_out_is_over,
            }
            identity {
                the_same_hold_asked_again_is_answered_with_what_exists,
                holding_again_exactly_what_one_holds_answers_the_hold,
                a_reservation_identity_used_for_something_else_is_refused,
                the_same_charge_asked_again_answers_what_it_did_then,
                an_entry_identity_used_for_something_else_is_refused,
                a_charge_named_by_a_payment_leaves_its_debit_free,
                a_replay_writes_no_event,
            }
            payments {
                paying_moves_money_seats_and_payment_in_one_step,
                paying_twice_charges_once,
                a_payment_above_the_balance_is_refused_and_changes_nothing,
                a_foreign_or_unknown_reservation_cannot_be_paid,
                only_the_ticket_that_made_a_reservation_pays_it,
                an_expired_hold_is_never_charged,
                a_released_reservation_cannot_be_paid,
                a_refund_returns_money_and_seats_once,
                a_free_seat_is_paid_with_nothing,
            }
            wallets {
                opening_a_wallet_twice_opens_it_once,
                a_user_without_a_wallet_is_unknown,
                the_ledger_tells_every_movement_in_order,
                a_charge_beyond_the_limit_is_refused_and_changes_nothing,
                sums_at_the_edge_of_the_integers_are_refused_or_exact,
                a_refund_is_not_bound_by_the_limit,
            }
            lists {
                pages_of_reservations_have_no_gap_and_no_repeat,
                pages_of_payments_have_no_gap_and_no_repeat,
                pages_of_entries_have_no_gap_and_no_repeat,
                pages_of_concerts_have_no_gap_and_no_repeat,
                pages_of_performances_have_no_gap_and_no_repeat,
                what_is_added_later_comes_after_the_cursor,
                one_sees_only_what_is_ones_own,
                operators_see_whatever_is_anybodys_as_it_is_now,
            }
            catalog {
                a_draft_adds_then_updates_then_changes_nothing,
                a_draft_with_a_fault_changes_nothing,
                performances_are_filtered_by_lane_concert_and_date,
                a_performance_keeps_its_offset_zone_and_local_date,
                a_start_is_kept_in_whole_microseconds,
                only_bookable_performances_are_listed,
                lanes_are_listed_by_name_and_changed_setting_by_setting,
                settings_nobody_can_work_under_are_refused,
                a_lane_remembers_that_it_is_sold_out,
                the_largest_hall_is_told_whole,
            }
            reads {
                the_seat_map_tells_available_held_and_sold,
                the_listing_counts_what_the_seat_map_shows,
                stock_tells_whether_anything_is_left_to_sell,
                stock_follows_what_another_instance_changes,
                totals_tell_the_active_holds_and_the_seats_sold,
                what_does_not_exist_reads_as_nothing,
                two_instances_agree_at_once,
            }
            events {
                events_are_numbered_from_one_without_a_gap,
                readers_by_cursor_see_every_event_once,
                readers_by_cursor_miss_nothing_while_others_write,
                every_kind_of_change_is_told_by_an_event,
                the_history_of_a_seat_tells_every_move_of_it,
            }
            endings {
                a_paid_ticket_is_pending_until_acknowledged,
                a_swept_ticket_is_pending_with_its_reason,
                a_hold_given_back_ends_no_ticket,
                endings_are_told_up_to_the_limit_and_forgotten_one_by_one,
            }
            seat_races {
                of_eight_threads_on_one_seat_exactly_one_wins,
                eight_threads_on_fifty_seats_sell_each_once,
                overlapping_holds_of_several_seats_are_all_or_nothing,
                the_same_reservation_from_eight_threads_is_made_once,
                one_ticket_racing_for_two_seats_gets_one,
                a_user_racing_on_two_performances_stays_within_the_limit,
                a_takeover_of_an_expired_seat_has_one_winner,
                batches_of_the_same_people_in_opposite_order_all_finish,
            }
            best_seats {
                the_best_seats_are_the_most_central_adjacent_ones_available,
                seats_of_expired_holds_are_among_the_best_without_a_sweep,
                more_adjacent_seats_than_there_are_are_refused_with_how_many_there_are,
                the_best_seats_asked_for_again_are_those_that_were_given,
                each_choice_of_a_batch_sees_those_before_it,
                the_best_seats_are_those_of_the_hall_as_it_is_now,
                the_best_seats_asked_for_by_eight_threads_are_all_different,
                best_and_named_seats_racing_get_in_nobodys_way,
            }
            money_races {
                concurrent_charges_add_up,
                the_same_charge_from_eight_threads_is_made_once,
                paying_from_eight_threads_charges_once,
                two_reservations_racing_for_one_wallet_are_paid_once,
                a_refund_from_eight_threads_is_made_once,
                a_ledger_never_goes_back_in_time,
            }
            expiry_races {
                of_paying_and_expiring_exactly_one_wins,
                of_paying_and_taking_over_exactly_one_wins,
                of_paying_and_releasing_exactly_one_wins,
                a_payment_is_never_dated_at_or_after_the_end_of_its_hold,
            }
            model {
                random_batches_agree_with_the_pure_state,
            }
            workload {
                the_books_are_clean_after_a_random_rush,
                the_events_of_a_random_rush_fold_into_what_is_read,
            }
        }
    };
}

__booking_cases! { { table } }
