//! Lanes so long that departures span many blocks: ranks stay exact, and what is behind is given back.

use std::{collections::BTreeMap, sync::Arc};

use booking_core::{EndReason, LaneName, Ticket, id::UserId, queue::Departures, store::QueueStore};
use booking_store_redis::{RedisConfig, RedisQueue};

use crate::support::{
    chance::Chance,
    harness::{own_prefix, server_url},
    keys::Keys,
    world::settings,
};

const PEOPLE: u64 = 140_000;
/// Numbers a block of departures spans in Redis.
const BLOCK: u64 = 65_536;
const AT_ONCE: u64 = 64;

struct Vast {
    store: Arc<RedisQueue>,
    lane: LaneName,
    tickets: BTreeMap<u64, Ticket>,
    gone: Departures,
    head: u64,
}

impl Vast {
    async fn of(store: Arc<RedisQueue>) -> Self {
        let lane = LaneName::main();
        store.configure(&lane, &settings(0)).await.expect("Redis answers");
        let entering: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let (store, lane) = (Arc::clone(&store), lane.clone());
                tokio::spawn(async move {
                    let mut tickets = Vec::new();
                    for _ in 0..PEOPLE.div_ceil(AT_ONCE) {
                        let entered = store.enter(&lane, UserId::random()).await;
                        tickets.push(entered.expect("the lane takes people").ticket);
                    }
                    tickets
                })
            })
            .collect();
        let mut tickets = BTreeMap::new();
        for entering in entering {
            let given = entering.await.expect("no panic");
            tickets.extend(given.into_iter().map(|ticket| (ticket.seq, ticket)));
        }
        Self { store, lane, tickets, gone: Departures::default(), head: 1 }
    }

    async fn leave(&mut self, seq: u64) {
        if self.gone.insert(seq) {
            self.store.finish(&self.tickets[&seq], EndReason::Left).await.expect("Redis answers");
        }
        while self.gone.contains(self.head) {
            self.head += 1;
        }
    }

    async fn ranks_are_exact(&self, numbers: impl IntoIterator<Item = u64>) {
        for seq in numbers {
            let waits = seq >= self.head && !self.gone.contains(seq);
            let expected =
                waits.then(|| seq - self.head - (self.gone.below(seq) - self.gone.below(self.head)) + 1);
            let place = self.store.place(&self.tickets[&seq]).await.expect("the lane knows the ticket");
            let rank = match place {
                booking_core::queue::Place::Waiting { rank, .. } => Some(rank),
                _ => None,
            };
            assert_eq!(rank, expected, "number {seq}, head {}", self.head);
        }
    }

    /// Admits so many at the head.
    async fn admit(&mut self, many: u32, revision: u64) {
        let mut wider = settings(many);
        wider.revision = revision;
        self.store.configure(&self.lane, &wider).await.expect("Redis answers");
        while self.store.advance(&self.lane).await.expect("Redis answers").admitted > 0 {}
        let told = self.store.snapshot(&self.lane, None).await.expect("the lane is there");
        assert_eq!(told.admitted, u64::from(many));
        let mut admitted = 0;
        for seq in self.tickets.keys() {
            if admitted == told.admitted {
                break;
            }
            admitted += u64::from(!self.gone.contains(*seq));
            self.head = seq + 1;
        }
        while self.gone.contains(self.head) {
            self.head += 1;
        }
        assert_eq!(told.head, self.head);
        let last = self.gone.below(PEOPLE * 2) - self.gone.below(self.head);
        assert_eq!(told.waiting, told.next - told.head - last);
    }
}

fn borders() -> impl Iterator<Item = u64> {
    [BLOCK, 2 * BLOCK].into_iter().flat_map(|border| border - 2..=border + 2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranks_are_exact_across_blocks_of_departures() {
    let prefix = own_prefix();
    let config = RedisConfig::new(format!("{}?prefix={prefix}", server_url()));
    let store = Arc::new(RedisQueue::connect(&config).await.expect("the store opens"));
    let mut vast = Vast::of(store).await;
    let mut chance = Chance::new(7);
    for _ in 0..2_000 {
        vast.leave(1 + chance.below(PEOPLE)).await;
    }
    for border in borders().step_by(2) {
        vast.leave(border).await;
    }
    let mut some = |many: u64| (0..many).map(|_| 1 + chance.below(PEOPLE)).collect::<Vec<_>>();
    vast.ranks_are_exact(borders().chain(1..20).chain(some(300))).await;
    // A gap over the end of a block, at which the head then stops.
    for seq in BLOCK - 300..BLOCK + 300 {
        vast.leave(seq).await;
    }
    vast.admit(60_000, 2).await;
    vast.ranks_are_exact(borders().chain(some(300))).await;
    let before = vast.head;
    for seq in before + 1..BLOCK {
        vast.leave(seq).await;
    }
    vast.leave(before).await;
    assert!(vast.head >= BLOCK + 300, "the head passes all who left");
    vast.ranks_are_exact(borders().chain(vast.head..vast.head + 20).chain(some(300))).await;
    let keys = Keys::at(&server_url()).await;
    let names = keys.run(redis::cmd("KEYS").arg(format!("{prefix}:*:gone:0"))).await;
    assert_eq!(names, redis::Value::Array(vec![]), "blocks behind the head are given back");
    keys.forget(&format!("{prefix}:*")).await;
}
