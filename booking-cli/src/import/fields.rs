//! The fields of a row: what each may hold, the same for every format.

use booking_core::catalog::MOST_SEATS;
use serde_json::{Map, Value};

use super::{
    MAX_PRICE,
    fault::{Fault, shown},
};

/// The longest title, venue or id, in characters.
const MAX_CHARACTERS: usize = 300;

/// A title or a venue: trimmed, and each run of white space (a line break in a quoted field too) folded to one space.
pub(super) fn name(text: Option<&str>, field: &'static str) -> Result<String, Fault> {
    let words: Vec<&str> = text.unwrap_or_default().split_whitespace().collect();
    checked(words.join(" "), field)
}

/// The id of a concert in its source: trimmed, otherwise kept as it is, because other files may refer to it.
pub(super) fn source_id(text: &str, field: &'static str) -> Result<String, Fault> {
    checked(text.trim().to_owned(), field)
}

/// Control characters are refused for what they do to a terminal, and because a line break parts the fields of an
/// identity (see `collect`).
fn checked(text: String, field: &'static str) -> Result<String, Fault> {
    if text.is_empty() {
        return Err(Fault::Missing { field });
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::ControlCharacter { field });
    }
    if text.chars().count() > MAX_CHARACTERS {
        let max = MAX_CHARACTERS;
        return Err(Fault::TooLong { field, max });
    }
    Ok(text)
}

/// A price in the minor unit of the currency, written in digits only: 0 to [`MAX_PRICE`].
pub(super) fn parse_price(text: &str) -> Result<u64, Fault> {
    let text = text.trim();
    let found = || shown(text);
    if !is_digits(text) {
        return Err(Fault::PriceNotWhole { found: found() });
    }
    let price = text.parse().ok().filter(|&price| price <= MAX_PRICE);
    price.ok_or_else(|| Fault::PriceOutOfRange { found: found() })
}

/// A number of seats, written in digits only: 1 to [`MOST_SEATS`].
pub(super) fn parse_seats(text: &str) -> Result<u32, Fault> {
    let text = text.trim();
    let found = || shown(text);
    if !is_digits(text) {
        return Err(Fault::SeatsNotWhole { found: found() });
    }
    let seats = text.parse().ok().filter(|seats| (1..=MOST_SEATS).contains(seats));
    seats.ok_or_else(|| Fault::SeatsOutOfRange { found: found() })
}

/// Whether a text is digits and nothing else, without a sign.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The price that a CSV field or a JSON string or number gives; none if it is empty.
pub(super) fn price(text: Option<&str>) -> Result<Option<u64>, Fault> {
    present(text).map(parse_price).transpose()
}

/// The seats that a CSV field or a JSON string or number gives; none if it is empty.
pub(super) fn seats(text: Option<&str>) -> Result<Option<u32>, Fault> {
    present(text).map(parse_seats).transpose()
}

/// A field that is empty, or all blanks, counts as absent.
pub(super) fn present(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Whether a schema.org `eventStatus` means that seats are sold. It is a bare word or a URL that ends in one; without
/// any, they are.
pub(super) fn on_sale(status: Option<&str>) -> Result<bool, Fault> {
    let Some(status) = present(status) else {
        return Ok(true);
    };
    let is_url = status.starts_with("https://") || status.starts_with("http://");
    let word = match status.rsplit_once('/') {
        Some((_, last)) if is_url => last,
        _ => status.strip_prefix("schema:").unwrap_or(status),
    };
    match word {
        "EventScheduled" | "EventRescheduled" | "EventMovedOnline" => Ok(true),
        "EventCancelled" | "EventPostponed" => Ok(false),
        _ => Err(Fault::UnknownStatus { found: shown(status) }),
    }
}

/// The text of a JSON field; none if it is missing or null.
pub(super) fn text<'a>(
    object: &'a Map<String, Value>,
    field: &'static str,
) -> Result<Option<&'a str>, Fault> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::NotText { field }),
    }
}

/// A JSON field that may be a number or text, as text; none if it is missing, null or empty. In this form a price passes
/// the same test in every format. A number with a fraction or an exponent keeps its point (`1e3` reads as `1000.0`), and
/// is refused by that test.
pub(super) fn number_text(object: &Map<String, Value>, field: &str) -> Option<String> {
    match object.get(field)? {
        Value::Null => None,
        Value::String(text) => present(Some(text)).map(str::to_owned),
        other => Some(other.to_string()),
    }
}
