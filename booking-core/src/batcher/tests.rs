use std::{future::Future, pin::pin, sync::Arc, task::Context, thread};

use pollster::block_on;

use super::{Answering, Batcher, Limits};
use crate::error::StoreError;

fn batcher(queued: usize, batch: usize) -> Batcher<u32, u32> {
    Batcher::new(Limits { queued, batch })
}

/// What the worker would take now, without waiting.
fn taken(batcher: &Batcher<u32, u32>) -> Option<Vec<u32>> {
    let mut next = pin!(batcher.next());
    let mut context = Context::from_waker(std::task::Waker::noop());
    match next.as_mut().poll(&mut context) {
        std::task::Poll::Ready(jobs) => jobs.map(|jobs| jobs.into_iter().map(|job| job.work).collect()),
        std::task::Poll::Pending => Some(Vec::new()),
    }
}

fn answer_of(answering: Answering<u32>) -> Result<u32, StoreError> {
    block_on(answering)
}

#[test]
fn what_queued_up_is_taken_at_once_and_in_order() {
    let batcher = batcher(100, 100);
    let asked = [7, 8, 9].map(|work| batcher.submit(work, 1));
    let jobs = block_on(batcher.next()).unwrap();
    assert_eq!(jobs.iter().map(|job| job.work).collect::<Vec<_>>(), [7, 8, 9]);
    for job in jobs {
        job.reply.send(Ok(job.work * 10));
    }
    assert_eq!(asked.map(|answering| answer_of(answering).unwrap()), [70, 80, 90]);
    assert_eq!(taken(&batcher), Some(vec![]), "nothing is handed out twice");
}

#[test]
fn a_batch_is_bounded_but_a_big_job_is_kept_together() {
    let batcher = batcher(100, 4);
    let _asked = [(1, 2), (2, 2), (3, 1), (4, 50), (5, 1)].map(|(work, size)| batcher.submit(work, size));
    let batches: Vec<_> = (0..4).map(|_| taken(&batcher).unwrap()).collect();
    assert_eq!(batches, [vec![1, 2], vec![3], vec![4], vec![5]]);
}

#[test]
fn the_size_of_every_batch_is_counted_under_the_bound_it_fits() {
    let batcher = batcher(10_000, 10_000);
    for size in [1, 3, 4, 1_025] {
        let _asked: Vec<_> = (0..size).map(|work| batcher.submit(work, 1)).collect();
        taken(&batcher);
    }
    assert_eq!(taken(&batcher), Some(vec![]), "an empty queue is no batch");
    let sizes = batcher.sizes();
    let counted: Vec<_> = sizes.batches().filter(|(_, batches)| *batches > 0).collect();
    assert_eq!(counted, [(Some(1), 1), (Some(4), 2), (None, 1)]);
    assert_eq!(sizes.jobs(), 1 + 3 + 4 + 1_025);
}

#[test]
fn a_full_queue_refuses_at_once_and_a_taken_batch_makes_room() {
    let batcher = batcher(3, 10);
    let _first = batcher.submit(1, 2);
    let refused = answer_of(batcher.submit(2, 2)).unwrap_err();
    assert!(refused.retryable() && !refused.may_have_applied(), "{refused}");
    assert_eq!(refused.to_string(), "the queue of the store is full: 2 commands wait");
    let _second = batcher.submit(3, 1);
    assert_eq!(taken(&batcher), Some(vec![1, 3]));
    let _big = batcher.submit(4, 1_000);
    assert_eq!(taken(&batcher), Some(vec![4]), "a job alone always fits");
}

#[test]
fn a_job_that_was_dropped_unanswered_may_have_applied() {
    let batcher = batcher(10, 10);
    let answering = batcher.submit(1, 1);
    drop(block_on(batcher.next()));
    let lost = answer_of(answering).unwrap_err();
    assert!(lost.may_have_applied() && lost.retryable());
}

