use std::collections::BTreeMap;

use booking_api::{AuditReport, Entry, Payment, PlaceStatus, Reservation};
use booking_core::RecordedEvent;
use uuid::Uuid;

use crate::history::{Micros, Sample, Seen};

/// Everything a run is judged by.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What had been agreed.
    pub terms: Terms,
    /// Who each person is to the service.
    pub users: BTreeMap<u32, Uuid>,
    /// What people asked and heard, in the order of the answers.
    pub history: Vec<Seen>,
    /// The lane during the run, in order.
    pub samples: Vec<Sample>,
    /// What the service says afterwards.
    pub books: Books,
}

/// What had been agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How many the lane admits at once, at most.
    pub capacity: u64,
    /// How long an admitted person has to show up.
    pub claim_ttl: Micros,
    /// When the doors opened, if people gathered before them: until then nobody was let in.
    pub opened: Option<Micros>,
    /// The performances of the run.
    pub performances: Vec<Uuid>,
    /// What a seat of them costs.
    pub price: i64,
}

/// What the service says after the run.
#[derive(Clone, Debug)]
pub struct Books {
    /// The log since the run began.
    pub events: Vec<RecordedEvent>,
    /// The service's own audit.
    pub audit: AuditReport,
    /// The accounts of everybody who charged, held or paid.
    pub accounts: BTreeMap<u32, Account>,
}

/// What the service says of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The balance.
    pub balance: i64,
    /// The ledger, by number.
    pub entries: Vec<Entry>,
    /// The payments.
    pub payments: Vec<Payment>,
    /// The reservations.
    pub reservations: Vec<Reservation>,
    /// Where the last ticket stands; none when the person has none, or it is unknown.
    pub ticket: Option<PlaceStatus>,
}

impl Evidence {
    /// The records of a person.
    pub fn of(&self, person: u32) -> Vec<&Seen> {
        self.history.iter().filter(|seen| seen.person == person).collect()
    }

    /// The records that are about a reservation.
    pub fn about(&self, reservation: Uuid) -> Vec<&Seen> {
        use crate::history::Act;
        let is_about = |seen: &&Seen| {
            matches!(seen.act, Act::Pay(id) | Act::Release(id) if id == reservation)
                || seen.held().is_some_and(|held| held.reservation == reservation)
        };
        self.history.iter().filter(is_about).collect()
    }
}
