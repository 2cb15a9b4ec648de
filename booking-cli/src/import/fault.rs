//! What can be wrong with a row, each in words that tell how to mend it.

use booking_core::catalog::MOST_SEATS;
use chrono::FixedOffset;

use super::MAX_PRICE;

/// What is wrong with a row. Text quoted from the file is cut short and escaped (see [`shown`]), because it may end up
/// on a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("not valid UTF-8; save the file as UTF-8")]
    NotUtf8,
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    #[error("no concerts found; expected {expected}")]
    NothingFound { expected: &'static str },

    #[error("not valid JSON at column {column}: {what}")]
    NotJson { column: usize, what: String },
    #[error("not a JSON object")]
    NotAnObject,
    #[error("has a startDate but no @type; give it one, such as \"@type\": \"Event\"")]
    NoType,
    #[error("no performances; give the concert a list of them, each with venue and start")]
    NoPerformances,
    #[error("performances is not a list; write it as [{{\"venue\": …, \"start\": …}}]")]
    PerformancesNotAList,

    #[error(
        "the header lacks {missing}; the first line must name concert_id, title, venue and start \
         (and may name price, seats, tz and status)"
    )]
    MissingColumns { missing: String },
    #[error("the header names the column {name} twice; keep one")]
    RepeatedColumn { name: &'static str },
    #[error("no such column: {misspelt}; rename or remove what is wrong: known are {known}")]
    NoSuchColumn { misspelt: String, known: String },
    #[error("no such field: {misspelt}; rename or remove what is wrong: known are {known}")]
    NoSuchField { misspelt: String, known: String },
    #[error(
        "the concert has {found}, which nobody reads there; give each performance its {meant}, or remove it"
    )]
    FieldOfPerformances { found: String, meant: &'static str },
    #[error("{found} fields where the header has {expected}; put quotes around a field with a comma in it")]
    FieldCount { found: usize, expected: usize },

    #[error("no {field}")]
    Missing { field: &'static str },
    #[error("{field} is not text; write it in quotes")]
    NotText { field: &'static str },
    #[error("{field} is longer than {max} characters")]
    TooLong { field: &'static str, max: usize },
    #[error("{field} has a control character in it")]
    ControlCharacter { field: &'static str },
    #[error(
        "price {found} is not a whole number of the currency's smallest unit; \
         write digits only, without sign, fraction or exponent"
    )]
    PriceNotWhole { found: String },
    #[error("price {found} is out of range; it may be 0 to {MAX_PRICE} of the currency's smallest unit")]
    PriceOutOfRange { found: String },
    #[error(
        "price {found} is no number of the currency's major unit; write digits and a point, such as \"19.99\""
    )]
    PriceNotDecimal { found: String },
    #[error(
        "price {found} has no priceCurrency, so nobody knows its smallest unit; add one such as \"EUR\", or give \
         --price in minor units for all such events"
    )]
    NoCurrency { found: String },
    #[error("priceCurrency {found} is no currency; write its three letters (ISO 4217), such as EUR")]
    UnknownCurrency { found: String },
    #[error("price {found} is finer than the smallest unit of {currency}, which has {decimals} decimals")]
    PriceTooFine { found: String, currency: String, decimals: usize },
    #[error("seats {found} is not a whole number; write digits only")]
    SeatsNotWhole { found: String },
    #[error("seats {found} is out of range; it may be 1 to {MOST_SEATS}")]
    SeatsOutOfRange { found: String },
    #[error(
        "unknown status {found}; use EventScheduled, EventRescheduled, EventMovedOnline, \
         EventPostponed or EventCancelled"
    )]
    UnknownStatus { found: String },

    #[error("no start time")]
    NoStart,
    #[error("start {found} is a date without a time of day; write it like 2024-09-12T19:30:00-04:00")]
    DateOnly { found: String },
    #[error("start {found} is not a date and time; write it like 2024-09-12T19:30:00-04:00")]
    UnreadableStart { found: String },
    #[error("start {found} is out of range; its year may be 1970 to 9999")]
    YearOutOfRange { found: String },
    #[error("start {found} has no UTC offset or time zone; write it like 2024-09-12T19:30:00-04:00")]
    NoOffset { found: String },
    #[error("unknown time zone {found}; use an IANA name such as America/New_York")]
    UnknownZone { found: String },
    #[error("start {found} does not exist in {zone}, where the clocks skip it")]
    SkippedTime { found: String, zone: &'static str },
    #[error("start {found} and time zone {zone} disagree; the UTC offset there is {actual} at that moment")]
    Disagree { found: String, zone: &'static str, actual: FixedOffset },

    #[error("the concert {id} has another title on line {first}; make them the same, or the ids different")]
    TitleDiffers { id: String, first: usize },
    #[error("the same performance is on line {first} with another price, seats or status; keep one")]
    PerformanceDiffers { first: usize },
    #[error("the concert {id} has another title in {first}; make them the same, or the ids different")]
    TitleDiffersFromFile { id: String, first: String },
    #[error("the same performance is in {first} with another price, seats or status; keep one")]
    PerformanceDiffersFromFile { first: String },
}

/// Text of the file as a fault quotes it: short, and with control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// Names in a sentence: `a, b and c`.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        names => names.concat(),
    }
}

/// A JSON syntax error without the position in its text: the line stands in the bad row, the column in the fault. `before`
/// is how many bytes of the file's line come before the text that was parsed.
pub(super) fn not_json(error: &serde_json::Error, before: usize) -> Fault {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    let hint = match what {
        // What JSON Lines gives when it is read as one document.
        "trailing characters" => " (if it holds one concert a line, name the file .jsonl)",
        _ => "",
    };
    let before = if error.line() == 1 { before } else { 0 };
    Fault::NotJson { column: error.column() + before, what: format!("{what}{hint}") }
}