#[test]
fn a_job_nobody_waits_for_any_more_is_not_handed_out() {
    let batcher = batcher(10, 10);
    drop(batcher.submit(1, 1));
    let _kept = batcher.submit(2, 1);
    assert_eq!(taken(&batcher), Some(vec![2]));
}

#[test]
fn workers_that_share_their_callers_take_half_each() {
    let batcher = batcher(1_000, 1_000);
    let share = |others| block_on(batcher.next_share(others)).unwrap().len();
    let ask = |many| (0..many).map(|work| batcher.submit(work, 1)).collect::<Vec<_>>();
    let _asked = ask(64);
    assert_eq!(share(0), 32, "the other half is left to the other worker");
    assert_eq!(share(32), 32);
    let _asked = ask(62);
    assert_eq!((share(2), share(32)), (32, 30), "unequal ones are equal the next time");
    let _asked = ask(31);
    assert_eq!(share(0), 31, "a few are not worth splitting");
}

#[test]
fn a_closed_queue_is_emptied_and_then_ends() {
    let batcher = batcher(10, 10);
    let _waiting = batcher.submit(1, 1);
    assert!(!batcher.is_closed());
    batcher.close();
    assert!(batcher.is_closed());
    assert!(!answer_of(batcher.submit(2, 1)).unwrap_err().may_have_applied());
    assert_eq!((taken(&batcher), taken(&batcher)), (Some(vec![1]), None));
}

#[test]
fn an_abandoned_queue_answers_what_waits() {
    let batcher = Arc::new(batcher(10, 10));
    let waiting = batcher.submit(1, 1);
    drop(batcher.attend());
    assert!(!answer_of(waiting).unwrap_err().may_have_applied());
    assert_eq!(taken(&batcher), None);
}

#[test]
fn askers_in_many_threads_each_get_their_own_answer() {
    let batcher = Arc::new(batcher(10_000, 16));
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut batches = 0;
            while let Some(jobs) = block_on(batcher.next()) {
                assert!((1..=16).contains(&jobs.len()));
                batches += 1;
                for job in jobs {
                    job.reply.send(Ok(job.work + 1));
                }
            }
            batches
        });
        let askers: Vec<_> = (0..4)
            .map(|asker| {
                let batcher = &batcher;
                scope.spawn(move || {
                    for n in 0..500 {
                        let work = asker * 1_000 + n;
                        assert_eq!(block_on(batcher.submit(work, 1)), Ok(work + 1));
                    }
                })
            })
            .collect();
        for asker in askers {
            asker.join().unwrap();
        }
        batcher.close();
        assert!(worker.join().unwrap() <= 2_000);
    });
}

#[test]
fn who_was_answered_may_come_again_before_the_next_batch() {
    let batcher = batcher(100, 100);
    let asked = std::cell::RefCell::new(Vec::new());
    let pauses = std::cell::Cell::new(0);
    let submit = |upto: u32| asked.borrow_mut().extend((0..upto).map(|work| batcher.submit(work, 1)));
    // One comes in each of the first five pauses, then nobody.
    let pause = async || {
        pauses.set(pauses.get() + 1);
        submit(u32::from(pauses.get() <= 5));
    };
    let settled = |expected| {
        pauses.set(0);
        batcher.expect(expected);
        block_on(batcher.settle(pause));
        pauses.get()
    };
    let _alone = batcher.submit(9, 1);
    block_on(batcher.settle(pause));
    assert_eq!(pauses.get(), 0, "nobody was answered");
    assert_eq!(settled(3), 3, "all who were answered are there");
    assert_eq!(settled(100), 5 + 8, "nobody comes any more");
    block_on(batcher.settle(pause));
    assert_eq!(pauses.get(), 5 + 8, "who did not come is not expected any longer");
    pauses.set(5);
    batcher.expect(2);
    batcher.expect(1);
    submit(3);
    block_on(batcher.settle(pause));
    assert_eq!(pauses.get(), 5, "all of them had come by themselves");
    assert_eq!(taken(&batcher).map(|jobs| jobs.len()), Some(1 + 3 + 5 + 3));
}
