use std::time::Duration;

use booking_core::{Ticket, queue::Place};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /v1/queue/tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::enter_queue))]
#[serde(deny_unknown_fields)]
pub struct EnterQueue {
    /// The lane to enter; `main` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::lane_or_none))]
    pub lane: Option<String>,
}

/// A queue token and where it stands (Q2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::queue_token))]
pub struct QueueToken {
    /// The bearer token for dates, seats, reservations and payments.
    pub queue_token: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: QueuePlace,
}

/// Where a queue token stands (Q4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = crate::openapi::examples::queue_place))]
pub struct QueuePlace {
    /// Whose token it is.
    pub user_id: Uuid,
    /// The lane.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::lane))]
    pub lane: String,
    /// The number taken; admission is in this order.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub order: u64,
    /// Whether it waits, is admitted or done.
    pub status: PlaceStatus,
    /// While waiting: the place, 1 being next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub rank: Option<u64>,
    /// While waiting: how many are before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
    /// While waiting: how long it will be, at the speed of late. Absent while there is nothing to estimate by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_wait_seconds: Option<u64>,
    /// While waiting: when to ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_after_ms: Option<u64>,
    /// While admitted: at this instant it is over, unless a booking call comes before and starts the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When done: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::end_reason))]
    pub reason: Option<String>,
}

/// Where a token stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlaceStatus {
    /// In the queue.
    Waiting,
    /// May book.
    Admitted,
    /// Over.
    Done,
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl QueuePlace {
    /// The place of a ticket.
    pub fn of(ticket: &Ticket, place: Place) -> Self {
        let plain = Self {
            user_id: ticket.user.0,
            lane: ticket.lane.to_string(),
            order: ticket.seq,
            status: PlaceStatus::Waiting,
            rank: None,
            ahead: None,
            estimated_wait_seconds: None,
            poll_after_ms: None,
            expires_at: None,
            reason: None,
        };
        match place {
            Place::Waiting { rank, ahead, estimated_wait, poll_after } => Self {
                rank: Some(rank),
                ahead: Some(ahead),
                estimated_wait_seconds: estimated_wait.map(|wait| wait.as_secs()),
                poll_after_ms: Some(millis(poll_after)),
                ..plain
            },
            Place::Admitted { until, .. } => {
                Self { status: PlaceStatus::Admitted, expires_at: Some(until.into()), ..plain }
            }
            Place::Done(reason) => {
                Self { status: PlaceStatus::Done, reason: Some(reason.as_str().into()), ..plain }
            }
        }
    }
}
