//! Faults in what is done.

use booking_core::{
    Command, Effect, Event, Outcome, RecordedEvent, Refusal, State,
    hold::{self, SeatChoice, SeatStatus},
    id::{EntryId, ReservationId},
    payment,
    store::BookingStore,
    wallet,
};

use super::booking::{Answers, BookingFault, Right, now, rejected};

/// Executes rightly, then leaves out of the log what the fault forgets.
fn forgetting(right: &Right, batch: &[Command], forgets: impl Fn(&Event) -> bool) -> Answers {
    let _turn = right.turn.lock().unwrap();
    let store = right.store();
    let before = right.log().len();
    let answers = store.execute_now(batch);
    let mut log = right.log();
    let fresh = log.split_off(before);
    if fresh.iter().any(|recorded| forgets(&recorded.event)) {
        log.extend(fresh.into_iter().filter(|recorded| !forgets(&recorded.event)));
        right.become_store(right.as_of(log));
    }
    answers
}

#[test]
fn a_payment_that_forgets_the_seat() {
    struct NoSeat;
    impl BookingFault for NoSeat {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            forgetting(right, &batch, |event| matches!(event, Event::Hold(hold::Event::SeatsSold(_))))
        }
    }
    rejected("paying_moves_money_seats_and_payment_in_one_step", || NoSeat);
}

#[test]
fn a_payment_that_forgets_the_debit() {
    struct NoDebit;
    impl BookingFault for NoDebit {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            forgetting(right, &batch, |event| matches!(event, Event::Wallet(wallet::Event::WalletDebited(_))))
        }
    }
    rejected("paying_moves_money_seats_and_payment_in_one_step", || NoDebit);
}

#[test]
fn a_refund_that_forgets_the_seats() {
    struct NoReturn;
    impl BookingFault for NoReturn {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            forgetting(right, &batch, |event| matches!(event, Event::Hold(hold::Event::SeatsReturned(_))))
        }
    }
    rejected("a_refund_returns_money_and_seats_once", || NoReturn);
}

/// Executes command after command, each followed by what the fault does then.
pub(super) fn each(
    right: &Right,
    batch: Vec<Command>,
    then: impl Fn(&Command, &Result<Outcome, Refusal>),
) -> Answers {
    let store = right.store();
    batch
        .into_iter()
        .map(|command| {
            let answer = store.execute_now(std::slice::from_ref(&command))?.remove(0);
            then(&command, &answer);
            Ok(answer)
        })
        .collect()
}

#[test]
fn a_hold_that_keeps_the_seats_it_could_get() {
    struct Partial;
    impl BookingFault for Partial {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            each(right, batch, |command, answer| {
                let Err(Refusal::SeatTaken { seats: taken }) = answer else { return };
                let Command::Hold(hold::Command::Place { ticket, performance, choice, .. }) = command else {
                    return;
                };
                let SeatChoice::Exact(seats) = choice else { return };
                let free: Vec<u32> = seats.iter().filter(|seat| !taken.contains(seat)).copied().collect();
                let rest = hold::Command::Place {
                    reservation: ReservationId::random(),
                    ticket: ticket.clone(),
                    performance: *performance,
                    choice: free.into(),
                };
                right.store().execute_now(&[rest.into()]).unwrap();
            })
        }
    }
    rejected("a_hold_of_several_seats_is_all_or_nothing", || Partial);
}

#[test]
fn a_replay_that_is_executed_again() {
    struct TwiceCharged;
    impl BookingFault for TwiceCharged {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            each(right, batch, |command, answer| {
                let (
                    Ok(Outcome { replayed: true, .. }),
                    Command::Wallet(wallet::Command::Charge { user, amount, .. }),
                ) = (answer, command)
                else {
                    return;
                };
                let again =
                    wallet::Command::Charge { entry: EntryId::random(), user: *user, amount: *amount };
                right.store().execute_now(&[again.into()]).unwrap();
            })
        }
    }
    rejected("the_same_charge_from_eight_threads_is_made_once", || TwiceCharged);
}

