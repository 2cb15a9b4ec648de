use async_trait::async_trait;
use booking_core::{
    EndReason, Epoch, Error, LaneName, Refusal, StoreError, Ticket, Timestamp,
    catalog::LaneSettings,
    id::UserId,
    queue::{Advanced, Entered, LaneSnapshot, MOST_AT_ONCE, Place},
    store::QueueStore,
};
use uuid::Uuid;

use crate::{
    address::Address,
    config::{self, ConnectError, RedisConfig},
    link::Link,
    reply::{number_of, refusal},
    scripts::Scripts,
    seen::Seen,
};

/// How many admissions one script ends and makes at most beside what it was called for: the work of a call is bounded,
/// and `advance` goes on where others stopped.
const STEP: u64 = 100;
/// The same for a script that does nothing else, some milliseconds of Redis' time.
const LONG_STEP: u64 = 1_000;
/// How many departures one snapshot tells; who is further behind asks again from the cursor.
const MOST_DEPARTURES: u64 = 10_000;

/// Lanes in Redis.
pub struct RedisQueue {
    pub(crate) link: Link,
    pub(crate) scripts: Scripts,
    pub(crate) seen: Seen,
    prefix: String,
}

impl RedisQueue {
    /// Opens the store. What is lost later, the connection or Redis itself, comes back by itself.
    pub async fn connect(config: &RedisConfig) -> Result<Self, ConnectError> {
        let address = Address::read(&config.url)?;
        let (prefix, is_cluster) = (address.prefix.clone(), address.is_cluster);
        let link = Link::open(address).await?;
        config::check(&link, is_cluster).await?;
        let scripts = Scripts::new(config.told_time);
        Ok(Self { link, scripts, seen: Seen::default(), prefix })
    }

    /// The name of a lane in Redis; the braces keep all its keys together in a cluster.
    pub(crate) fn key(&self, lane: &LaneName) -> String {
        format!("{}:{{{lane}}}", self.prefix)
    }

    /// An epoch for a lane that is made: later ones are greater, so that one that comes back from an old copy is known
    /// for what it is.
    fn new_epoch(&self, lane: &LaneName) -> Epoch {
        let (time, chance) = (Uuid::now_v7().as_u128() >> 80, Uuid::new_v4().as_u128());
        let made = u64::try_from(time << 20 | chance & 0xF_FFFF).unwrap_or(u64::MAX);
        let seen = self.seen.of(lane).epoch.map_or(0, |epoch| epoch.0);
        Epoch(made.max(seen.saturating_add(1)))
    }
}

/// Why the lane admits nobody.
fn shut(settings: &LaneSettings) -> &'static str {
    if settings.closed {
        "closed"
    } else if settings.sold_out {
        "sold_out"
    } else if settings.paused {
        "paused"
    } else {
        ""
    }
}

/// What ends every ticket when these settings arrive.
fn drains(settings: &LaneSettings) -> usize {
    if settings.closed {
        number_of(EndReason::Closed)
    } else if settings.sold_out {
        number_of(EndReason::SoldOut)
    } else {
        0
    }
}

