use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

/// A future on its way, or what it answered.
enum Course<F: Future> {
    Running(F),
    Done(F::Output),
}

impl<F: Future + Unpin> Course<F> {
    /// Goes on with it; whether it is done.
    fn go_on(&mut self, context: &mut Context<'_>) -> bool {
        if let Self::Running(future) = self
            && let Poll::Ready(answer) = Pin::new(future).poll(context)
        {
            *self = Self::Done(answer);
        }
        matches!(self, Self::Done(_))
    }
}

/// Runs all futures to their ends, each going on while others wait; their answers, in the order they were given. One that
/// wakes has all that are not done asked, which is little for some hundred calls of a store.
pub(super) async fn together<F: Future + Unpin>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut courses: Vec<Course<F>> = futures.map(Course::Running).collect();
    poll_fn(|context| {
        let running = courses.iter_mut().map(|course| course.go_on(context)).filter(|done| !done).count();
        if running == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let answer = |course| match course {
        Course::Running(_) => None,
        Course::Done(answer) => Some(answer),
    };
    courses.into_iter().filter_map(answer).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use pollster::block_on;

    use super::*;

    #[test]
    fn futures_that_wait_for_each_other_all_end_and_answer_in_their_order() {
        let (turn, asked) = (Cell::new(9), Cell::new(0));
        let each = (0..10).map(|number| {
            let turn = &turn;
            let asked = &asked;
            poll_fn(move |context| {
                asked.set(asked.get() + 1);
                context.waker().wake_by_ref();
                if turn.get() != number {
                    return Poll::Pending;
                }
                turn.set(number - 1);
                Poll::Ready(number)
            })
        });
        assert_eq!(block_on(together(each)), (0..10).collect::<Vec<i32>>());
        assert_eq!(asked.get(), (1..=10).sum::<i32>(), "who is done is not asked again");
    }

    #[test]
    fn of_no_futures_there_are_no_answers() {
        assert_eq!(block_on(together(std::iter::empty::<std::future::Ready<()>>())), []);
    }
}
