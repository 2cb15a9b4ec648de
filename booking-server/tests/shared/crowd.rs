//! A crowd enters through three servers at once, and the lane drains to empty (X1, I12, I13, I14).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use booking_api::LaneChange;
use booking_core::{BookingPolicy, Command, id::UserId, store::BookingStore, wallet};
use booking_server::{Tokens, system_clock};
use booking_store_pg::{PgConfig, PgStore};

use crate::{
    redis_server::{FORGETFUL, Server},
    support::{PRICE, SHOW, Shared, Site, new_database, until},
};

/// How many enter; `BOOKING_TEST_SCALE` multiplies them.
const PEOPLE: usize = 10_000;
const AT_ONCE: usize = 48;
const CAPACITY: u32 = 400;

fn people() -> usize {
    std::env::var("BOOKING_TEST_SCALE").map_or(PEOPLE, |times| PEOPLE * times.parse::<usize>().unwrap())
}

/// User tokens of so many known people.
async fn user_tokens(store: &str, site: &Site) -> Vec<String> {
    let bookings = PgStore::connect(PgConfig::new(store, BookingPolicy::default())).await.unwrap();
    let users: Vec<UserId> = (0..people()).map(|_| UserId::random()).collect();
    for users in users.chunks(1_000) {
        let open = users.iter().map(|user| Command::from(wallet::Command::Open(*user))).collect();
        assert!(bookings.execute(open).await.unwrap().iter().all(Result::is_ok));
    }
    let tokens = Tokens::new(&site.secrets.token_secrets, Duration::from_hours(1));
    users.iter().map(|user| tokens.user_token(*user, system_clock()).unwrap().0).collect()
}

/// Everybody enters, each through the next server; their queue tokens by number.
async fn all_enter(site: &Shared, user_tokens: Vec<String>) -> Vec<(u64, String)> {
    let (answered, user_tokens) = (Arc::new(AtomicU64::new(0)), Arc::new(user_tokens));
    let entering: Vec<_> = (0..AT_ONCE)
        .map(|worker| {
            let (site, answered, tokens) =
                (Arc::clone(site), Arc::clone(&answered), Arc::clone(&user_tokens));
            tokio::spawn(async move {
                let mut entered = Vec::new();
                for (turn, token) in tokens.iter().skip(worker).step_by(AT_ONCE).enumerate() {
                    let client = &site.clients[(worker + turn) % site.clients.len()];
                    let before = answered.load(Ordering::SeqCst);
                    let token = client.enter(token, None).await.unwrap();
                    let seq = token.place.order;
                    assert!(seq > before, "{before} was answered, then {seq} was given");
                    answered.fetch_max(seq, Ordering::SeqCst);
                    entered.push((seq, token.queue_token));
                }
                entered
            })
        })
        .collect();
    let mut entered = Vec::new();
    for entering in entering {
        entered.extend(entering.await.unwrap());
    }
    entered.sort_unstable();
    entered
}

async fn lane(site: &Site, of: usize) -> (u64, u64) {
    let lanes = site.clients[of % site.clients.len()].lanes(&site.secrets.admin_key).await.unwrap();
    let lane = &lanes.items[0];
    (lane.waiting.unwrap(), lane.admitted.unwrap())
}

/// Some of those who are admitted first: they buy, let a hold run out, or only look around.
async fn some_show_up(site: &Site, entered: &[(u64, String)]) {
    for (seq, token) in &entered[..30] {
        let client = &site.clients[usize::try_from(*seq).unwrap() % site.clients.len()];
        client.seats(token, SHOW).await.unwrap();
        if seq % 3 == 0 {
            continue;
        }
        let wanted = booking_api::CreateReservation {
            performance_id: SHOW,
            seats: vec![i64::try_from(*seq).unwrap()],
        };
        client.reserve(token, None, &wanted).await.unwrap();
    }
    // One has money: a purchase ends a ticket too.
    let buyer = site.buyer().await;
    assert_eq!(site.client().wallet(&buyer.user_token).await.unwrap().balance, PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_through_three_servers_has_unique_numbers_in_order_and_the_lane_drains_to_empty() {
    let redis = Server::start(FORGETFUL);
    let store = new_database();
    let site = Arc::new(Site::start(3, &store, &redis.url(), Duration::from_secs(1)).await);
    let closed_doors = LaneChange {
        capacity: Some(0),
        claim_ttl_ms: Some(1_000),
        session_ttl_ms: Some(1_500),
        ..LaneChange::default()
    };
    site.change_lane(closed_doors).await;
    let entered = all_enter(&site, user_tokens(&store, &site).await).await;
    let numbers: Vec<u64> = entered.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=people() as u64).collect::<Vec<_>>(), "each number once, and none left out");
    for of in 0..3 {
        assert_eq!(lane(&site, of).await, (people() as u64, 0));
    }

    let draining = Arc::new(AtomicBool::new(true));
    let watching = tokio::spawn({
        let (site, draining) = (Arc::clone(&site), Arc::clone(&draining));
        async move {
            let mut looks = 0;
            while draining.load(Ordering::SeqCst) {
                let (_, admitted) = lane(&site, looks).await;
                assert!(admitted <= CAPACITY.into(), "{admitted} are inside");
                looks += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            looks
        }
    });
    site.change_lane(LaneChange { capacity: Some(CAPACITY), ..LaneChange::default() }).await;
    some_show_up(&site, &entered).await;
    // What the doors admit in turn does not come: it is the server's timer that empties the lane.
    site.change_lane(LaneChange { claim_ttl_ms: Some(20), ..LaneChange::default() }).await;
    until("an empty lane", async || lane(&site, 0).await == (0, 0)).await;
    draining.store(false, Ordering::SeqCst);
    let looks = watching.await.unwrap();
    assert!(looks > 20, "{looks} looks show little");
    site.books_are_clean().await;
    Arc::into_inner(site).unwrap().stop().await;
}
