use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use booking_api::{
    List, Performance, Reservation,
    client::{Client, ClientError},
};
use uuid::Uuid;

use super::{Buyer, Call, Stop};

/// The concerts of a lane, and which of them people found without a free seat.
#[derive(Debug)]
pub struct Market {
    concerts: Vec<Uuid>,
    without_seats: Mutex<BTreeSet<Uuid>>,
}

impl Market {
    /// The concerts that the lane leads to.
    pub async fn of(client: &Client, lane: &str) -> Result<Self, ClientError> {
        let concerts =
            List::whole(async |cursor: Option<String>| client.concerts(cursor.as_deref()).await).await?;
        let of_lane = concerts.into_iter().filter(|concert| concert.lane == lane);
        let concerts = of_lane.map(|concert| concert.concert_id).collect();
        Ok(Self { concerts, without_seats: Mutex::default() })
    }

    /// How many concerts there are.
    pub fn concerts(&self) -> usize {
        self.concerts.len()
    }

    fn open(&self) -> Vec<Uuid> {
        let without = self.without_seats.lock().unwrap_or_else(PoisonError::into_inner);
        self.concerts.iter().filter(|concert| !without.contains(concert)).copied().collect()
    }

    fn is_without_seats(&self, concert: Uuid) {
        self.without_seats.lock().unwrap_or_else(PoisonError::into_inner).insert(concert);
    }
}

impl Buyer {
    /// Goes from concert to concert, and from date to date, until a seat is held. None: no free seat is left.
    pub(super) async fn hold_anywhere(&mut self, market: &Market) -> Result<Option<Reservation>, Stop> {
        for concert in self.dice.shuffled(market.open()) {
            let dates = self.dates(concert).await?;
            let dates = dates.into_iter().filter(|date| date.seats_available > 0).collect();
            for date in self.dice.shuffled(dates) {
                if let Some(held) = self.hold_in(date.performance_id).await? {
                    return Ok(Some(held));
                }
            }
            market.is_without_seats(concert);
        }
        Ok(None)
    }

    async fn dates(&self, concert: Uuid) -> Result<Vec<Performance>, Stop> {
        List::whole(async |cursor: Option<String>| {
            let client = &self.shop.client;
            let dates = || client.performances_of(&self.queue_token, concert, cursor.as_deref());
            self.ask(Call::Dates, dates).await
        })
        .await
    }
}
