//! What a person does who buys a seat: sign up, queue, choose, hold, pay. Every step is a call over HTTP.

mod books;
mod market;
mod meter;
mod stop;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use booking_api::{
    Code, CreateCharge, CreateReservation, CreateUser, PlaceStatus, QueuePlace, Reservation, UserCreated,
    client::{Client, ClientError},
};
use tokio::time::sleep;
use uuid::Uuid;

pub use market::Market;
pub use meter::{Call, Meter, millis};
pub use stop::Stop;

use crate::dice::Dice;

/// Where people buy, and how.
#[derive(Debug)]
pub struct Shop {
    /// The server.
    pub client: Client,
    /// What counts them all.
    pub meter: Meter,
    /// The lane they enter.
    pub lane: String,
    /// Signs people up where sign-up is not open.
    pub admin_key: Option<String>,
    /// Charges wallets where people may not.
    pub service_key: Option<String>,
    /// Nobody waits longer than this before asking again, whatever the server advises.
    pub longest_pause: Duration,
}

/// A purchase that was confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The performance.
    pub performance: Uuid,
    /// The seat.
    pub seat: u32,
    /// What it cost.
    pub amount: i64,
    /// The payment.
    pub payment: Uuid,
    /// The reservation.
    pub reservation: Uuid,
}

/// One person.
#[derive(Debug)]
pub struct Buyer {
    shop: Arc<Shop>,
    dice: Dice,
    user: Option<UserCreated>,
    queue_token: String,
    order: Option<u64>,
    charged: i64,
}

