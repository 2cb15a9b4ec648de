//! How many requests were sent, how long they took, and what was refused.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use booking_api::{Code, client::ClientError};
use tokio::sync::Semaphore;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `POST /v1/users`.
    SignUp,
    /// `POST /v1/queue/tokens`.
    Enter,
    /// `GET /v1/queue/status`.
    Status,
    /// `DELETE /v1/queue/tokens`.
    Leave,
    /// `GET /v1/concerts/{id}/performances`.
    Dates,
    /// `GET /v1/performances/{id}/seats`.
    Seats,
    /// `POST /v1/reservations`.
    Hold,
    /// `POST /v1/wallet/charges`.
    Charge,
    /// `POST /v1/payments`.
    Pay,
    /// Reading wallet, payments and reservations afterwards.
    Check,
}

/// Counts for all people together, and bounds how many requests are in flight, and with them the sockets in use.
#[derive(Debug)]
pub struct Meter {
    in_flight: Semaphore,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    latencies: BTreeMap<Call, Vec<Duration>>,
    refused: BTreeMap<Code, u64>,
}

impl Meter {
    /// A meter that lets so many requests be in flight at once.
    pub fn new(most_in_flight: usize) -> Self {
        Self { in_flight: Semaphore::new(most_in_flight.max(1)), noted: Mutex::default() }
    }

    /// Sends a request when there is room, and notes how it went.
    pub async fn call<T>(
        &self,
        call: Call,
        request: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        // The semaphore is never closed, so there always is a permit.
        let _permit = self.in_flight.acquire().await.ok();
        let sent = Instant::now();
        let answer = request.await;
        let latency = sent.elapsed();
        let mut noted = self.noted();
        noted.latencies.entry(call).or_default().push(latency);
        if let Some(problem) = answer.as_ref().err().and_then(ClientError::problem) {
            *noted.refused.entry(problem.code).or_default() += 1;
        }
        answer
    }

    /// How many requests were answered, or lost.
    pub fn requests(&self) -> usize {
        self.noted().latencies.values().map(Vec::len).sum()
    }

    /// How often this refusal was met.
    pub fn refused(&self, code: Code) -> u64 {
        self.noted().refused.get(&code).copied().unwrap_or(0)
    }

    /// The latency that so many percent of these calls stay within; none if there were none.
    pub fn percentile(&self, call: Call, percent: usize) -> Option<Duration> {
        let mut latencies = self.noted().latencies.get(&call)?.clone();
        latencies.sort_unstable();
        let rank = (latencies.len() * percent).div_ceil(100).max(1);
        latencies.get(rank - 1).copied()
    }

    /// A person who panicked while counting took no count away.
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A latency for people: `3.2 ms`.
pub fn millis(latency: Option<Duration>) -> String {
    latency.map_or_else(|| "-".into(), |latency| format!("{:.1} ms", latency.as_secs_f64() * 1_000.0))
}

#[cfg(test)]
mod tests {
    use booking_api::Problem;

    use super::*;

    #[test]
    fn the_percentile_is_the_latency_that_so_many_stay_within() {
        let meter = Meter::new(1);
        assert_eq!(meter.percentile(Call::Hold, 50), None);
        let latencies = (1..=200).rev().map(Duration::from_millis).collect();
        meter.noted().latencies.insert(Call::Hold, latencies);
        let found = [1, 50, 99, 100].map(|percent| meter.percentile(Call::Hold, percent));
        assert_eq!(found, [2, 100, 198, 200].map(|ms| Some(Duration::from_millis(ms))));
        assert_eq!(meter.requests(), 200);
        assert_eq!(millis(found[1]), "100.0 ms");
    }

    #[tokio::test]
    async fn refusals_are_counted_by_their_code() {
        let meter = Meter::new(1);
        let refusal = || async {
            Err::<(), _>(ClientError::Problem(Box::new(Problem::new(Code::SeatTaken, "taken: seat 17"))))
        };
        for _ in 0..3 {
            assert!(meter.call(Call::Hold, refusal()).await.is_err());
        }
        assert_eq!((meter.refused(Code::SeatTaken), meter.refused(Code::SoldOut)), (3, 0));
        assert_eq!(meter.requests(), 3);
    }
}
