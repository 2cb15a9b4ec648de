use booking_core::{
    Timestamp,
    store::{Cursor, Page, PageRequest},
};
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use crate::instant::YEARS;

/// The most items a page can have.
pub const MOST_A_PAGE: usize = 1_000;
const DEFAULT_A_PAGE: usize = 100;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct List<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; null: this is the last.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A page of wire items made from a page of the engine's.
    pub fn of<U>(page: Page<U>, make: impl FnMut(U) -> T) -> Self {
        Self { next_cursor: page.next.map(encode_cursor), items: page.items.into_iter().map(make).collect() }
    }

    /// The items of all pages, each of which is asked for with its cursor.
    pub async fn whole<E, F>(page: impl Fn(Option<String>) -> F) -> Result<Vec<T>, E>
    where
        F: Future<Output = Result<Self, E>>,
    {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let Self { items, next_cursor } = page(cursor).await?;
            all.extend(items);
            if next_cursor.is_none() {
                return Ok(all);
            }
            cursor = next_cursor;
        }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// This many at most, 1 to 1,000; 100 by default.
    #[cfg_attr(feature = "openapi", param(schema_with = crate::openapi::limit, required = false))]
    pub limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[cfg_attr(feature = "openapi", param(schema_with = crate::openapi::cursor, required = false))]
    pub cursor: Option<String>,
}

/// A text that is no cursor, or a limit out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPage {
    /// The cursor was not made by this service.
    #[error("cursor: use the next_cursor of the page before, unchanged")]
    Cursor,
    /// The limit is out of range.
    #[error("limit: must be 1 to {MOST_A_PAGE}")]
    Limit,
}

impl ListQuery {
    /// The page this asks for.
    pub fn page(&self) -> Result<PageRequest, InvalidPage> {
        page(self.limit, self.cursor.as_deref())
    }
}

/// How many items are asked for.
pub(crate) fn limit(asked: Option<usize>) -> Result<usize, InvalidPage> {
    let limit = asked.unwrap_or(DEFAULT_A_PAGE);
    if (1..=MOST_A_PAGE).contains(&limit) { Ok(limit) } else { Err(InvalidPage::Limit) }
}

/// The page that a limit and a cursor ask for.
pub(crate) fn page(limit: Option<usize>, cursor: Option<&str>) -> Result<PageRequest, InvalidPage> {
    let limit = self::limit(limit)?;
    let after = cursor.map(decode_cursor).transpose()?;
    Ok(PageRequest { after, limit })
}

/// A position as an opaque text.
pub fn encode_cursor(cursor: Cursor) -> String {
    format!("{}.{}", cursor.at.micros(), cursor.id.simple())
}

/// The position an opaque text stands for.
pub fn decode_cursor(text: &str) -> Result<Cursor, InvalidPage> {
    let (at, id) = text.split_once('.').ok_or(InvalidPage::Cursor)?;
    let at = Timestamp::from_micros(at.parse().map_err(|_| InvalidPage::Cursor)?);
    let id = uuid::Uuid::try_parse(id).map_err(|_| InvalidPage::Cursor)?;
    if YEARS.contains(&DateTime::<Utc>::from(at).year()) {
        Ok(Cursor { at, id })
    } else {
        Err(InvalidPage::Cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form_and_nonsense_is_refused() {
        let cursor = Cursor { at: Timestamp::from_micros(-5), id: uuid::Uuid::from_u128(7) };
        assert_eq!(decode_cursor(&encode_cursor(cursor)), Ok(cursor));
        for bad in ["", ".", "1", "x.y", "1.zz", "99999999999999999999.00000000000000000000000000000007"] {
            assert_eq!(decode_cursor(bad), Err(InvalidPage::Cursor), "{bad:?}");
        }
        // The instants before the year 1 and after the year 9999, and the first and the last that there are.
        for at in [-62_135_596_800_000_001, 253_402_300_800_000_000, i64::MIN, i64::MAX] {
            let beyond = Cursor { at: Timestamp::from_micros(at), ..cursor };
            assert_eq!(decode_cursor(&encode_cursor(beyond)), Err(InvalidPage::Cursor), "{at}");
        }
        for at in [-62_135_596_800_000_000, 253_402_300_799_999_999] {
            let edge = Cursor { at: Timestamp::from_micros(at), ..cursor };
            assert_eq!(decode_cursor(&encode_cursor(edge)), Ok(edge));
        }
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        for limit in [0, MOST_A_PAGE + 1] {
            assert_eq!(page(Some(limit), None), Err(InvalidPage::Limit));
        }
        assert_eq!(page(None, None).map(|page| page.limit), Ok(100));
    }
}
