use chrono::NaiveDate;

use super::Engine;
use crate::{
    audit::{Audit, Check},
    catalog::{Concert, LaneRecord, LaneSettings},
    error::Error,
    event::RecordedEvent,
    hold::{Reservation, SeatNumber},
    id::{ConcertId, PerformanceId, ReservationId, UserId},
    payment::Payment,
    queue::LaneSnapshot,
    refusal::Refusal,
    store::{Listing, Page, PageRequest, PerformanceFilter, SeatMap, Totals},
    ticket::{LaneName, Ticket},
    wallet::{Entry, Wallet},
};

/// A lane as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneStatus {
    /// Its settings on record.
    pub record: LaneRecord,
    /// How it stands; none while the queue store does not know it yet.
    pub snapshot: Option<LaneSnapshot>,
}

impl Engine {
    /// All concerts (S1).
    pub async fn concerts(&self, page: PageRequest) -> Result<Page<Concert>, Error> {
        Ok(self.booking.concerts(page).await?)
    }

    /// The bookable performances of the ticket's lane, all or those of a concert or a local date (S2).
    pub async fn performances(
        &self,
        ticket: &Ticket,
        concert: Option<ConcertId>,
        date: Option<NaiveDate>,
        page: PageRequest,
    ) -> Result<Page<Listing>, Error> {
        self.admit(ticket).await?;
        if let Some(id) = concert {
            let concert = self.booking.concert(id).await?.ok_or(Refusal::UnknownConcert)?;
            ticket.check_leads_to(&concert.lane)?;
        }
        let filter = PerformanceFilter { lane: ticket.lane.clone(), concert, date };
        Ok(self.booking.performances(&filter, page).await?)
    }

    /// The seats of a performance of the ticket's lane (S3).
    pub async fn seat_map(&self, ticket: &Ticket, performance: PerformanceId) -> Result<SeatMap, Error> {
        self.admit(ticket).await?;
        let map = self.booking.seat_map(performance).await?.ok_or(Refusal::UnknownPerformance)?;
        ticket.check_leads_to(&map.lane)?;
        Ok(map)
    }

    /// The seats of a performance, for one who tells many of them: each must have been let in by
    /// [`seat_map`](Self::seat_map), and the lane of the map must still be that of each one's ticket.
    pub async fn watched_seats(&self, performance: PerformanceId) -> Result<SeatMap, Error> {
        Ok(self.booking.seat_map(performance).await?.ok_or(Refusal::UnknownPerformance)?)
    }

    /// The user's wallet (W2).
    pub async fn wallet(&self, user: UserId) -> Result<Wallet, Error> {
        Ok(self.booking.wallet(user).await?.ok_or(Refusal::UnknownUser)?)
    }

    /// The user's ledger (W4).
    pub async fn entries(&self, user: UserId, page: PageRequest) -> Result<Page<Entry>, Error> {
        Ok(self.booking.entries(user, page).await?)
    }

    /// A reservation of the user's (H6).
    pub async fn reservation(&self, user: UserId, id: ReservationId) -> Result<Reservation, Error> {
        Ok(self.booking.reservation(user, id).await?.ok_or(Refusal::UnknownReservation)?)
    }

    /// The user's reservations.
    pub async fn reservations(&self, user: UserId, page: PageRequest) -> Result<Page<Reservation>, Error> {
        Ok(self.booking.reservations(user, page).await?)
    }

    /// The user's payments (P5).
    pub async fn payments(&self, user: UserId, page: PageRequest) -> Result<Page<Payment>, Error> {
        Ok(self.booking.payments(user, page).await?)
    }

    /// The log after an event's number, in commit order. For operators and other services.
    pub async fn events(&self, after: u64, limit: usize) -> Result<Vec<RecordedEvent>, Error> {
        Ok(self.booking.events(after, limit).await?)
    }

    /// Everything that ever moved a seat. For operators.
    pub async fn seat_history(
        &self,
        performance: PerformanceId,
        seat: SeatNumber,
    ) -> Result<Vec<RecordedEvent>, Error> {
        let listing = self.booking.performance(performance).await?.ok_or(Refusal::UnknownPerformance)?;
        let seats = listing.performance.seats;
        if !(1..=seats).contains(&seat) {
            return Err(Refusal::UnknownSeat { seat: seat.into(), seats }.into());
        }
        Ok(self.booking.seat_history(performance, seat).await?)
    }

    /// All lanes. For operators.
    pub async fn lanes(&self) -> Result<Vec<LaneStatus>, Error> {
        let mut lanes = Vec::new();
        for record in self.booking.lanes().await? {
            lanes.push(self.with_snapshot(record).await?);
        }
        Ok(lanes)
    }

    /// What is held and sold in all. For operators.
    pub async fn totals(&self) -> Result<Totals, Error> {
        Ok(self.booking.totals().await?)
    }

    /// The settings of a lane on record, whether or not the queue store knows them yet. For operators.
    pub async fn lane_settings(&self, name: &LaneName) -> Result<Option<LaneSettings>, Error> {
        Ok(self.booking.lane(name).await?.map(|record| record.settings))
    }

    /// A lane. For operators.
    pub async fn lane(&self, name: &LaneName) -> Result<LaneStatus, Error> {
        let record = self.booking.lane(name).await?.ok_or(Refusal::UnknownLane)?;
        self.with_snapshot(record).await
    }

    async fn with_snapshot(&self, record: LaneRecord) -> Result<LaneStatus, Error> {
        match self.queue.snapshot(&record.name, None).await {
            Ok(snapshot) => Ok(LaneStatus { record, snapshot: Some(snapshot) }),
            Err(Error::Refused(Refusal::UnknownLane)) => Ok(LaneStatus { record, snapshot: None }),
            Err(error) => Err(error),
        }
    }

    /// Checks what must always hold, on all rows and lanes. For operators; it reads everything.
    pub async fn audit(&self) -> Result<Audit, Error> {
        let mut audit = self.booking.audit().await?;
        let mut check = Check {
            invariant: "I15",
            statement: "every user with a live number has exactly one in the lane",
            checked: 0,
            violations: Vec::new(),
        };
        for snapshot in self.lanes().await?.into_iter().filter_map(|lane| lane.snapshot) {
            check.checked += snapshot.users;
            let numbers = snapshot.waiting + snapshot.admitted;
            if snapshot.users != numbers {
                let epoch = snapshot.epoch.0;
                let what = format!("epoch {epoch:x}: {} users, but {numbers} live numbers", snapshot.users);
                check.violations.push(what);
            }
        }
        audit.checks.push(check);
        Ok(audit)
    }
}
