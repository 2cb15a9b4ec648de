//! How the engine's values travel to and from columns.

use std::str::FromStr;

use booking_core::{Timestamp, UnknownWord};
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

/// The values of a column.
pub(crate) fn column<'a, R: 'a, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// A column that counts.
pub(crate) fn count<T: TryFrom<i64>>(row: &PgRow, column: usize) -> Result<T, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    T::try_from(number).map_err(|_| damaged(format_args!("a count of {number}")))
}

/// A text that is one of the words that something can be.
pub(crate) fn word<T: FromStr<Err = UnknownWord>>(text: &str) -> Result<T, sqlx::Error> {
    text.parse().map_err(damaged)
}

/// Lists of numbers on their way. `unnest` would flatten arrays in arrays, so they travel in one, with the place where each
/// begins and the one where it ends, counted from 1: its slice is the list, and that of a missing list is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    pub(crate) numbers: Vec<i32>,
    pub(crate) first: Vec<Option<i32>>,
    pub(crate) last: Vec<Option<i32>>,
}

impl Lists {
    pub(crate) fn push(&mut self, list: Option<&[u32]>) {
        let place = |before: usize| i32::try_from(before).unwrap_or(i32::MAX);
        self.first.push(list.map(|_| place(self.numbers.len() + 1)));
        let numbers =
            list.unwrap_or_default().iter().map(|number| i32::try_from(*number).unwrap_or(i32::MAX));
        self.numbers.extend(numbers);
        self.last.push(list.map(|_| place(self.numbers.len())));
    }
}

impl<'a> FromIterator<Option<&'a [u32]>> for Lists {
    fn from_iter<T: IntoIterator<Item = Option<&'a [u32]>>>(lists: T) -> Self {
        let mut all = Self::default();
        lists.into_iter().for_each(|list| all.push(list));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_slices_of_one() {
        let lists: Lists = [Some(&[7][..]), None, Some(&[1, 20, 300]), Some(&[])].into_iter().collect();
        assert_eq!(lists.numbers, [7, 1, 20, 300]);
        assert_eq!(lists.first, [Some(1), None, Some(2), Some(5)]);
        assert_eq!(
            lists.last,
            [Some(1), None, Some(4), Some(4)],
            "a slice that ends before it begins is empty"
        );
    }
}