fn text_of(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

#[async_trait]
impl QueueStore for RedisQueue {
    async fn enter(&self, lane: &LaneName, user: UserId) -> Result<Entered, Error> {
        let call = self.call(&self.scripts.enter, lane).arg(STEP).arg(user.0.as_bytes().as_slice());
        let mut reply = call.run(true).await?.ok_or(Refusal::UnknownLane)?;
        if reply.word != "entered" {
            return Err(refusal(&reply.word)?.into());
        }
        let (seq, replayed) = (reply.count("a number")?, reply.count("a mark")? == 1);
        let word = reply.text("a place")?;
        let place = reply.place(&word, seq)??;
        Ok(Entered { ticket: Ticket { lane: lane.clone(), epoch: reply.epoch, seq, user }, place, replayed })
    }

    async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        let call = self.call(&self.scripts.place, &ticket.lane).ticket(ticket);
        let mut reply = call.run(false).await?.ok_or(Refusal::QueueReset)?;
        let word = std::mem::take(&mut reply.word);
        Ok(reply.place(&word, ticket.seq)??)
    }

    async fn claim(&self, ticket: &Ticket) -> Result<Timestamp, Error> {
        let call = self.call(&self.scripts.claim, &ticket.lane).arg(STEP).ticket(ticket);
        let mut reply = call.run(true).await?.ok_or(Refusal::QueueReset)?;
        let word = std::mem::take(&mut reply.word);
        match reply.place(&word, ticket.seq)?? {
            Place::Admitted { until, .. } => Ok(until),
            Place::Waiting { rank, poll_after, .. } => {
                Err(Refusal::NotYourTurn { rank, retry_after: poll_after }.into())
            }
            Place::Done(reason) => Err(Refusal::TicketOver(reason).into()),
        }
    }

    async fn finish(&self, ticket: &Ticket, reason: EndReason) -> Result<(), StoreError> {
        let call = self.call(&self.scripts.finish, &ticket.lane).arg(STEP).ticket(ticket);
        call.arg(number_of(reason)).run(true).await.map(drop)
    }

    async fn advance(&self, lane: &LaneName) -> Result<Advanced, Error> {
        let mut advanced = Advanced::default();
        loop {
            let call = self.call(&self.scripts.advance, lane).arg(LONG_STEP);
            let mut reply = call.run(true).await?.ok_or(Refusal::UnknownLane)?;
            let (admitted, ended) = (reply.count("admissions")?, reply.count("endings")?);
            advanced.admitted += admitted;
            advanced.ended += ended;
            let is_done = admitted < LONG_STEP && ended < LONG_STEP;
            if is_done || advanced.admitted.max(advanced.ended) >= MOST_AT_ONCE {
                return Ok(advanced);
            }
        }
    }

    async fn snapshot(&self, lane: &LaneName, since: Option<u64>) -> Result<LaneSnapshot, Error> {
        let call = self.call(&self.scripts.snapshot, lane).arg(text_of(since)).arg(MOST_DEPARTURES);
        let mut reply = call.run(false).await?.ok_or(Refusal::UnknownLane)?;
        let (head, next) = (reply.count("a head")?, reply.count("a next number")?);
        let waiting = reply.count("how many wait")?;
        let (admitted, users) = (reply.count("how many are admitted")?, reply.count("how many users")?);
        let settings = serde_json::from_str(&reply.text("settings")?);
        let settings =
            settings.map_err(|error| StoreError::broken(format!("settings of a lane: {error}")))?;
        let (cursor, departed) = (reply.count("a cursor")?, reply.counts("departures")?);
        let (_, per_admission) = reply.speed()?;
        let epoch = reply.epoch;
        Ok(LaneSnapshot {
            epoch,
            head,
            next,
            waiting,
            admitted,
            users,
            settings,
            per_admission,
            departed,
            cursor,
        })
    }

    async fn configure(&self, lane: &LaneName, settings: &LaneSettings) -> Result<(), StoreError> {
        let text = serde_json::to_string(settings)
            .map_err(|error| StoreError::broken(format!("settings of a lane: {error}")))?;
        let policy = &settings.policy;
        let interval_ns = policy.admit_per_second.map(|rate| 1_000_000_000_u64.div_ceil(rate.max(1).into()));
        let span = |span: std::time::Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let call = self
            .call(&self.scripts.configure, lane)
            .arg(STEP)
            .arg(text)
            .arg(settings.revision)
            .arg(policy.capacity)
            .arg(text_of(policy.max_waiting))
            .arg(text_of(interval_ns))
            .arg(span(policy.claim_ttl))
            .arg(span(policy.session_ttl))
            .arg(shut(settings))
            .arg(drains(settings))
            .arg(crate::seen::epoch_text(self.new_epoch(lane)));
        call.run(true).await.map(drop)
    }
}
