//! One purchase, told call by call: Ada buys seat 17, and Ben, who comes after her, can't have it.

use std::time::Duration;

use booking_api::{
    Code, Concert, CreateCharge, CreateReservation, CreateUser, Entry, Payment, Performance, PlaceStatus,
    QueuePlace, QueueToken, Reservation, UserCreated,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Stage, Teller};
use crate::failure::Failure;

const SEAT: u32 = 17;
/// How long an open door may take to let the next person in.
const ADMISSION_WITHIN: Duration = Duration::from_secs(5);

struct Person {
    user: UserCreated,
    queue: QueueToken,
}

pub(super) async fn tell(stage: &Stage, teller: &mut Teller) -> Result<(), Failure> {
    stage.pause("main", true).await?;
    let ada = sign_up_and_enter(stage, teller, "Ada").await?;
    let ben = sign_up_and_enter(stage, teller, "Ben").await?;
    stage.pause("main", false).await?;
    let place = wait(stage, &ada).await?;
    teller.step("The doors open: it is Ada's turn", "GET /v1/queue/status", &place_told(&place));

    let date = choose(stage, teller, &ada).await?;
    let held = hold(stage, teller, &ada, &date).await?;
    charge(stage, teller, &ada, held.amount).await?;
    pay(stage, teller, &ada, &held).await?;
    history(stage, teller, &ada).await?;
    wait(stage, &ben).await?;
    refuse(stage, teller, &ben, &date).await
}

async fn sign_up_and_enter(stage: &Stage, teller: &mut Teller, name: &str) -> Result<Person, Failure> {
    let user = stage.client.create_user(None, &CreateUser::default()).await?;
    let answer = [("user_id", json!(user.user_id)), ("user_token", json!(user.user_token))];
    teller.step(&format!("{name} signs up"), "POST /v1/users", &answer);
    let queue = stage.client.enter(&user.user_token, None).await?;
    let mut answer = vec![("queue_token", json!(queue.queue_token))];
    answer.extend(place_told(&queue.place));
    teller.step(
        &format!("{name} takes a number in the queue; the doors are still closed"),
        "POST /v1/queue/tokens",
        &answer,
    );
    Ok(Person { user, queue })
}

fn place_told(place: &QueuePlace) -> Vec<(&'static str, Value)> {
    let mut told = vec![("order", json!(place.order)), ("status", json!(place.status))];
    let optional = [
        ("rank", json!(place.rank)),
        ("ahead", json!(place.ahead)),
        ("poll_after_ms", json!(place.poll_after_ms)),
        ("expires_at", json!(place.expires_at)),
        ("reason", json!(place.reason)),
    ];
    told.extend(optional.into_iter().filter(|(_, value)| !value.is_null()));
    told
}

async fn wait(stage: &Stage, person: &Person) -> Result<QueuePlace, Failure> {
    let since = Instant::now();
    loop {
        let place = stage.client.place(&person.queue.queue_token).await?;
        match place.status {
            PlaceStatus::Admitted => return Ok(place),
            PlaceStatus::Waiting if since.elapsed() < ADMISSION_WITHIN => {
                sleep(Duration::from_millis(50)).await;
            }
            _ => return Err(Failure::Check(format!("nobody was admitted through an open door: {place:?}"))),
        }
    }
}

/// From the concerts over the dates to the seats of the first date.
async fn choose(stage: &Stage, teller: &mut Teller, ada: &Person) -> Result<Performance, Failure> {
    let token = &ada.queue.queue_token;
    let concerts = stage.client.concerts(None).await?.items;
    let titles: Vec<&str> = concerts.iter().map(|concert| concert.title.as_str()).collect();
    teller.step("She looks at the concerts", "GET /v1/concerts", &[("concerts", json!(titles))]);
    let Concert { concert_id, title, .. } = first(concerts, "concert")?;

    let dates = stage.client.performances_of(token, concert_id, None).await?.items;
    let told = |date: &Performance| {
        let (total, free) = (date.seats_total, date.seats_available);
        format!("{}, {}, {free} of {total} seats free, {} each", date.date, date.venue, date.price)
    };
    let rows: Vec<String> = dates.iter().map(told).collect();
    let title = format!("… at the dates of {title}");
    teller.step(&title, "GET /v1/concerts/{id}/performances", &[("dates", json!(rows))]);
    let date = first(dates, "date")?;

    let seats = stage.client.seats(token, date.performance_id).await?;
    let answer = [("seats_total", json!(seats.seats_total)), ("available", json!(ranges(&seats.available)))];
    teller.step("… and at the seats of the first", "GET /v1/performances/{id}/seats", &answer);
    Ok(date)
}

fn first<T>(items: Vec<T>, what: &str) -> Result<T, Failure> {
    items.into_iter().next().ok_or_else(|| Failure::Check(format!("the server lists no {what}")))
}

