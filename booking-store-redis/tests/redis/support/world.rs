//! A lane and its people, seen through one instance.

use std::time::{Duration, Instant};

use booking_core::{
    Error, LaneName, LanePolicy, Refusal, StoreError, Ticket, catalog::LaneSettings, id::UserId,
    queue::Place, store::QueueStore,
};
use booking_store_redis::{RedisConfig, RedisQueue};

/// Longer than any call may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct World {
    pub(crate) store: RedisQueue,
    pub(crate) lane: LaneName,
}

/// Settings that admit so many.
pub(crate) fn settings(capacity: u32) -> LaneSettings {
    let policy = LanePolicy { capacity, ..LanePolicy::default() };
    LaneSettings { policy, revision: 1, ..LaneSettings::default() }
}

pub(crate) async fn open(url: &str) -> World {
    let store = RedisQueue::connect(&RedisConfig::new(url)).await.expect("the store opens");
    World { store, lane: LaneName::main() }
}

/// What a call answers, which it does in time.
async fn timed<T>(call: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    let answer = call.await;
    assert!(begin.elapsed() < PATIENCE, "it took {:?}", begin.elapsed());
    answer
}

impl World {
    pub(crate) async fn configure(&self, capacity: u32) {
        self.store.configure(&self.lane, &settings(capacity)).await.expect("Redis answers");
    }

    pub(crate) async fn enter(&self, user: UserId) -> Result<Ticket, Error> {
        timed(self.store.enter(&self.lane, user)).await.map(|entered| entered.ticket)
    }

    /// So many new people, one after the other.
    pub(crate) async fn line(&self, many: usize) -> Vec<Ticket> {
        let mut tickets = Vec::new();
        for _ in 0..many {
            tickets.push(self.enter(UserId::random()).await.expect("the lane takes people"));
        }
        tickets
    }

    pub(crate) async fn place(&self, ticket: &Ticket) -> Result<Place, Error> {
        timed(self.store.place(ticket)).await
    }

    pub(crate) async fn rank(&self, ticket: &Ticket) -> Option<u64> {
        match self.place(ticket).await.expect("the lane knows the ticket") {
            Place::Waiting { rank, .. } => Some(rank),
            Place::Admitted { .. } | Place::Done(_) => None,
        }
    }

    /// How each kind of call fails, each within two seconds.
    pub(crate) async fn failures(&self, ticket: &Ticket) -> Vec<StoreError> {
        fn of<T: std::fmt::Debug>(answer: Result<T, Error>) -> StoreError {
            match answer {
                Err(Error::Store(error)) => error,
                other => panic!("there is no Redis to answer, but {other:?}"),
            }
        }
        let lane = &self.lane;
        let (enter, place, claim, advance, snapshot) = tokio::join!(
            timed(self.store.enter(lane, ticket.user)),
            timed(self.store.place(ticket)),
            timed(self.store.claim(ticket)),
            timed(self.store.advance(lane)),
            timed(self.store.snapshot(lane, None)),
        );
        vec![of(enter), of(place), of(claim), of(advance), of(snapshot)]
    }

    /// Waits until the lane answers, whatever it says.
    pub(crate) async fn answers(&self) {
        let begin = Instant::now();
        while let Err(Error::Store(error)) = timed(self.store.snapshot(&self.lane, None)).await {
            assert!(begin.elapsed() < Duration::from_secs(15), "still {error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The lane started anew: it admits nobody until it is told its settings, old tickets are worth nothing, and people
    /// enter again.
    pub(crate) async fn started_anew(&self, old: &[Ticket]) {
        assert_eq!(self.enter(old[0].user).await, Err(Refusal::UnknownLane.into()));
        self.configure(1).await;
        for ticket in old {
            assert_eq!(self.place(ticket).await, Err(Refusal::QueueReset.into()));
            assert_eq!(self.store.claim(ticket).await, Err(Refusal::QueueReset.into()));
        }
        let (inside, waiting) = (self.enter(old[1].user).await, self.enter(old[0].user).await);
        let (inside, waiting) = (inside.expect("people enter again"), waiting.expect("people enter again"));
        assert_eq!((inside.seq, waiting.seq), (1, 2));
        assert!(inside.epoch > old[0].epoch, "epochs grow");
        assert_eq!((self.rank(&inside).await, self.rank(&waiting).await), (None, Some(1)));
    }
}
