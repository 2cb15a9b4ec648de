//! How the engine's values travel to and from columns.

use booking_core::{EndReason, Timestamp};
use chrono::{DateTime, Utc};
use sqlx::{
    Decode, Encode, Postgres, Row, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueRef},
};

use crate::trouble::damaged;

/// 2000-01-01, from which PostgreSQL counts, in microseconds since 1970-01-01.
const EPOCH: i64 = 946_684_800_000_000;

/// An instant as `timestamptz`: both are whole microseconds in 64 bits, so nothing is lost on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At(pub(crate) Timestamp);

impl Type<Postgres> for At {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for At {
    fn array_type_info() -> PgTypeInfo {
        <DateTime<Utc> as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for At {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Postgres>>::encode(self.0.micros().saturating_sub(EPOCH), buffer)
    }
}

impl Decode<'_, Postgres> for At {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        Ok(Self(Timestamp::from_micros(micros.saturating_add(EPOCH))))
    }
}

/// A column that counts.
pub(crate) fn count<T: TryFrom<i64>>(row: &PgRow, column: usize) -> Result<T, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    T::try_from(number).map_err(|_| damaged(format_args!("a count of {number}")))
}

/// Why a ticket ended.
pub(crate) fn reason(text: &str) -> Result<EndReason, sqlx::Error> {
    use EndReason::{Closed, Completed, HoldExpired, Left, NoShow, SessionExpired, SoldOut};
    let all = [Completed, HoldExpired, SessionExpired, NoShow, Left, SoldOut, Closed];
    let found = all.into_iter().find(|reason| reason.as_str() == text);
    found.ok_or_else(|| damaged(format_args!("no ticket ends by {text:?}")))
}

/// Numbers as an array that is an element of an array: `{1,2}`. `unnest` would flatten arrays in arrays, so they travel
/// as text and are cast.
pub(crate) fn int_array(numbers: &[u32]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 + 4 * numbers.len());
    text.push('{');
    for (at, number) in numbers.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a string can't fail.
        write!(text, "{comma}{number}").ok();
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_an_array_in_an_array_are_text() {
        assert_eq!(int_array(&[]), "{}");
        assert_eq!(int_array(&[7]), "{7}");
        assert_eq!(int_array(&[1, 20, 300]), "{1,20,300}");
    }
}
