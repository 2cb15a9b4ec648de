use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use booking_api::{
    Performance, Reservation,
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
        let mut concerts = Vec::new();
        let mut cursor = None;
        loop {
            let page = client.concerts(cursor.as_deref()).await?;
            let of_lane = page.items.into_iter().filter(|concert| concert.lane == lane);
            concerts.extend(of_lane.map(|concert| concert.concert_id));
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(Self { concerts, without_seats: Mutex::default() });
            }
        }
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
        let mut dates = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = self.ask(Call::Dates, || {
                self.shop.client.performances_of(&self.queue_token, concert, cursor.as_deref())
            });
            let page = page.await?;
            dates.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(dates);
            }
        }
    }
}
