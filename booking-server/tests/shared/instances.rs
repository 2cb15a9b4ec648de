//! Several servers on one PostgreSQL and nothing else, asked the same at the same time (X1, I1, I4, I21).

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use booking_api::{CreateCharge, LaneChange};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::support::{Buyer, PRICE, SHOW, Site, new_database};

const HOLD_TTL: Duration = Duration::from_mins(5);

async fn site(servers: usize) -> Site {
    let store = new_database();
    let site = Site::start(servers, &store, &store, HOLD_TTL).await;
    site.change_lane(LaneChange { capacity: Some(1_000), ..LaneChange::default() }).await;
    site
}

async fn buyers(site: &Site, count: usize) -> Vec<Buyer> {
    join_all((0..count).map(|_| site.buyer())).await
}

/// The n-th of who asks, at the next server.
fn at(site: &Site, n: usize) -> &booking_api::client::Client {
    &site.clients[n % site.clients.len()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_seat_has_one_owner_whichever_server_is_asked() {
    for servers in [2, 3] {
        let site = site(servers).await;
        let buyers = buyers(&site, 40).await;
        for seat in [1, 50] {
            let wanted = booking_api::CreateReservation::seats(SHOW, vec![seat]);
            let asked = buyers
                .iter()
                .enumerate()
                .map(|(n, buyer)| at(&site, n).reserve(&buyer.queue_token, None, &wanted));
            let answers = join_all(asked).await;
            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "seat {seat}");
            for error in answers.into_iter().filter_map(Result::err) {
                let code = error.problem().unwrap_or_else(|| panic!("{error}")).code.as_str().to_owned();
                assert!(["seat_taken", "seat_limit_reached"].contains(&code.as_str()), "{code}");
            }
        }
        site.books_are_clean().await;
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_reservation_is_paid_once_whichever_server_is_asked() {
    let site = site(3).await;
    let buyers = buyers(&site, 12).await;
    let mut seat = 0;
    for buyer in &buyers {
        seat += 1;
        let reservation = site.hold(buyer, seat).await.unwrap();
        let paying = (0..6).map(|n| at(&site, n).pay(&buyer.queue_token, reservation));
        let paid: BTreeSet<Uuid> =
            join_all(paying).await.into_iter().map(|paid| paid.unwrap().payment.payment_id).collect();
        assert_eq!(paid.len(), 1);
        assert_eq!(site.client().wallet(&buyer.user_token).await.unwrap().balance, 0);
    }
    site.books_are_clean().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_read_whole_and_in_order_whichever_server_is_asked_while_others_write() {
    let site = site(3).await;
    let admin = &site.secrets.admin_key;
    let buyers = buyers(&site, 12).await;
    let written = AtomicBool::new(false);
    let writing = async {
        let buying = buyers.iter().enumerate().map(async |(n, buyer)| {
            for round in 0..15 {
                let charge = CreateCharge { amount: 1, user_id: None };
                let key = format!("{round}");
                at(&site, n + round).charge(&buyer.user_token, &key, &charge).await.unwrap();
            }
        });
        join_all(buying).await;
        written.store(true, Ordering::SeqCst);
    };
    let reading = async {
        let (mut seen, mut after, mut asked) = (Vec::new(), 0, 0);
        loop {
            let is_over = written.load(Ordering::SeqCst);
            asked += 1;
            let part = at(&site, asked).events(admin, after, 5).await.unwrap();
            if part.items.is_empty() && is_over {
                return seen;
            }
            after = part.items.last().map_or(after, |event| event.seq);
            seen.extend(part.items);
        }
    };
    let (seen, ()) = tokio::join!(reading, writing);
    let log = site.client().events(admin, 0, 1_000).await.unwrap().items;
    assert_eq!(seen, log);
    assert!(log.len() >= 12 * 15 && log.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    site.books_are_clean().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_sent_to_every_server_has_one_effect() {
    let site = site(3).await;
    let buyer = site.buyer().await;
    for round in 1..=5_i64 {
        let (key, charge) = (format!("charge {round}"), CreateCharge { amount: 7, user_id: None });
        let charging = (0..9).map(|n| at(&site, n).charge(&buyer.user_token, &key, &charge));
        let charged: Vec<_> = join_all(charging).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(charged.iter().filter(|(_, replayed)| !replayed).count(), 1);
        let entries: BTreeSet<Uuid> = charged.iter().map(|(made, _)| made.entry_id).collect();
        assert_eq!(entries.len(), 1);
        assert_eq!(site.client().wallet(&buyer.user_token).await.unwrap().balance, PRICE + 7 * round);
    }
    let wanted = booking_api::CreateReservation::seats(SHOW, vec![9]);
    let holding = (0..9).map(|n| at(&site, n).reserve(&buyer.queue_token, Some("hold"), &wanted));
    let held: BTreeSet<Uuid> =
        join_all(holding).await.into_iter().map(|held| held.unwrap().reservation_id).collect();
    assert_eq!(held.len(), 1);
    site.books_are_clean().await;
    site.stop().await;
}
