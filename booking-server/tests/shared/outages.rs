//! Redis fails under a server: nobody is admitted wrongly, who is paying pays, and nothing has to be restarted (I22, I24).

use std::time::Duration;

use booking_api::{LaneChange, PlaceStatus};

use crate::{
    redis_server::{FORGETFUL, LASTING, Server},
    support::{Site, refused, until},
};

const HOLD_TTL: Duration = Duration::from_mins(5);

fn one_at_a_time() -> LaneChange {
    LaneChange { capacity: Some(1), ..LaneChange::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_buyer_who_is_paying_when_redis_stops_pays_and_the_ticket_ends_when_it_is_back() {
    let mut redis = Server::start(LASTING);
    let site = Site::start(1, "memory:", &redis.url(), HOLD_TTL).await;
    site.change_lane(one_at_a_time()).await;
    let (payer, waiting) = (site.buyer().await, site.buyer().await);
    let held = site.hold(&payer, 1).await.unwrap();
    assert!(site.client().ready().await);

    redis.crash();
    // The first call may find a broken wire, and can't know how far it came; then it is plain that nobody is there.
    site.client().place(&payer.queue_token).await.unwrap_err();
    for _ in 0..3 {
        let unavailable = ("store_unavailable".to_owned(), 503);
        assert_eq!(refused(site.client().place(&payer.queue_token)).await, unavailable);
        assert_eq!(refused(site.client().place(&waiting.queue_token)).await, unavailable);
        assert_eq!(
            refused(site.client().seats(&waiting.queue_token, crate::support::SHOW)).await,
            unavailable
        );
        assert_eq!(refused(site.client().enter(&waiting.user_token, None)).await, unavailable);
    }
    assert!(!site.client().ready().await);
    let paid = site.client().pay(&payer.queue_token, held).await.unwrap();
    assert_eq!(paid.balance, 0);

    redis.resume();
    until("readiness", async || site.client().ready().await).await;
    // The ending is carried, and the next one is admitted, with nobody asking for it.
    until("the ending", async || {
        let place = site.client().place(&payer.queue_token).await;
        place.is_ok_and(|place| place.reason.as_deref() == Some("completed"))
    })
    .await;
    let place = site.client().place(&waiting.queue_token).await.unwrap();
    assert_eq!(place.status, PlaceStatus::Admitted);
    assert_eq!(refused(site.hold(&payer, 2)).await, ("token_done".to_owned(), 401), "one ticket buys once");
    site.books_are_clean().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_resets_the_queue_and_people_enter_again() {
    let mut redis = Server::start(FORGETFUL);
    let site = Site::start(1, "memory:", &redis.url(), HOLD_TTL).await;
    site.change_lane(one_at_a_time()).await;
    let (payer, waiting) = (site.buyer().await, site.buyer().await);
    let held = site.hold(&payer, 1).await.unwrap();
    redis.crash();
    redis.resume();
    until("readiness", async || site.client().ready().await).await;
    for token in [&payer.queue_token, &waiting.queue_token] {
        assert_eq!(refused(site.client().place(token)).await, ("queue_reset".to_owned(), 401));
        let seats = site.client().seats(token, crate::support::SHOW);
        assert_eq!(refused(seats).await, ("queue_reset".to_owned(), 401), "nobody gets in by an old token");
    }
    site.client().pay(&payer.queue_token, held).await.unwrap();
    let again = site.client().enter(&waiting.user_token, None).await.unwrap();
    assert_eq!((again.place.status, again.place.order), (PlaceStatus::Admitted, 1));
    let behind = site.client().enter(&payer.user_token, None).await.unwrap();
    assert_eq!((behind.place.status, behind.place.rank), (PlaceStatus::Waiting, Some(1)));
    site.books_are_clean().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_answers_503_in_time_and_goes_on_when_it_thaws() {
    let redis = Server::start(FORGETFUL);
    let site = Site::start(1, "memory:", &redis.url(), HOLD_TTL).await;
    site.change_lane(one_at_a_time()).await;
    let (inside, waiting) = (site.buyer().await, site.buyer().await);
    redis.freeze(true);
    let polls = (0..50).map(|_| refused(site.client().place(&waiting.queue_token)));
    for told in futures_util::future::join_all(polls).await {
        assert_eq!(told, ("store_unavailable".to_owned(), 503), "also those who ask while others wait");
    }
    assert_eq!(refused(site.hold(&inside, 1)).await.1, 503);
    redis.freeze(false);
    until("readiness", async || site.client().ready().await).await;
    site.hold(&inside, 1).await.unwrap();
    assert_eq!(site.client().place(&waiting.queue_token).await.unwrap().rank, Some(1));
    site.books_are_clean().await;
    site.stop().await;
}
