//! What a hold asks for: seats by their numbers, or the best ones. One of them, which no derived schema can say.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, OneOfBuilder, RefOr, Schema,
        schema::{AdditionalProperties, SchemaFormat, Type},
    },
};

use super::{examples, wanted_seats};
use crate::CreateReservation;

fn wish(name: &str, property: impl Into<RefOr<Schema>>) -> ObjectBuilder {
    let uuid = SchemaFormat::Custom("uuid".into());
    let performance = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(uuid))
        .description(Some("The performance."));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("performance_id", performance)
        .required("performance_id")
        .property(name, property)
        .required(name)
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
}

impl PartialSchema for CreateReservation {
    fn schema() -> RefOr<Schema> {
        let best = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some(
                "How many seats beside each other, the best there are: central, and leaving no seat alone if that can be.",
            ))
            .minimum(Some(1))
            .maximum(Some(20_000));
        // A body of ours can always be written.
        let example = serde_json::to_value(examples::create_reservation()).unwrap_or_default();
        OneOfBuilder::new()
            .description(Some("With `seats` or with `best`, never with both."))
            .item(wish("seats", wanted_seats()))
            .item(wish("best", best))
            .examples([example])
            .into()
    }
}

impl ToSchema for CreateReservation {}
