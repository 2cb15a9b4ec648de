//! Faults in what is refused, and in what a refusal leaves behind.

use booking_core::{
    Amount, BookingPolicy, Command, Effect, Event, Money, Outcome, Refusal,
    catalog::{self, LaneChange},
    hold,
    id::{EntryId, ReservationId},
    payment,
    store::BookingStore,
    wallet,
};

use super::{
    booking::{Answers, BookingFault, Right, now, rejected, rejected_at, with_fault_and_clock},
    booking_faults::each,
};

/// Executes rightly, then answers as the fault does.
fn answering(
    right: &Right,
    batch: &[Command],
    answer: impl Fn(&Command, Refusal) -> Result<Outcome, Refusal>,
) -> Answers {
    let answers = right.store().execute_now(batch)?;
    let pairs = batch.iter().zip(answers);
    Ok(pairs.map(|(command, right)| right.or_else(|refusal| answer(command, refusal))).collect())
}

struct NoFault;
impl BookingFault for NoFault {}

#[test]
fn a_store_that_answers_an_empty_batch() {
    struct Talkative;
    impl BookingFault for Talkative {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            let mut answers = right.store().execute_now(&batch)?;
            if answers.is_empty() {
                answers.push(Ok(Outcome { replayed: true, effect: Effect::Nothing }));
            }
            Ok(answers)
        }
    }
    rejected("an_empty_batch_does_nothing", || Talkative);
}

#[test]
fn a_refused_charge_that_makes_its_user_known() {
    struct Upsert;
    impl BookingFault for Upsert {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            each(right, batch, |command, answer| {
                if let (Command::Wallet(wallet::Command::Charge { user, .. }), Err(_)) = (command, answer) {
                    right.store().execute_now(&[wallet::Command::Open(*user).into()]).unwrap();
                }
            })
        }
    }
    rejected("a_refused_command_leaves_no_trace_and_binds_nothing", || Upsert);
    rejected("a_user_without_a_wallet_is_unknown", || Upsert);
}

#[test]
fn a_conflict_that_names_one_seat_only() {
    struct FirstOnly;
    impl BookingFault for FirstOnly {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            answering(right, &batch, |_, refusal| match refusal {
                Refusal::SeatTaken { seats } => Err(Refusal::SeatTaken { seats: seats[..1].to_vec() }),
                other => Err(other),
            })
        }
    }
    rejected("a_held_seat_is_refused_naming_every_seat_in_conflict", || FirstOnly);
}

#[test]
fn a_store_that_lets_one_user_hold_more() {
    rejected_at("a_user_with_a_live_hold_gets_no_second_one", &|policy| {
        let live = policy.live_reservations_per_user + 1;
        let policy = BookingPolicy { live_reservations_per_user: live, ..policy };
        with_fault_and_clock(policy, NoFault, |clock| clock)
    });
}

#[test]
fn a_store_whose_sums_are_smaller_than_the_policy_allows() {
    rejected_at("sums_at_the_edge_of_the_integers_are_refused_or_exact", &|policy| {
        let most = Money::new(i64::from(i32::MAX)).unwrap();
        let policy = BookingPolicy { max_balance: policy.max_balance.min(most), ..policy };
        with_fault_and_clock(policy, NoFault, |clock| clock)
    });
}

#[test]
fn a_charge_that_fills_up_to_the_limit() {
    struct Capped;
    impl BookingFault for Capped {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            each(right, batch, |command, answer| {
                let Command::Wallet(wallet::Command::Charge { user, .. }) = command else { return };
                let Some(wallet) = now(right.store().wallet(*user)) else { return };
                let room = right.policy().max_balance.checked_sub(wallet.balance);
                let Some(Ok(amount)) = room.map(|room| Amount::new(room.units())) else { return };
                if *answer == Err(Refusal::AmountOutOfRange) {
                    let rest = wallet::Command::Charge { entry: EntryId::random(), user: *user, amount };
                    right.store().execute_now(&[rest.into()]).unwrap();
                }
            })
        }
    }
    rejected("a_charge_beyond_the_limit_is_refused_and_changes_nothing", || Capped);
}