#[test]
fn a_replay_that_answers_the_balance_of_now() {
    struct BalanceOfNow;
    impl BookingFault for BalanceOfNow {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            let mut answers = right.store().execute_now(&batch)?;
            for outcome in answers.iter_mut().flatten().filter(|outcome| outcome.replayed) {
                if let Effect::Entry(entry) = &mut outcome.effect
                    && let Some(wallet) = now(right.store().wallet(entry.user))
                {
                    entry.balance_after = wallet.balance;
                }
            }
            Ok(answers)
        }
    }
    rejected("the_same_charge_asked_again_answers_what_it_did_then", || BalanceOfNow);
}

#[test]
fn a_batch_that_one_refusal_ends() {
    struct Aborted;
    impl BookingFault for Aborted {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            let mut refusal = None;
            let decide = |command: &Command| {
                if let Some(refusal) = &refusal {
                    return Ok(Err(Refusal::clone(refusal)));
                }
                let answer = right.store().execute_now(std::slice::from_ref(command))?.remove(0);
                refusal = answer.as_ref().err().cloned();
                Ok(answer)
            };
            batch.iter().map(decide).collect()
        }
    }
    rejected("a_refused_command_does_not_hinder_the_others", || Aborted);
}

#[test]
fn a_batch_that_is_answered_backwards() {
    struct Backwards;
    impl BookingFault for Backwards {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            let mut answers = right.store().execute_now(&batch)?;
            answers.reverse();
            Ok(answers)
        }
    }
    rejected("every_command_of_a_batch_is_answered_in_order", || Backwards);
}

#[test]
fn commands_that_do_not_see_those_before_them() {
    struct Blind;
    impl BookingFault for Blind {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            if batch.len() < 2 {
                let _turn = right.turn.lock().unwrap();
                return right.store().execute_now(&batch);
            }
            let _turn = right.turn.lock().unwrap();
            let (mut log, at) = (right.log(), right.clock().now());
            let mut state = State::new(right.policy());
            for recorded in &log {
                state.evolve(&recorded.event);
            }
            let decide = |command: &Command| {
                let (outcome, events) = state.clone().execute(command, at)?;
                log.extend(events.into_iter().map(|event| RecordedEvent { seq: 0, at, event }));
                Ok(outcome)
            };
            let answers = batch.iter().map(decide).collect();
            right.become_store(right.as_of(log));
            Ok(answers)
        }
    }
    rejected("charges_of_one_wallet_in_a_batch_add_up", || Blind);
}

#[test]
fn a_sweep_that_frees_the_seats_whoever_has_them() {
    struct FreesAll;
    impl BookingFault for FreesAll {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            each(right, batch, |command, answer| {
                let (Command::Hold(hold::Command::Expire(_)), Ok(outcome)) = (command, answer) else {
                    return;
                };
                let Effect::Reservation(swept) = &outcome.effect else { return };
                let owners = right.log().into_iter().rev().filter_map(|recorded| match recorded.event {
                    Event::Hold(hold::Event::SeatsHeld(made)) if made.id != swept.id => Some(made),
                    _ => None,
                });
                let map = now(right.store().seat_map(swept.performance)).unwrap();
                for owner in owners.filter(|owner| owner.performance == swept.performance) {
                    let shared = owner.seats.iter().any(|seat| {
                        let at = usize::try_from(*seat - 1).unwrap();
                        swept.seats.contains(seat) && map.seats[at] == SeatStatus::Held
                    });
                    if shared {
                        let release = hold::Command::Release { reservation: owner.id, user: owner.user };
                        right.store().execute_now(&[release.into()]).unwrap().clear();
                    }
                }
            })
        }
    }
    rejected("sweeping_after_a_takeover_frees_nobody_elses_seat", || FreesAll);
}

#[test]
fn a_payment_with_any_ticket_of_the_user() {
    struct AnyTicket;
    impl BookingFault for AnyTicket {
        fn execute(&self, right: &Right, mut batch: Vec<Command>) -> Answers {
            for command in &mut batch {
                if let Command::Payment(payment::Command::Pay { reservation, ticket }) = command
                    && let Some(made) = now(right.store().reservation(ticket.user, *reservation))
                {
                    *ticket = made.ticket;
                }
            }
            right.store().execute_now(&batch)
        }
    }
    rejected("only_the_ticket_that_made_a_reservation_pays_it", || AnyTicket);
}