/// How often a request is repeated when the server says that it may succeed later.
const REPEATS: u32 = 20;
/// How long a person waits for the turn.
const PATIENCE: Duration = Duration::from_mins(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

impl Buyer {
    /// The person of this number; the same seed and number make the same choices.
    pub fn new(shop: Arc<Shop>, seed: u64, number: u64) -> Self {
        let dice = Dice::new(seed, number);
        Self { shop, dice, user: None, queue_token: String::new(), order: None, charged: 0 }
    }

    /// The token that speaks for the person; none before sign-up.
    pub fn user_token(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.user_token.as_str())
    }

    /// The number taken in the queue; none before entering.
    pub fn order(&self) -> Option<u64> {
        self.order
    }

    /// What was put into the wallet.
    pub fn charged(&self) -> i64 {
        self.charged
    }

    /// Buys a seat of this performance, charging its price beforehand.
    pub async fn buy_in(&mut self, performance: Uuid, price: i64) -> Result<Purchase, Stop> {
        self.sign_up().await?;
        self.queue().await?;
        self.charge(price).await?;
        match self.hold_in(performance).await? {
            Some(held) => self.pay(&held).await,
            None => self.go_home().await,
        }
    }

    /// Buys a seat of any performance of the market, charging what is due once it is held.
    pub async fn buy_anywhere(&mut self, market: &Market) -> Result<Purchase, Stop> {
        self.sign_up().await?;
        self.queue().await?;
        match self.hold_anywhere(market).await? {
            Some(held) => {
                self.charge(held.amount).await?;
                self.pay(&held).await
            }
            None => self.go_home().await,
        }
    }

    /// Sends a request, and again when the server says that it may succeed later.
    async fn ask<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        call: Call,
        request: impl Fn() -> F,
    ) -> Result<T, Stop> {
        let mut repeats = 0;
        loop {
            match self.shop.meter.call(call, request()).await {
                Err(ClientError::Problem(problem)) if problem.retryable && repeats < REPEATS => {
                    let advised = problem.retry_after_ms.map_or(SHORTEST_PAUSE, Duration::from_millis);
                    sleep(advised.min(self.shop.longest_pause)).await;
                    repeats += 1;
                }
                answer => return Ok(answer?),
            }
        }
    }

    async fn sign_up(&mut self) -> Result<(), Stop> {
        let Shop { client, admin_key, .. } = &*self.shop;
        let new = CreateUser::default();
        let created = self.ask(Call::SignUp, || client.create_user(admin_key.as_deref(), &new)).await?;
        self.user = Some(created);
        Ok(())
    }

    fn token(&self) -> &str {
        self.user_token().unwrap_or_default()
    }

    /// Enters the lane and waits for the turn, asking again as often as the server advises.
    async fn queue(&mut self) -> Result<(), Stop> {
        let Shop { client, lane, .. } = &*self.shop;
        let entered = self.ask(Call::Enter, || client.enter(self.token(), Some(lane))).await?;
        let mut place = entered.place;
        self.order = Some(place.order);
        self.queue_token = entered.queue_token;
        let since = Instant::now();
        while place.status == PlaceStatus::Waiting {
            if since.elapsed() > PATIENCE {
                return Err(Stop::OutOfPatience);
            }
            sleep(self.pause(&place)).await;
            place = self.ask(Call::Status, || self.shop.client.place(&self.queue_token)).await?;
        }
        match place.status {
            PlaceStatus::Done => Err(Stop::over(place.reason)),
            PlaceStatus::Waiting | PlaceStatus::Admitted => Ok(()),
        }
    }

    fn pause(&self, place: &QueuePlace) -> Duration {
        let advised = place.poll_after_ms.map_or(SHORTEST_PAUSE, Duration::from_millis);
        advised.clamp(SHORTEST_PAUSE, self.shop.longest_pause.max(SHORTEST_PAUSE))
    }

    /// Tries free seats of a performance until one is held. None: no free seat is left.
    async fn hold_in(&mut self, performance: Uuid) -> Result<Option<Reservation>, Stop> {
        let mut refused = Vec::new();
        loop {
            let Shop { client, .. } = &*self.shop;
            let seats = self.ask(Call::Seats, || client.seats(&self.queue_token, performance)).await?;
            // The list may be a moment old: what was refused is not tried again.
            let free: Vec<u32> = seats.available.into_iter().filter(|seat| !refused.contains(seat)).collect();
            let Some(&seat) = self.dice.pick(&free) else { return Ok(None) };
            match self.hold(performance, seat).await {
                Err(Stop::Refused { code: Code::SeatTaken, .. }) => refused.push(seat),
                answer => return answer.map(Some),
            }
        }
    }

    async fn hold(&self, performance: Uuid, seat: u32) -> Result<Reservation, Stop> {
        let wanted = CreateReservation::seats(performance, vec![seat.into()]);
        let key = format!("{performance} {seat}");
        let Shop { client, .. } = &*self.shop;
        let held = self.ask(Call::Hold, || client.reserve(&self.queue_token, Some(&key), &wanted)).await?;
        if held.performance_id == performance && held.seats == [seat] {
            Ok(held)
        } else {
            Err(Stop::Wrong(format!("seat {seat} was asked for, and {held:?} was held")))
        }
    }

    /// Puts money into the wallet: by the service key if there is one, else as the person.
    async fn charge(&mut self, amount: i64) -> Result<(), Stop> {
        let Some(user) = self.user.as_ref().filter(|_| amount > 0) else { return Ok(()) };
        let Shop { client, service_key, .. } = &*self.shop;
        let (token, user_id) = match service_key {
            Some(key) => (key.as_str(), Some(user.user_id)),
            None => (user.user_token.as_str(), None),
        };
        let charge = CreateCharge { amount, user_id };
        self.ask(Call::Charge, || client.charge(token, "charge", &charge)).await?;
        self.charged += amount;
        Ok(())
    }

    async fn pay(&self, held: &Reservation) -> Result<Purchase, Stop> {
        let Shop { client, .. } = &*self.shop;
        let paid = self.ask(Call::Pay, || client.pay(&self.queue_token, held.reservation_id)).await?;
        let due = held.payment.map(|due| due.payment_id);
        let left = self.charged - held.amount;
        let (payment, seat) = (&paid.payment, held.seats.first().copied());
        let fits = payment.amount == held.amount && Some(payment.payment_id) == due && paid.balance == left;
        match seat {
            Some(seat) if fits => Ok(Purchase {
                performance: held.performance_id,
                seat,
                amount: payment.amount,
                payment: payment.payment_id,
                reservation: held.reservation_id,
            }),
            _ => Err(Stop::Wrong(format!("{paid:?} should leave {left} and pay {held:?}"))),
        }
    }

    /// Leaves the queue, so that the next may come in.
    async fn go_home(&self) -> Result<Purchase, Stop> {
        match self.ask(Call::Leave, || self.shop.client.leave(&self.queue_token)).await {
            Ok(()) => Err(Stop::NoSeatLeft),
            // Who is told to go while going found no seat all the same.
            Err(stop) if stop.is_too_late() => Err(Stop::NoSeatLeft),
            Err(stop) => Err(stop),
        }
    }
}
