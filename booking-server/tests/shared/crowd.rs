//! A crowd enters through three servers at once, and the lane drains to empty (X1, I12, I13, I14).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use booking_api::{CreateCharge, CreateReservation, LaneChange};
use booking_core::{BookingPolicy, Command, id::UserId, store::BookingStore, wallet};
use booking_server::{Tokens, system_clock};
use booking_store_pg::{PgConfig, PgStore};

use crate::{
    redis_server::{FORGETFUL, Server},
    support::{PRICE, SHOW, Shared, Site, new_database, until},
};

/// How many enter a lane on Redis, and one on PostgreSQL; `BOOKING_TEST_SCALE` multiplies them.
const REDIS_PEOPLE: usize = 10_000;
const POSTGRES_PEOPLE: usize = 3_000;
const AT_ONCE: usize = 48;
const CAPACITY: u32 = 400;

fn scaled(people: usize) -> usize {
    std::env::var("BOOKING_TEST_SCALE").map_or(people, |times| people * times.parse::<usize>().unwrap())
}

/// User tokens of so many known people.
async fn user_tokens(store: &str, site: &Site, people: usize) -> Vec<String> {
    let bookings = PgStore::connect(PgConfig::new(store, BookingPolicy::default())).await.unwrap();
    let users: Vec<UserId> = (0..people).map(|_| UserId::random()).collect();
    for users in users.chunks(1_000) {
        let open = users.iter().map(|user| Command::from(wallet::Command::Open(*user))).collect();
        assert!(bookings.execute(open).await.unwrap().iter().all(Result::is_ok));
    }
    let tokens = Tokens::new(&site.secrets.token_secrets, Duration::from_hours(1));
    users.iter().map(|user| tokens.user_token(*user, system_clock()).unwrap().0).collect()
}

/// Somebody who entered.
struct Entered {
    seq: u64,
    user_token: String,
    queue_token: String,
}

/// Everybody enters, each through the next server; by number.
async fn all_enter(site: &Shared, user_tokens: Vec<String>) -> Vec<Entered> {
    let (answered, user_tokens) = (Arc::new(AtomicU64::new(0)), Arc::new(user_tokens));
    let entering: Vec<_> = (0..AT_ONCE)
        .map(|worker| {
            let (site, answered, tokens) =
                (Arc::clone(site), Arc::clone(&answered), Arc::clone(&user_tokens));
            tokio::spawn(async move {
                let mut entered = Vec::new();
                for (turn, user_token) in tokens.iter().skip(worker).step_by(AT_ONCE).enumerate() {
                    let client = &site.clients[(worker + turn) % site.clients.len()];
                    let before = answered.load(Ordering::SeqCst);
                    let token = client.enter(user_token, None).await.unwrap();
                    let seq = token.place.order;
                    assert!(seq > before, "{before} was answered, then {seq} was given");
                    answered.fetch_max(seq, Ordering::SeqCst);
                    let (user_token, queue_token) = (user_token.clone(), token.queue_token);
                    entered.push(Entered { seq, user_token, queue_token });
                }
                entered
            })
        })
        .collect();
    let mut entered = Vec::new();
    for entering in entering {
        entered.extend(entering.await.unwrap());
    }
    entered.sort_unstable_by_key(|entered| entered.seq);
    entered
}

async fn lane(site: &Site, of: usize) -> (u64, u64) {
    let lanes = site.clients[of % site.clients.len()].lanes(&site.secrets.admin_key).await.unwrap();
    let lane = &lanes.items[0];
    (lane.waiting.unwrap(), lane.admitted.unwrap())
}

/// Those who are admitted first: a third buys, a third lets a hold run out, a third only looks until the session ends.
async fn all_show_up(site: &Site, admitted: &[Entered]) {
    for person in admitted {
        let client = &site.clients[usize::try_from(person.seq).unwrap() % site.clients.len()];
        client.seats(&person.queue_token, SHOW).await.unwrap();
        if person.seq % 3 == 0 {
            continue;
        }
        let seats = vec![i64::try_from(person.seq).unwrap()];
        let wanted = CreateReservation::seats(SHOW, seats);
        let held = client.reserve(&person.queue_token, None, &wanted).await.unwrap();
        if person.seq % 3 == 1 {
            let charge = CreateCharge { amount: PRICE, user_id: None };
            client.charge(&person.user_token, "all that it costs", &charge).await.unwrap();
            client.pay(&person.queue_token, held.reservation_id).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_through_three_servers_has_unique_numbers_in_order_and_the_lane_drains_to_empty() {
    let redis = Server::start(FORGETFUL);
    drains(&new_database(), &redis.url(), scaled(REDIS_PEOPLE)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_through_three_servers_on_postgresql_alone_is_as_orderly() {
    let store = new_database();
    drains(&store, &store, scaled(POSTGRES_PEOPLE)).await;
}

async fn drains(store: &str, queue: &str, people: usize) {
    let site = Arc::new(Site::start(3, store, queue, Duration::from_secs(3)).await);
    let closed_doors = LaneChange {
        capacity: Some(0),
        claim_ttl_ms: Some(30_000),
        session_ttl_ms: Some(4_000),
        ..LaneChange::default()
    };
    site.change_lane(closed_doors).await;
    let entered = all_enter(&site, user_tokens(store, &site, people).await).await;
    let numbers: Vec<u64> = entered.iter().map(|entered| entered.seq).collect();
    assert_eq!(numbers, (1..=people as u64).collect::<Vec<_>>(), "each number once, and none left out");
    for of in 0..3 {
        assert_eq!(lane(&site, of).await, (people as u64, 0));
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
    site.change_lane(LaneChange { capacity: Some(30), ..LaneChange::default() }).await;
    until("admission", async || lane(&site, 0).await.1 == 30).await;
    site.change_lane(LaneChange { paused: Some(true), ..LaneChange::default() }).await;
    all_show_up(&site, &entered[..30]).await;
    // Who is admitted from now on does not come: it is the servers' timers that empty the lane.
    let wide_doors = LaneChange {
        capacity: Some(CAPACITY),
        claim_ttl_ms: Some(20),
        paused: Some(false),
        ..LaneChange::default()
    };
    site.change_lane(wide_doors).await;
    until("an empty lane", async || lane(&site, 0).await == (0, 0)).await;
    draining.store(false, Ordering::SeqCst);
    let looks = watching.await.unwrap();
    assert!(looks > 20, "{looks} looks show little");
    let paid = site.client().seats(&entered[0].queue_token, SHOW).await.unwrap_err();
    assert_eq!(paid.problem().unwrap().reason.as_deref(), Some("completed"), "and not by time");
    site.books_are_clean().await;
    Arc::into_inner(site).unwrap().stop().await;
}
