//! Every interleaving of the hand-off between askers and the worker:
//! `RUSTFLAGS="--cfg booking_loom" cargo test -p booking-core --test loom_batcher --release --target-dir target-loom`
#![cfg(booking_loom)]
#![allow(missing_docs)]

use std::sync::Arc;

use booking_core::{
    StoreError,
    batcher::{Batcher, Limits},
};
use loom::{
    future::block_on,
    thread::{self, JoinHandle},
};

type Doubling = Batcher<u32, u32>;
type Answer = Result<u32, StoreError>;

fn batcher(queued: usize) -> Arc<Doubling> {
    Arc::new(Batcher::new(Limits { queued, batch: 8 }))
}

/// Runs every interleaving with at most three switches of threads that could have gone on: more threads times more
/// switches does not end in a day, and what is lost by a hand-off is lost with fewer.
fn every_interleaving(of: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(of);
}

fn ask(batcher: &Arc<Doubling>, work: u32) -> JoinHandle<Answer> {
    let batcher = Arc::clone(batcher);
    thread::spawn(move || block_on(batcher.submit(work, 1)))
}

/// Takes one batch and answers it; how many jobs it did.
fn work_once(batcher: &Doubling) -> usize {
    let jobs = block_on(batcher.next()).unwrap_or_default();
    let done = jobs.len();
    for job in jobs {
        job.reply.send(Ok(job.work * 2));
    }
    done
}

fn refused_untouched(answer: &Answer) -> bool {
    answer.as_ref().is_err_and(|error| error.retryable() && !error.may_have_applied())
}

/// Two ask, and one works until both are answered.
fn two_are_answered_by(work: fn(&Doubling) -> usize) {
    every_interleaving(move || {
        let batcher = batcher(8);
        let askers = [ask(&batcher, 1), ask(&batcher, 2)];
        let mut done = 0;
        while done < 2 {
            done += work(&batcher);
        }
        let answers = askers.map(|asker| asker.join().expect("no panic"));
        assert_eq!((done, answers), (2, [Ok(2), Ok(4)]));
    });
}

#[test]
fn two_askers_each_get_their_own_answer() {
    two_are_answered_by(work_once);
}

/// The worker may come, wait and be woken at any moment; what it waited for is still there to be taken.
#[test]
fn who_waits_for_an_arrival_is_woken_by_it_and_takes_nothing() {
    two_are_answered_by(|batcher| {
        block_on(batcher.arrival());
        work_once(batcher)
    });
}

#[test]
fn who_waits_for_an_arrival_is_woken_by_the_end_too() {
    every_interleaving(|| {
        let batcher = batcher(8);
        let closer = thread::spawn({
            let batcher = Arc::clone(&batcher);
            move || batcher.close()
        });
        block_on(batcher.arrival());
        closer.join().unwrap();
        assert_eq!(work_once(&batcher), 0);
    });
}

#[test]
fn a_full_queue_refuses_and_loses_nothing() {
    every_interleaving(|| {
        let batcher = batcher(1);
        let asker = ask(&batcher, 1);
        let (first, second) = (batcher.submit(2, 1), batcher.submit(3, 1));
        batcher.close();
        while work_once(&batcher) > 0 {}
        let answers = [block_on(first), block_on(second), asker.join().unwrap()];
        for (work, answer) in [2, 3, 1].into_iter().zip(&answers) {
            assert!(*answer == Ok(work * 2) || refused_untouched(answer), "{answers:?}");
        }
        assert!(answers.iter().any(Result::is_ok), "{answers:?}");
    });
}

#[test]
fn closing_while_one_asks_answers_it_one_way_or_the_other() {
    every_interleaving(|| {
        let batcher = batcher(8);
        let asker = ask(&batcher, 4);
        let closer = Arc::clone(&batcher);
        let closer = thread::spawn(move || closer.close());
        let done = work_once(&batcher);
        closer.join().unwrap();
        let answer = asker.join().unwrap();
        assert!((done, &answer) == (1, &Ok(8)) || (done == 0 && refused_untouched(&answer)), "{answer:?}");
    });
}

#[test]
fn a_worker_that_dies_leaves_nobody_waiting() {
    every_interleaving(|| {
        let batcher = batcher(8);
        let askers = [ask(&batcher, 1), ask(&batcher, 2)];
        // It dies over a batch, and what came later is abandoned.
        let attended = batcher.attend();
        drop(block_on(attended.next()));
        drop(attended);
        let errors = askers.map(|asker| asker.join().unwrap().unwrap_err());
        assert!(errors.iter().any(StoreError::may_have_applied), "{errors:?}");
    });
}

#[test]
fn an_asker_that_goes_away_hinders_nobody() {
    every_interleaving(|| {
        let batcher = batcher(8);
        let asker = {
            let batcher = Arc::clone(&batcher);
            thread::spawn(move || {
                drop(batcher.submit(1, 1));
                let answer = block_on(batcher.submit(2, 1));
                batcher.close();
                answer
            })
        };
        while work_once(&batcher) > 0 {}
        assert_eq!(asker.join().unwrap(), Ok(4));
    });
}