#[test]
fn an_identity_whose_fields_are_not_compared() {
    struct SameId;
    impl BookingFault for SameId {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            answering(right, &batch, |command, refusal| {
                let Command::Hold(hold::Command::Place { reservation, .. }) = command else {
                    return Err(refusal);
                };
                let known = right.log().into_iter().find_map(|recorded| match recorded.event {
                    Event::Hold(hold::Event::SeatsHeld(made)) if made.id == *reservation => {
                        Some((*made).clone())
                    }
                    _ => None,
                });
                let replay = |made| Outcome { replayed: true, effect: Effect::Reservation(made) };
                if refusal == Refusal::IdempotencyKeyReused {
                    known.map(replay).ok_or(refusal)
                } else {
                    Err(refusal)
                }
            })
        }
    }
    rejected("a_reservation_identity_used_for_something_else_is_refused", || SameId);
}

#[test]
fn a_reservation_that_anybody_can_pay() {
    struct AnyPayer;
    impl AnyPayer {
        fn ticket_of(right: &Right, id: ReservationId) -> Option<booking_core::Ticket> {
            right.log().into_iter().find_map(|recorded| match recorded.event {
                Event::Hold(hold::Event::SeatsHeld(made)) if made.id == id => Some(made.ticket.clone()),
                _ => None,
            })
        }
    }
    impl BookingFault for AnyPayer {
        fn execute(&self, right: &Right, mut batch: Vec<Command>) -> Answers {
            for command in &mut batch {
                if let Command::Payment(payment::Command::Pay { reservation, ticket }) = command
                    && let Some(owner) = Self::ticket_of(right, *reservation)
                    && owner.user != ticket.user
                {
                    *ticket = owner;
                }
            }
            right.store().execute_now(&batch)
        }
    }
    rejected("a_foreign_or_unknown_reservation_cannot_be_paid", || AnyPayer);
}

#[test]
fn a_release_that_is_taken_for_an_expiry() {
    struct OnlyHeld;
    impl BookingFault for OnlyHeld {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            answering(right, &batch, |_, refusal| {
                let gone = refusal == Refusal::ReservationNotPayable;
                Err(if gone { Refusal::HoldExpired } else { refusal })
            })
        }
    }
    rejected("a_released_reservation_cannot_be_paid", || OnlyHeld);
}

#[test]
fn a_draft_of_which_the_good_part_is_kept() {
    struct Halfway;
    impl BookingFault for Halfway {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            each(right, batch, |command, answer| {
                if let (Command::Catalog(catalog::Command::PutConcerts(drafts)), Err(_)) = (command, answer) {
                    let mut part = drafts[0].clone();
                    part.performances.truncate(1);
                    right.store().execute_now(&[catalog::Command::PutConcerts(vec![part]).into()]).unwrap();
                }
            })
        }
    }
    rejected("a_draft_with_a_fault_changes_nothing", || Halfway);
}

#[test]
fn a_change_of_a_lane_of_which_the_good_part_is_kept() {
    struct Halfway;
    impl BookingFault for Halfway {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            each(right, batch, |command, answer| {
                if let (Command::Catalog(catalog::Command::SetLane(name, change)), Err(_)) = (command, answer)
                {
                    let part = LaneChange { capacity: change.capacity, ..LaneChange::default() };
                    right
                        .store()
                        .execute_now(&[catalog::Command::SetLane(name.clone(), part).into()])
                        .unwrap();
                }
            })
        }
    }
    rejected("settings_nobody_can_work_under_are_refused", || Halfway);
}

#[test]
fn a_change_of_a_lane_that_forgets_its_mark() {
    struct Forgetful;
    impl BookingFault for Forgetful {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            each(right, batch, |command, _| {
                if let Command::Catalog(catalog::Command::SetLane(name, _)) = command {
                    let Some(known) = now(right.store().lane(name)) else { return };
                    let (lane, revision, sold_out) = (known.name, known.settings.revision, false);
                    let unmark = catalog::Command::MarkSoldOut { lane, revision, sold_out };
                    right.store().execute_now(&[unmark.into()]).unwrap();
                }
            })
        }
    }
    rejected("a_lane_remembers_that_it_is_sold_out", || Forgetful);
}
