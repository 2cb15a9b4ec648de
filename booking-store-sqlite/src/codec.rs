//! How the engine's values travel to and from columns.

use std::{error::Error, str::FromStr};

use booking_core::{LaneName, Money, Timestamp, UnknownWord, hold::Seats};
use rusqlite::{
    Row,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, Value, ValueRef},
};
use uuid::Uuid;

/// An identity, as text that a person can read.
#[derive(Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let mut text = Uuid::encode_buffer();
        let text = self.0.hyphenated().encode_lower(&mut text);
        Ok(ToSqlOutput::Owned(Value::Text((*text).to_owned())))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        Uuid::try_parse(text).map(Id).map_err(|error| FromSqlError::Other(error.into()))
    }
}

/// An instant, as whole microseconds.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) Timestamp);

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.micros().into())
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|micros| At(Timestamp::from_micros(micros)))
    }
}

/// A row that says what it can't.
pub(crate) fn damaged(column: usize, what: impl Into<Box<dyn Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Null, what.into())
}

/// A column that counts.
pub(crate) fn count<T: TryFrom<i64>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let number: i64 = row.get(column)?;
    T::try_from(number).map_err(|_| damaged(column, format!("a count of {number}")))
}

pub(crate) fn money(row: &Row<'_>, column: usize) -> rusqlite::Result<Money> {
    Money::new(row.get(column)?).map_err(|error| damaged(column, error))
}

pub(crate) fn at(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get::<_, At>(column).map(|at| at.0)
}

pub(crate) fn at_if_any(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<At>>(column).map(|at| at.map(|at| at.0))
}

pub(crate) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, Id>(column).map(|id| id.0)
}

pub(crate) fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r str> {
    row.get_ref(column)?.as_str().map_err(|error| damaged(column, error))
}

/// A text that is one of the words that something can be.
pub(crate) fn word<T: FromStr<Err = UnknownWord>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    text(row, column)?.parse().map_err(|error| damaged(column, error))
}

/// Numbers as a JSON array: `[1,2]`.
pub(crate) fn numbers(numbers: &[u32]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(2 + 4 * numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        // Writing to a string can't fail.
        write!(text, "{}{number}", if at == 0 { '[' } else { ',' }).ok();
    }
    text.push_str(if numbers.is_empty() { "[]" } else { "]" });
    text
}

pub(crate) fn numbers_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Seats> {
    let read = text(row, column)?;
    let inner = read.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inner = inner.ok_or_else(|| damaged(column, format!("no list of seats: {read}")))?;
    let numbers: Result<Seats, _> = inner.split(',').filter(|one| !one.is_empty()).map(str::parse).collect();
    numbers.map_err(|error| damaged(column, error))
}

/// Names of lanes as they were read before: the rows of a lane share one text.
#[derive(Default)]
pub(crate) struct Names(Vec<LaneName>);

impl Names {
    pub(crate) fn read(&mut self, row: &Row<'_>, column: usize) -> rusqlite::Result<LaneName> {
        let read = text(row, column)?;
        if let Some(known) = self.0.iter().find(|known| known.as_str() == read) {
            return Ok(known.clone());
        }
        let name: LaneName =
            read.parse().map_err(|error: booking_core::InvalidLaneName| damaged(column, error))?;
        self.0.push(name.clone());
        Ok(name)
    }
}
