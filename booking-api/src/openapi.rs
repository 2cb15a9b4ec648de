//! What the wire types don't say of themselves in the OpenAPI document: bounds, the words of the core, examples.

mod events;
pub mod examples;
mod problems;
mod wish;

use std::{borrow::Cow, marker::PhantomData};

use booking_core::{
    EndReason,
    catalog::MOST_SEATS,
    hold::{ReservationStatus, SeatStatus},
    payment::PaymentStatus,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Array, ArrayBuilder, Object, ObjectBuilder, OneOf, OneOfBuilder, Ref, RefOr, Required, Schema,
        path::{ParameterBuilder, ParameterIn},
        schema::{SchemaType, Type},
    },
};

pub(crate) use self::events::events;
use crate::{IDEMPOTENCY_KEY, MOST_A_PAGE, Problem};

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

/// One of some words.
fn word<T: serde::Serialize>(description: &str, words: impl IntoIterator<Item = T>) -> Object {
    // A word of the core can always be written.
    let words = words.into_iter().map(|word| serde_json::to_value(word).unwrap_or_default());
    text(description).enum_values(Some(words)).build()
}

fn lane_name(description: &str) -> ObjectBuilder {
    text(description).pattern(Some("^[a-z0-9-]{1,32}$")).examples(["main"])
}

/// The name of a lane, as a part of the path and as a field.
pub fn lane() -> Object {
    lane_name("The name of a lane.").build()
}

pub(crate) fn lane_or_none() -> Object {
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    lane_name("The lane to enter; `main` by default.").schema_type(types).build()
}

pub(crate) fn lane_or_main() -> Object {
    lane_name("The lane that leads to it.").default(Some("main".into())).build()
}

pub(crate) fn end_reason() -> Object {
    word("Why the queue token is done, when it is.", EndReason::ALL.iter().copied())
}

pub(crate) fn reservation_status() -> Object {
    word("Where it stands.", ReservationStatus::ALL.iter().copied())
}

pub(crate) fn payment_status() -> Object {
    word("Where it stands.", [PaymentStatus::Due, PaymentStatus::Paid, PaymentStatus::Refunded])
}

pub(crate) fn seat_status() -> Object {
    word("What it is.", [SeatStatus::Available, SeatStatus::Held, SeatStatus::Sold])
}

pub(crate) fn entry_kind() -> Object {
    word("What moved the money.", ["charge", "debit", "refund"])
}

/// The number of a seat.
pub fn seat() -> Object {
    let number = ObjectBuilder::new().schema_type(Type::Integer).description(Some("The number of a seat."));
    number.minimum(Some(1)).maximum(Some(MOST_SEATS)).build()
}

/// Numbers of seats in an answer.
pub(crate) fn seats() -> Array {
    ArrayBuilder::new().items(seat()).unique_items(true).description(Some("Numbers, ascending.")).build()
}

pub(crate) fn wanted_seats() -> Array {
    let what = "The numbers of the seats: all of them are held, or none.";
    ArrayBuilder::new().items(seat()).min_items(Some(1)).unique_items(true).description(Some(what)).build()
}

pub(crate) fn limit() -> Object {
    let number = ObjectBuilder::new().schema_type(Type::Integer).description(Some("This many at most."));
    number.minimum(Some(1)).maximum(Some(MOST_A_PAGE)).default(Some(100.into())).build()
}

pub(crate) fn cursor() -> Object {
    text("The `next_cursor` of the page before.").pattern(Some("^-?[0-9]{1,18}\\.[0-9a-f]{32}$")).build()
}

/// An event of a stream that carries a `T`, or a problem: what each event of a `text/event-stream` is read as.
pub struct Pushed<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for Pushed<T> {
    fn schema() -> RefOr<Schema> {
        let of = [T::name(), Problem::name()].map(Ref::from_schema_name);
        let carried = of.into_iter().fold(OneOf::builder(), OneOfBuilder::item).build();
        let data =
            text("JSON.").content_media_type("application/json").content_schema(Some(Schema::OneOf(carried)));
        let retry = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("After how many milliseconds to come back when the stream broke."));
        ObjectBuilder::new()
            .property("event", text("What is carried; `problem`: a problem."))
            .property("data", data)
            .property("id", text("Names the event."))
            .property("retry", retry)
            .required("event")
            .required("data")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Pushed<T> {
    fn name() -> Cow<'static, str> {
        format!("Pushed_{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into(), T::schema()));
        T::schemas(schemas);
    }
}

/// The header [`IDEMPOTENCY_KEY`], for `params(…)` of a call.
pub struct IdempotencyKey<const NEEDED: bool>;

impl<const NEEDED: bool> utoipa::IntoParams for IdempotencyKey<NEEDED> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<utoipa::openapi::path::Parameter> {
        let what = "The caller's identity of this request: repeating it with the same key has one effect and brings \
                    one answer, which is then marked `Idempotency-Replayed`.";
        let key = text("1 to 255 printable ASCII characters.")
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]([ -~]*[!-~])?$"));
        let parameter = ParameterBuilder::new()
            .name(IDEMPOTENCY_KEY)
            .parameter_in(ParameterIn::Header)
            .required(if NEEDED { Required::True } else { Required::False })
            .description(Some(what))
            .schema(Some(key.build()))
            .example(Some("order-2031-05-04-0017".into()));
        vec![parameter.build()]
    }
}
