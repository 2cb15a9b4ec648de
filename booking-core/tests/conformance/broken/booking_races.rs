//! Faults that show only when several threads, or time, come between.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use booking_core::{
    Clock, Command, Effect, Event, Outcome, RecordedEvent, Refusal, State, Timestamp,
    hold::{self, SeatChoice, SeatStatus},
    store::BookingStore,
};

use super::{
    Window,
    booking::{Answers, BookingFault, Right, now, rejected, rejected_at, with_fault_and_clock},
};

#[test]
fn a_store_without_a_lock() {
    /// Who comes while others are inside decides on a copy of before, and writes that back.
    #[derive(Default)]
    struct NoLock {
        inside: AtomicUsize,
        copies: AtomicUsize,
        window: Window,
    }
    impl BookingFault for NoLock {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            let alone = self.inside.fetch_add(1, Ordering::SeqCst) == 0;
            // Not each time, because a copy of a long log takes long.
            let answers = if alone || !self.copies.fetch_add(1, Ordering::SeqCst).is_multiple_of(3) {
                self.window.stay();
                right.store().execute_now(&batch)
            } else {
                let copy = right.as_of(right.log());
                self.window.stay();
                let answers = copy.execute_now(&batch);
                right.become_store(copy);
                answers
            };
            self.window.leave();
            self.inside.fetch_sub(1, Ordering::SeqCst);
            answers
        }
    }
    rejected("concurrent_charges_add_up", NoLock::default);
}

#[test]
fn seats_that_are_looked_at_first_and_taken_later() {
    /// Reads whether the seats are free, and writes the hold whatever happened meanwhile.
    #[derive(Default)]
    struct ReadThenInsert(Window);
    impl BookingFault for ReadThenInsert {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            let [Command::Hold(hold::Command::Place { performance, choice: SeatChoice::Exact(seats), .. })] =
                &batch[..]
            else {
                return right.store().execute_now(&batch);
            };
            let were_free = now(right.store().seat_map(*performance)).is_some_and(|map| {
                let status = |seat: u32| map.seats.get(usize::try_from(seat).unwrap().wrapping_sub(1));
                seats.iter().all(|seat| status(*seat) == Some(&SeatStatus::Available))
            });
            self.0.stay();
            let answers = right.store().execute_now(&batch)?;
            self.0.leave();
            if !were_free || !matches!(answers[0], Err(Refusal::SeatTaken { .. })) {
                return Ok(answers);
            }
            let (mut log, at) = (right.log(), right.clock().now());
            let mut blind = State::new(right.policy());
            let not_a_seat = |event: &Event| !matches!(event, Event::Hold(_));
            log.iter().filter(|past| not_a_seat(&past.event)).for_each(|past| blind.evolve(&past.event));
            let (outcome, events) = blind.execute(&batch[0], at).expect("no seat is taken in that state");
            log.extend(events.into_iter().map(|event| RecordedEvent { seq: 0, at, event }));
            right.become_store(right.as_of(log));
            Ok(vec![Ok(outcome)])
        }
    }
    rejected("of_eight_threads_on_one_seat_exactly_one_wins", ReadThenInsert::default);
}

#[test]
fn best_seats_that_are_chosen_first_and_held_later() {
    /// Looks which seats are the best, and then holds those, whatever happened meanwhile.
    #[derive(Default)]
    struct ChooseThenHold(Window);
    impl BookingFault for ChooseThenHold {
        fn execute(&self, right: &Right, mut batch: Vec<Command>) -> Answers {
            let looked = right.as_of(right.log()).execute_now(&batch)?;
            for (command, answer) in batch.iter_mut().zip(looked) {
                if let Command::Hold(hold::Command::Place { choice: choice @ SeatChoice::Best(_), .. }) =
                    command
                    && let Ok(Outcome { effect: Effect::Reservation(made), .. }) = answer
                {
                    *choice = SeatChoice::Exact(made.seats.to_vec());
                }
            }
            self.0.stay();
            let answers = right.store().execute_now(&batch);
            self.0.leave();
            answers
        }
    }
    rejected("the_best_seats_asked_for_by_eight_threads_are_all_different", ChooseThenHold::default);
}

struct NoFault;
impl BookingFault for NoFault {}

#[test]
fn a_clock_that_stands_still() {
    rejected_at("instants_come_from_the_clock_of_the_store", &|policy| {
        with_fault_and_clock(policy, NoFault, |clock| {
            let start = clock.now();
            Arc::new(move || start)
        })
    });
}

#[test]
fn a_clock_that_counts_in_milliseconds() {
    rejected_at("a_hold_is_alive_until_the_very_instant_it_ends", &|policy| {
        with_fault_and_clock(policy, NoFault, |clock| {
            Arc::new(move || Timestamp::from_micros(clock.now().micros() / 1_000 * 1_000))
        })
    });
}

thread_local! {
    /// The instant this thread read before it waited.
    static READ_BEFORE: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

#[test]
fn a_clock_that_is_read_before_the_lock() {
    #[derive(Default)]
    struct ReadBefore(Window);
    impl BookingFault for ReadBefore {
        fn execute(&self, right: &Right, batch: Vec<Command>) -> Answers {
            READ_BEFORE.set(Some(right.clock().now()));
            self.0.stay();
            let answers = right.store().execute_now(&batch);
            self.0.leave();
            READ_BEFORE.set(None);
            answers
        }
    }
    rejected_at("a_ledger_never_goes_back_in_time", &|policy| {
        with_fault_and_clock(policy, ReadBefore::default(), |clock| {
            Arc::new(move || READ_BEFORE.get().unwrap_or_else(|| clock.now()))
        })
    });
}

#[test]
fn a_clock_that_is_read_now_and_then() {
    rejected_at("instants_come_from_the_clock_of_the_store", &|policy| {
        with_fault_and_clock(policy, NoFault, |clock| {
            let (reads, kept) = (AtomicUsize::new(0), AtomicI64::new(0));
            Arc::new(move || {
                if reads.fetch_add(1, Ordering::SeqCst) % 4 == 0 {
                    kept.store(clock.now().micros(), Ordering::SeqCst);
                }
                Timestamp::from_micros(kept.load(Ordering::SeqCst))
            })
        })
    });
}
