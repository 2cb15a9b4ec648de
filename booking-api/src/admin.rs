use std::time::Duration;

use booking_core::{
    InvalidMoney, LaneName, Money, RecordedEvent,
    audit::Audit,
    catalog::{self, ConcertDraft, PerformanceDraft},
    id::{ConcertId, PerformanceId},
};
use chrono::{DateTime, Datelike, FixedOffset};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::{
    instant::YEARS,
    list::{self, InvalidPage},
};

fn main_lane() -> String {
    LaneName::main().into()
}

fn fifty() -> u32 {
    50
}

fn yes() -> bool {
    true
}

/// `POST /v1/admin/concerts`: concerts to add or bring up to date. The same request twice changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::put_concerts))]
#[serde(deny_unknown_fields)]
pub struct PutConcerts {
    /// The concerts.
    pub concerts: Vec<ConcertInput>,
}

/// A concert with its dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConcertInput {
    /// Its identity.
    pub concert_id: Uuid,
    /// Its name.
    #[cfg_attr(
        feature = "openapi",
        schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")
    )]
    pub title: String,
    /// The lane that leads to it; `main` by default.
    #[serde(default = "main_lane")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::lane_or_main))]
    pub lane: String,
    /// Its dates; those that are absent stay as they are.
    #[serde(default)]
    pub performances: Vec<PerformanceInput>,
}

/// A dated show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PerformanceInput {
    /// Its identity.
    pub performance_id: Uuid,
    /// Where it is.
    #[cfg_attr(feature = "openapi", schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"))]
    pub venue: String,
    /// When it begins, with the offset of its place.
    pub starts_at: DateTime<FixedOffset>,
    /// The IANA name of its time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"))]
    pub zone: Option<String>,
    /// What one seat costs, in the currency's minor unit; 0 is free.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub price: i64,
    /// How many seats, numbered from 1; 50 by default, 20,000 at most. Never shrinks.
    #[serde(default = "fifty")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 20_000, default = 50))]
    pub seats: u32,
    /// Whether its seats may be held; true by default.
    #[serde(default = "yes")]
    #[cfg_attr(feature = "openapi", schema(default = true))]
    pub on_sale: bool,
}

impl ConcertInput {
    /// The draft this describes, or what is wrong with it.
    pub fn draft(self) -> Result<ConcertDraft, String> {
        let lane = self.lane.parse().map_err(|error| format!("lane: {error}"))?;
        let performances = self.performances.into_iter().map(PerformanceInput::draft);
        let performances = performances.collect::<Result<_, _>>()?;
        Ok(ConcertDraft { id: ConcertId(self.concert_id), title: self.title, lane, performances })
    }
}

impl PerformanceInput {
    fn draft(self) -> Result<PerformanceDraft, String> {
        let years = [self.starts_at.year(), self.starts_at.to_utc().year()];
        if !years.iter().all(|year| YEARS.contains(year)) {
            let id = self.performance_id;
            return Err(format!(
                "starts_at of performance {id}: the year must be 1 to 9999, there and in UTC"
            ));
        }
        let named = |error: InvalidMoney| format!("price of performance {}: {error}", self.performance_id);
        Ok(PerformanceDraft {
            id: PerformanceId(self.performance_id),
            price: Money::new(self.price).map_err(named)?,
            venue: self.venue,
            starts_at: self.starts_at,
            zone: self.zone,
            seats: self.seats,
            on_sale: self.on_sale,
        })
    }
}

/// What a bulk of concerts did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::concerts_put))]
pub struct ConcertsPut {
    /// Concerts and performances added.
    pub added: u64,
    /// Concerts and performances changed.
    pub changed: u64,
    /// Concerts whose description changed nothing.
    pub unchanged: u64,
}

impl From<catalog::Changes> for ConcertsPut {
    fn from(changes: catalog::Changes) -> Self {
        Self { added: changes.added, changed: changes.changed, unchanged: changes.unchanged }
    }
}

/// `PATCH /v1/admin/lanes/{lane}`: what to change; an absent field stays, null takes a limit away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::lane_change))]
#[serde(deny_unknown_fields)]
pub struct LaneChange {
    /// How many may be admitted at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Int64, maximum = 4_294_967_295_u64))]
    pub capacity: Option<u32>,
    /// How many may wait; null: any number.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>, format = "uint64", maximum = 18_446_744_073_709_551_615_u64))]
    pub max_waiting: Option<Option<u64>>,
    /// How many are admitted a second; null: as capacity allows.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000))]
    pub admit_per_second: Option<Option<u32>>,
    /// How long an admitted person has to show up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 2_592_000_000_u64))]
    pub claim_ttl_ms: Option<u64>,
    /// How long a session lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 2_592_000_000_u64))]
    pub session_ttl_ms: Option<u64>,
    /// Whether admission rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Whether the lane is closed: nobody enters, and every token is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
}

/// Tells a field that is null from one that is absent.
#[allow(clippy::option_option, reason = "absent, null and a value are three things here")]
fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl From<LaneChange> for catalog::LaneChange {
    fn from(change: LaneChange) -> Self {
        Self {
            capacity: change.capacity,
            max_waiting: change.max_waiting,
            admit_per_second: change.admit_per_second,
            claim_ttl: change.claim_ttl_ms.map(Duration::from_millis),
            session_ttl: change.session_ttl_ms.map(Duration::from_millis),
            paused: change.paused,
            closed: change.closed,
        }
    }
}

