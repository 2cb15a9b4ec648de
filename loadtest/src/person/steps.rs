//! What a person does, step by step.

use std::time::Duration;

use booking_api::{Code, PlaceStatus, QueueToken, Seats, UserCreated};
use rand::{Rng, seq::IndexedRandom};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Person, Stop};
use crate::{
    crew::Answer,
    hear::epoch_of,
    history::{Fact, Heard, HeldFact, PaidFact, PlaceFact, Probe, TicketId},
};

/// What a search for a seat came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A seat is held.
    Seat(HeldFact),
    /// No seat is free now.
    Nothing,
}

/// Without advice, this long passes until the next question.
const DEFAULT_POLL: Duration = Duration::from_secs(1);

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, Stop> {
    serde_json::from_slice(&answer.body).map_err(|_| Stop::Lost)
}

fn place_of(answer: &Answer) -> Result<PlaceFact, Stop> {
    match &answer.heard {
        Heard::Acknowledged(Fact::Place(place)) => Ok(place.clone()),
        _ => Err(Stop::Lost),
    }
}

impl Person {
    /// Becomes known to the service.
    pub async fn sign_up(&mut self) -> Result<(), Stop> {
        let created: UserCreated = parse(&self.ask(self.sign_up_call()).await?)?;
        (self.user, self.user_token) = (created.user_id, created.user_token.into());
        Ok(())
    }

    /// Takes a number in the lane of the run, or finds the one there is.
    pub async fn enter(&mut self) -> Result<PlaceFact, Stop> {
        let answer = self.ask(self.enter_call()).await?;
        let token: QueueToken = parse(&answer)?;
        let epoch = epoch_of(&token.queue_token).ok_or(Stop::Lost)?;
        self.ticket = Some(TicketId { epoch, order: token.place.order });
        self.queue_token = token.queue_token.into();
        place_of(&answer)
    }

    /// Takes a number in the lane beside, whose token opens nothing of the run.
    pub async fn enter_beside(&mut self) -> Result<(), Stop> {
        let token: QueueToken = parse(&self.ask(self.enter_beside_call()).await?)?;
        self.queue_token = token.queue_token.into();
        Ok(())
    }

    /// Asks where the ticket stands, at the pace the service advises, until it is admitted.
    pub async fn wait_for_turn(&mut self) -> Result<(), Stop> {
        loop {
            let (place, advised) = self.ask_place().await?;
            match place.status {
                PlaceStatus::Admitted => return Ok(()),
                PlaceStatus::Done => return Err(Stop::Over),
                PlaceStatus::Waiting => self.pause(advised).await,
            }
        }
    }

    /// Where the ticket stands, and when the service advises to ask again.
    pub async fn ask_place(&mut self) -> Result<(PlaceFact, Duration), Stop> {
        let answer = self.ask(self.status_call()).await?;
        Ok((place_of(&answer)?, advice(&answer)))
    }

    /// Enters and waits for the turn.
    pub async fn queue(&mut self) -> Result<(), Stop> {
        let place = self.enter().await?;
        if place.status == PlaceStatus::Admitted { Ok(()) } else { self.wait_for_turn().await }
    }

    /// Leaves the lane.
    pub async fn leave(&mut self) -> Result<(), Stop> {
        self.ask(self.leave_call()).await.map(drop)
    }

    /// Looks at the dates.
    pub async fn look_at_dates(&mut self) -> Result<(), Stop> {
        self.ask(self.dates_call()).await.map(drop)
    }

    /// The seats that can be held.
    pub async fn free_seats(&mut self, performance: Uuid) -> Result<Vec<u32>, Stop> {
        let seats: Seats = parse(&self.ask(self.seats_call(performance)).await?)?;
        Ok(seats.available)
    }

    /// Holds a seat.
    pub async fn hold(&mut self, performance: Uuid, seat: u32) -> Result<HeldFact, Stop> {
        let key = self.fresh_key();
        match self.ask(self.hold_call(key, performance, seat)).await?.heard {
            Heard::Acknowledged(Fact::Held(held)) => Ok(held),
            _ => Err(Stop::Lost),
        }
    }

    /// Tries free seats until one is held or none is free.
    pub async fn hold_any(&mut self, performance: Uuid) -> Result<Found, Stop> {
        let mut refused = Vec::new();
        loop {
            let mut free = self.free_seats(performance).await?;
            // The list may be a moment old: what was refused is not tried again.
            free.retain(|seat| !refused.contains(seat));
            let Some(&seat) = free.choose(&mut self.dice) else { return Ok(Found::Nothing) };
            match self.hold(performance, seat).await {
                Err(Stop::Refused(Code::SeatTaken)) => refused.push(seat),
                held => return held.map(Found::Seat),
            }
        }
    }

    /// Gives a hold back.
    pub async fn release(&mut self, reservation: Uuid) -> Result<(), Stop> {
        self.ask(self.release_call(reservation)).await.map(drop)
    }

    /// Pays a reservation.
    pub async fn pay(&mut self, reservation: Uuid) -> Result<PaidFact, Stop> {
        match self.ask(self.pay_call(reservation)).await?.heard {
            Heard::Acknowledged(Fact::Paid(paid)) => Ok(paid),
            _ => Err(Stop::Lost),
        }
    }

    /// Puts money into the wallet.
    pub async fn charge(&mut self, amount: i64) -> Result<(), Stop> {
        if amount == 0 {
            return Ok(());
        }
        let key = self.fresh_key();
        self.ask(self.charge_call(key, amount)).await.map(drop)
    }

    /// Reads the balance.
    pub async fn balance(&mut self) -> Result<(), Stop> {
        self.ask(self.wallet_call()).await.map(drop)
    }

    /// Tries what nobody may do; what comes of it is for the oracle.
    pub async fn probe(&mut self, probe: Probe) {
        self.ask(self.probe_call(probe)).await.ok();
    }

    /// One of the performances.
    pub fn some_performance(&mut self) -> Uuid {
        let performances = &self.stage.performances;
        performances[self.dice.random_range(0..performances.len())]
    }

    /// A span up to so long.
    pub fn up_to(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.dice.random())
    }
}

/// When the service advises to ask again.
fn advice(answer: &Answer) -> Duration {
    #[derive(serde::Deserialize)]
    struct Advice {
        poll_after_ms: Option<u64>,
    }
    let advised = serde_json::from_slice::<Advice>(&answer.body).ok().and_then(|advice| advice.poll_after_ms);
    advised.map_or(DEFAULT_POLL, Duration::from_millis)
}
