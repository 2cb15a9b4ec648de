use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use tokio::time::timeout;

/// What the future leads to, if it does within that time. What is there at once, as most things are, costs no timer. It is
/// pinned by the caller, because moving it here would cost more than waiting for it.
pub(crate) async fn in_time<F: Future>(within: Duration, mut future: Pin<&mut F>) -> Option<F::Output> {
    match poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
        Poll::Ready(done) => Some(done),
        Poll::Pending => timeout(within, future).await.ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        pin::pin,
    };

    use tokio::{task::yield_now, time::Instant};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_time_is_had_and_what_does_not_is_given_up() {
        let (began, second) = (Instant::now(), Duration::from_secs(1));
        assert_eq!(in_time(second, pin!(ready(7))).await, Some(7));
        assert_eq!(in_time(second, pin!(yield_now())).await, Some(()));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(in_time(second, pin!(pending::<()>())).await, None);
        assert!((second..second * 2).contains(&began.elapsed()));
    }
}
