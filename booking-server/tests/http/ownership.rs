use std::{num::NonZeroU32, time::Duration};

use booking_core::BookingPolicy;
use booking_server::Options;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    faults::{self, Fault},
    support::{Buyer, PRICE, Service, options},
};

#[tokio::test]
async fn somebody_elses_reservation_does_not_exist() {
    let service = Service::start().await;
    let (owner, other) = (service.buyer().await, service.buyer().await);
    let held = service.hold(&owner, 1).await.expect(201).text("reservation_id");
    service.charge(&other, PRICE).await.expect(201);
    let path = format!("/v1/reservations/{held}");
    for token in [&other.user_token, &other.queue_token] {
        assert_eq!(service.get(&path, token).await.expect(404).code(), "unknown_reservation");
        assert_eq!(service.delete(&path, token).await.expect(404).code(), "unknown_reservation");
    }
    assert_eq!(service.pay(&other, &held).await.expect(404).code(), "unknown_reservation");
    assert_eq!(service.get("/v1/reservations", &other.user_token).await.body["items"], json!([]));
    for token in [&owner.user_token, &owner.queue_token] {
        assert_eq!(service.get(&path, token).await.expect(200).text("reservation_id"), held);
    }
    service.delete(&path, &owner.queue_token).await.expect(204);
    service.delete(&path, &owner.user_token).await.expect(204);
}

#[tokio::test]
async fn only_the_ticket_that_made_a_reservation_pays_it() {
    let service = Service::start().await;
    service.change_lane(json!({"session_ttl_ms": 60_000})).await.expect(200);
    let first = service.buyer().await;
    let held = service.hold(&first, 1).await.expect(201).text("reservation_id");
    service.charge(&first, PRICE).await.expect(201);
    service.advance(Duration::from_mins(1)).await;
    let queue_token = service.enter(&first.user_token).await;
    let again = Buyer { id: first.id.clone(), user_token: first.user_token.clone(), queue_token };
    assert_ne!(again.queue_token, first.queue_token);
    assert_eq!(service.pay(&again, &held).await.expect(403).code(), "forbidden");
    service.pay(&first, &held).await.expect(201);
}

#[tokio::test]
async fn who_waits_or_is_done_learns_nothing_by_paying_at_random() {
    let service = Service::start().await;
    let done = service.buyer().await;
    service.buy(&done, 1).await;
    service.change_lane(json!({"capacity": 0})).await.expect(200);
    let waiting = service.buyer().await;
    let nothing = uuid::Uuid::nil().to_string();
    assert_eq!(service.pay(&waiting, &nothing).await.expect(429).code(), "not_your_turn");
    assert_eq!(service.pay(&done, &nothing).await.expect(401).code(), "token_done");
}

#[tokio::test]
async fn one_person_has_one_live_reservation() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let held = service.hold(&buyer, 1).await.expect(201).text("reservation_id");
    assert_eq!(service.hold(&buyer, 2).await.expect(409).code(), "seat_limit_reached");
    // The same seat again is the reservation one has.
    let same = service.hold(&buyer, 1).await.expect(201);
    assert_eq!(
        (same.text("reservation_id"), same.headers.contains_key("idempotency-replayed")),
        (held.clone(), true)
    );
    service.delete(&format!("/v1/reservations/{held}"), &buyer.queue_token).await.expect(204);
    service.hold(&buyer, 2).await.expect(201);
    assert_eq!(service.pay(&buyer, &held).await.expect(409).code(), "reservation_not_payable");
}

#[tokio::test]
async fn a_paid_reservation_is_not_released() {
    let service = Service::start().await;
    let buyer = service.buyer().await;
    let (held, _) = service.buy(&buyer, 1).await;
    let path = format!("/v1/reservations/{}", held.text("reservation_id"));
    assert_eq!(
        service.delete(&path, &buyer.user_token).await.expect(409).code(),
        "reservation_not_releasable"
    );
}

#[tokio::test]
async fn who_takes_seats_and_gives_them_back_again_and_again_has_to_pause() {
    let few = Options { releases_per_minute: NonZeroU32::new(3).unwrap(), ..options() };
    let service = Service::with(few, BookingPolicy::default()).await;
    let (hasty, calm) = (service.buyer().await, service.buyer().await);
    let give_back = async |held: &str| {
        service.delete(&format!("/v1/reservations/{held}"), &hasty.user_token).await.expect(204)
    };
    for seat in 1..=3 {
        let held = service.hold(&hasty, seat).await.expect(201).text("reservation_id");
        give_back(&held).await;
        // Asking twice gives nothing back twice.
        give_back(&held).await;
    }
    let refused = service.hold(&hasty, 4).await.expect(429);
    assert_eq!((refused.code(), refused.header("retry-after")), ("rate_limited", Some("20")));
    service.hold(&calm, 4).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_before_hearing_that_a_hold_was_given_back_gave_it_back_all_the_same() {
    let one = Options { releases_per_minute: NonZeroU32::MIN, ..options() };
    let (service, (booking, _)) = faults::with(one).await;
    let buyer = service.buyer().await;
    let held = service.hold(&buyer, 1).await.expect(201).text("reservation_id");
    booking.set(Fault::Mute);
    let path = format!("/v1/reservations/{held}");
    let release = service.delete(&path, &buyer.user_token);
    assert!(timeout(Duration::from_secs(1), release).await.is_err());
    booking.set(Fault::None);
    assert_eq!(service.hold(&buyer, 2).await.expect(429).code(), "rate_limited");
}

#[tokio::test]
async fn who_leaves_with_a_hold_gave_it_back_and_pauses_with_the_next_queue_token_too() {
    let one = Options { releases_per_minute: NonZeroU32::MIN, ..options() };
    let service = Service::with(one, BookingPolicy::default()).await;
    let come_again = async |buyer: &mut Buyer| {
        service.delete("/v1/queue/tokens", &buyer.queue_token).await.expect(204);
        buyer.queue_token = service.enter(&buyer.user_token).await;
    };
    let (mut hasty, mut calm) = (service.buyer().await, service.buyer().await);
    service.hold(&hasty, 1).await.expect(201);
    come_again(&mut hasty).await;
    assert_eq!(service.hold(&hasty, 1).await.expect(429).code(), "rate_limited");
    for _ in 0..3 {
        come_again(&mut calm).await;
    }
    service.hold(&calm, 1).await.expect(201);
}