/// A lane as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::lane_status))]
pub struct LaneStatus {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::lane))]
    pub lane: String,
    /// How many may be admitted at once.
    #[cfg_attr(feature = "openapi", schema(format = Int64))]
    pub capacity: u32,
    /// How many may wait; null: any number.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub max_waiting: Option<u64>,
    /// How many are admitted a second; null: as capacity allows.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub admit_per_second: Option<u32>,
    /// How long an admitted person has to show up.
    pub claim_ttl_ms: u64,
    /// How long a session lasts.
    pub session_ttl_ms: u64,
    /// Whether admission rests.
    pub paused: bool,
    /// Whether the lane is closed.
    pub closed: bool,
    /// Whether every seat is sold.
    pub sold_out: bool,
    /// How many wait; null while the queue does not know the lane yet, or does not tell.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub waiting: Option<u64>,
    /// How many are admitted; null while the queue does not know the lane yet, or does not tell.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub admitted: Option<u64>,
    /// How many numbers were given; null while the queue does not know the lane yet, or does not tell.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub entered: Option<u64>,
}

impl From<booking_core::LaneStatus> for LaneStatus {
    fn from(status: booking_core::LaneStatus) -> Self {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let (settings, snapshot) = (status.record.settings, status.snapshot);
        Self {
            lane: status.record.name.into(),
            capacity: settings.policy.capacity,
            max_waiting: settings.policy.max_waiting,
            admit_per_second: settings.policy.admit_per_second,
            claim_ttl_ms: millis(settings.policy.claim_ttl),
            session_ttl_ms: millis(settings.policy.session_ttl),
            paused: settings.paused,
            closed: settings.closed,
            sold_out: settings.sold_out,
            waiting: snapshot.as_ref().map(|lane| lane.waiting),
            admitted: snapshot.as_ref().map(|lane| lane.admitted),
            entered: snapshot.as_ref().map(|lane| lane.next - 1),
        }
    }
}

/// `POST /v1/admin/refunds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::refund))]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The payment to give back.
    pub payment_id: Uuid,
    /// Only tell what would be answered, and change nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(default = false))]
    pub dry_run: bool,
}

/// `GET /v1/admin/events`: which part of the log is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Events after this number; 0, all, by default.
    #[cfg_attr(feature = "openapi", param(format = "uint64", maximum = 18_446_744_073_709_551_615_u64))]
    #[serde(default)]
    pub after: u64,
    /// This many at most, 1 to 1,000; 100 by default.
    #[cfg_attr(feature = "openapi", param(schema_with = crate::openapi::limit, required = false))]
    pub limit: Option<usize>,
}

impl EventsQuery {
    /// How many events this asks for at most.
    pub fn limit(&self) -> Result<usize, InvalidPage> {
        list::limit(self.limit)
    }
}

/// A part of the log, in commit order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::events))]
pub struct Events {
    /// The events.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::events))]
    pub items: Vec<RecordedEvent>,
    /// What to pass as `after` next time.
    pub next_after: u64,
}

/// The verdict over everything that must always hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::audit_report))]
pub struct AuditReport {
    /// Whether nothing is wrong.
    pub clean: bool,
    /// One line a check.
    pub checks: Vec<AuditCheck>,
}

/// The verdict of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditCheck {
    /// The number of the invariant.
    #[cfg_attr(feature = "openapi", schema(example = "I6"))]
    pub invariant: String,
    /// What was checked.
    pub statement: String,
    /// How many things were looked at.
    pub checked: u64,
    /// What is wrong, with ids.
    pub violations: Vec<String>,
}

impl From<Audit> for AuditReport {
    fn from(audit: Audit) -> Self {
        let clean = audit.is_clean();
        let checks = audit.checks.into_iter().map(|check| AuditCheck {
            invariant: check.invariant.into(),
            statement: check.statement.into(),
            checked: check.checked,
            violations: check.violations,
        });
        Self { clean, checks: checks.collect() }
    }
}

#[cfg(test)]
mod tests {
    use booking_core::{
        Event, Timestamp,
        id::{EntryId, PaymentId, UserId},
        wallet::{self, Entry, EntryKind},
    };

    use super::*;

    #[test]
    fn events_survive_their_form_in_json() {
        let (at, user) = (Timestamp::from_micros(1_700_000_000_000_000), UserId::random());
        let debit = Entry {
            id: EntryId::random(),
            user,
            number: 1,
            kind: EntryKind::Debit(PaymentId::random()),
            amount: Money::new(5).unwrap(),
            balance_after: Money::ZERO,
            at,
        };
        let events: [Event; 2] =
            [wallet::Event::WalletOpened { user, at }.into(), wallet::Event::WalletDebited(debit).into()];
        let items = events.into_iter().map(|event| RecordedEvent { seq: 7, at, event }).collect();
        let page = Events { items, next_after: 7 };
        let text = serde_json::to_string(&page).unwrap();
        assert_eq!(serde_json::from_str::<Events>(&text).unwrap(), page, "{text}");
    }
}
