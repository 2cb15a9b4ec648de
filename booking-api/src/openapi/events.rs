//! The log as the OpenAPI document tells of it: the core writes events by itself, so they have no wire type here.

use utoipa::openapi::{
    Array, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat,
    schema::{AdditionalProperties, Type},
};

use super::{text, word};

const TYPES: [&str; 16] = [
    "concert_added",
    "concert_changed",
    "performance_added",
    "performance_changed",
    "lane_set",
    "seats_held",
    "hold_released",
    "hold_expired",
    "seats_sold",
    "seats_returned",
    "wallet_opened",
    "wallet_charged",
    "wallet_debited",
    "wallet_refunded",
    "payment_made",
    "payment_refunded",
];

pub(crate) fn events() -> Array {
    let seq = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .description(Some("Its place in the log: from 1, in commit order."));
    let decided = text("When it was decided.").format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    let event = ObjectBuilder::new()
        .property("seq", seq)
        .property("decided_at", decided)
        .property("type", word("What happened. The other fields depend on it.", TYPES))
        .required("seq")
        .required("decided_at")
        .required("type")
        .additional_properties(Some(AdditionalProperties::FreeForm(true)));
    ArrayBuilder::new().items(event).description(Some("The events, in commit order.")).build()
}

#[cfg(test)]
mod tests {
    use booking_core::{Event, catalog, hold, payment, wallet};

    use super::*;

    /// The place of an event's type among [`TYPES`]: a new event does not compile until it has one.
    fn place(event: &Event) -> usize {
        match event {
            Event::Catalog(event) => match event {
                catalog::Event::ConcertAdded(_) => 0,
                catalog::Event::ConcertChanged(_) => 1,
                catalog::Event::PerformanceAdded(_) => 2,
                catalog::Event::PerformanceChanged(_) => 3,
                catalog::Event::LaneSet { .. } => 4,
            },
            Event::Hold(event) => match event {
                hold::Event::SeatsHeld(_) => 5,
                hold::Event::HoldReleased(_) => 6,
                hold::Event::HoldExpired(_) => 7,
                hold::Event::SeatsSold(_) => 8,
                hold::Event::SeatsReturned(_) => 9,
            },
            Event::Wallet(event) => match event {
                wallet::Event::WalletOpened { .. } => 10,
                wallet::Event::WalletCharged(_) => 11,
                wallet::Event::WalletDebited(_) => 12,
                wallet::Event::WalletRefunded(_) => 13,
            },
            Event::Payment(event) => match event {
                payment::Event::PaymentMade(_) => 14,
                payment::Event::PaymentRefunded { .. } => 15,
            },
        }
    }

    #[test]
    fn an_event_is_written_with_the_type_it_is_described_by() {
        let event = crate::openapi::examples::opened();
        let written = serde_json::to_value(&event).unwrap();
        assert_eq!(written["type"], TYPES[place(&event)]);
    }
}