/// Ascending numbers for people: `1–16, 18–50`.
fn ranges(numbers: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let told = |(first, last): (u32, u32)| {
        if first == last { first.to_string() } else { format!("{first}–{last}") }
    };
    runs.into_iter().map(told).collect::<Vec<_>>().join(", ")
}

async fn hold(
    stage: &Stage,
    teller: &mut Teller,
    ada: &Person,
    date: &Performance,
) -> Result<Reservation, Failure> {
    let wanted = CreateReservation::seats(date.performance_id, vec![SEAT.into()]);
    let held = stage.client.reserve(&ada.queue.queue_token, None, &wanted).await?;
    let answer = [
        ("reservation_id", json!(held.reservation_id)),
        ("seats", json!(held.seats)),
        ("status", json!(held.status)),
        ("amount", json!(held.amount)),
        ("hold_expires_at", json!(held.hold_expires_at)),
        ("payment", json!(held.payment.map(|payment| payment.status))),
    ];
    teller.step(
        &format!("She holds seat {SEAT}: nobody else can have it now"),
        "POST /v1/reservations",
        &answer,
    );
    Ok(held)
}

async fn charge(stage: &Stage, teller: &mut Teller, ada: &Person, amount: i64) -> Result<(), Failure> {
    let charge = CreateCharge { amount, user_id: None };
    let (made, _) = stage.client.charge(&ada.user.user_token, "adas-first-charge", &charge).await?;
    let answer = [("amount", json!(made.amount)), ("balance", json!(made.balance))];
    teller.step("She charges her wallet", "POST /v1/wallet/charges", &answer);
    Ok(())
}

async fn pay(stage: &Stage, teller: &mut Teller, ada: &Person, held: &Reservation) -> Result<(), Failure> {
    let token = &ada.queue.queue_token;
    let paid = stage.client.pay(token, held.reservation_id).await?;
    let answer = [
        ("payment_id", json!(paid.payment.payment_id)),
        ("status", json!(paid.payment.status)),
        ("amount", json!(paid.payment.amount)),
        ("balance", json!(paid.balance)),
    ];
    teller.step("She pays: the money and the seat move in one step", "POST /v1/payments", &answer);
    let place = stage.client.place(token).await?;
    teller.step("Her queue token is spent", "GET /v1/queue/status", &place_told(&place));
    Ok(())
}

async fn history(stage: &Stage, teller: &mut Teller, ada: &Person) -> Result<(), Failure> {
    let token = &ada.user.user_token;
    let payments = stage.client.payments(token, None).await?.items;
    let told = |payment: &Payment| format!("{} at {}", payment.amount, payment.paid_at.to_rfc3339());
    let rows: Vec<String> = payments.iter().map(told).collect();
    teller.step("Her payments", "GET /v1/payments", &[("payments", json!(rows))]);
    let entries = stage.client.entries(token, None).await?.items;
    let told = |entry: &Entry| {
        format!("{}. {} {}, balance {}", entry.number, entry.kind, entry.amount, entry.balance_after)
    };
    let rows: Vec<String> = entries.iter().map(told).collect();
    teller.step("Her wallet's ledger", "GET /v1/wallet/entries", &[("entries", json!(rows))]);
    Ok(())
}

/// What the second person gets for the same seat.
async fn refuse(stage: &Stage, teller: &mut Teller, ben: &Person, date: &Performance) -> Result<(), Failure> {
    let token = &ben.queue.queue_token;
    let wanted = CreateReservation::seats(date.performance_id, vec![SEAT.into()]);
    let refused = match stage.client.reserve(token, None, &wanted).await {
        Ok(held) => return Err(Failure::Check(format!("seat {SEAT} was sold and held again: {held:?}"))),
        Err(error) => error.problem().cloned().ok_or_else(|| Failure::from(error))?,
    };
    if refused.code != Code::SeatTaken {
        return Err(Failure::Check(format!("the second person was told {refused:?}")));
    }
    let answer = [
        ("status", json!(refused.status)),
        ("code", json!(refused.code)),
        ("detail", json!(refused.detail)),
        ("seats", json!(refused.seats)),
    ];
    teller.step(&format!("Ben wants seat {SEAT} too"), "POST /v1/reservations", &answer);
    let seats = stage.client.seats(token, date.performance_id).await?;
    let answer = [("available", json!(ranges(&seats.available)))];
    teller.step("He sees what is left", "GET /v1/performances/{id}/seats", &answer);
    stage.client.leave(token).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_in_ranges() {
        let without_17: Vec<u32> = (1..=50).filter(|seat| *seat != SEAT).collect();
        assert_eq!(ranges(&without_17), "1–16, 18–50");
        assert_eq!(ranges(&[3]), "3");
        assert_eq!(ranges(&[]), "");
    }
}
