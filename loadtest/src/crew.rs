//! The connections: goose users that take requests from one line and carry them out. Each plays many people, so that
//! tens of thousands of people need no more sockets than there are connections.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use booking_api::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use goose::{
    GooseAttack, GooseError,
    config::GooseConfiguration,
    goose::{
        GooseMethod, GooseRequest, GooseUser, Scenario, Transaction, TransactionFunction, TransactionResult,
    },
    metrics::GooseMetrics,
};
use reqwest::header::CONTENT_TYPE;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    hear::{Reply, hear},
    history::{Act, Heard, Micros, Seen},
};

/// How long an answer may take; after that its outcome is unknown.
const PATIENCE_SECONDS: u64 = 30;
/// How far back the latest hold is looked for.
const RECENT: usize = 10_000;

/// A request that somebody wants sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it asks.
    pub act: Act,
    /// The method.
    pub method: GooseMethod,
    /// The path.
    pub path: String,
    /// The bearer token.
    pub token: Option<Arc<str>>,
    /// The life of the lane that the token belongs to; 0 for other tokens.
    pub epoch: u64,
    /// The idempotency key.
    pub key: Option<String>,
    /// The body, in JSON.
    pub body: Option<Vec<u8>>,
}

struct Job {
    person: u32,
    due: Instant,
    call: Call,
    answer: oneshot::Sender<Answer>,
}

/// What somebody gets back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was heard.
    pub heard: Heard,
    /// The body, for what the history does not keep.
    pub body: Vec<u8>,
    /// When all of it was there.
    pub at: Instant,
}

/// Where people hand their requests in. When the last clone is dropped, the connections end.
#[derive(Clone)]
pub struct Desk(flume::Sender<Job>);

/// The line of requests, the servers they go to in turn, and the record of all that was heard.
pub struct Crew {
    jobs: flume::Receiver<Job>,
    hosts: Vec<String>,
    next_host: AtomicUsize,
    began: Instant,
    seen: Mutex<Vec<Seen>>,
}

impl Desk {
    /// Sends a request and waits for its answer. `due` is when it was to be sent, which may be a moment ago.
    pub async fn ask(&self, person: u32, due: Instant, call: Call) -> Answer {
        let lost = || Answer { heard: Heard::Unknown("the run ended"), body: Vec::new(), at: Instant::now() };
        let (answer, heard) = oneshot::channel();
        if self.0.send(Job { person, due, call, answer }).is_err() {
            return lost();
        }
        heard.await.unwrap_or_else(|_| lost())
    }
}

impl Crew {
    /// A crew for these servers.
    pub fn new(hosts: Vec<String>, began: Instant) -> (Arc<Self>, Desk) {
        let (sender, jobs) = flume::unbounded();
        let crew = Self { jobs, hosts, next_host: AtomicUsize::new(0), began, seen: Mutex::default() };
        (Arc::new(crew), Desk(sender))
    }

    /// Works with so many connections to each server until the desk is gone. Goose's own report goes to `report`.
    pub async fn work(
        self: Arc<Self>,
        connections: usize,
        report: &Path,
    ) -> Result<GooseMetrics, GooseError> {
        let first = self.hosts.first().cloned().unwrap_or_default();
        let (users, report) = (connections.to_string(), report.display().to_string());
        let configuration = GooseConfiguration::parse_args_default(&[
            "--host",
            &first,
            "--users",
            &users,
            "--increase-rate",
            &users,
            "--iterations",
            "1",
            "--timeout",
            &PATIENCE_SECONDS.to_string(),
            "--report-file",
            &report,
            "--no-gzip",
            "--no-telnet",
            "--no-print-metrics",
            "--no-error-summary",
            "--no-transaction-metrics",
            "--no-scenario-metrics",
            "--quiet",
            "--quiet",
        ])?;
        let connection: TransactionFunction = Arc::new(move |user| {
            let crew = Arc::clone(&self);
            Box::pin(async move {
                while let Ok(job) = crew.jobs.recv_async().await {
                    crew.carry_out(user, job).await?;
                }
                Ok(())
            })
        });
        let scenario = Scenario::new("people").register_transaction(Transaction::new(connection));
        let attack = GooseAttack::initialize_with_config(configuration)?.register_scenario(scenario);
        Box::pin(attack.execute()).await
    }

    async fn carry_out(&self, user: &mut GooseUser, job: Job) -> TransactionResult {
        let Job { person, due, call, answer } = job;
        let host = self.next_host.fetch_add(1, Ordering::Relaxed) % self.hosts.len();
        let Call { act, method, path, token, epoch, key, body } = call;
        let mut request = user.get_request_builder(&method, &format!("{}{path}", self.hosts[host]))?;
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let request =
            GooseRequest::builder().method(method).name(act.name()).set_request_builder(request).build();
        let sent = Instant::now();
        let mut response = user.request(request).await?;
        let (heard, body) = match response.response {
            Ok(response) => read(&act, epoch, response).await,
            Err(error) if error.is_connect() => (Heard::Unknown("no connection"), Vec::new()),
            Err(error) if error.is_timeout() => (Heard::Unknown("no answer in time"), Vec::new()),
            Err(_) => (Heard::Unknown("the connection was lost"), Vec::new()),
        };
        let at = Instant::now();
        let seen = Seen {
            person,
            host,
            due: self.since_began(due.min(sent)),
            sent: self.since_began(sent),
            answered: self.since_began(at),
            act,
            heard: heard.clone(),
        };
        // A rule that says no is an answer like any other; only the machinery's failures are goose's failures.
        if !seen.is_error() {
            user.set_success(&mut response.request)?;
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        answer.send(Answer { heard, body, at }).ok();
        Ok(())
    }

    /// An instant in the time of the history.
    pub fn since_began(&self, at: Instant) -> Micros {
        Micros::try_from(at.saturating_duration_since(self.began).as_micros()).unwrap_or(Micros::MAX)
    }

    /// The reservation that was acknowledged last.
    pub fn latest_hold(&self) -> Option<Uuid> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().rev().take(RECENT).find_map(Seen::held).map(|held| held.reservation)
    }

    /// How many requests were answered so far.
    pub fn answered(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// All that was heard, in the order of the answers.
    pub fn take_history(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn read(act: &Act, epoch: u64, response: reqwest::Response) -> (Heard, Vec<u8>) {
    let status = response.status().as_u16();
    let replayed = response.headers().contains_key(IDEMPOTENCY_REPLAYED);
    match response.bytes().await {
        Ok(body) => {
            let reply = Reply { status, replayed, body: body.into() };
            (hear(act, epoch, &reply), reply.body)
        }
        Err(_) => (Heard::Unknown("the answer was cut"), Vec::new()),
    }
}
