//! Reading a file of concerts: bytes in, concerts with dated performances out, and every bad row named by its line.
//!
//! Nothing here opens a file, prints, or asks a server or a clock. No input makes it panic: whatever cannot be read
//! becomes a [`BadRow`], and the rows around it are still read.
//!
//! A file comes in one of three shapes, each read by a module of its own name: `jsonl`, `csv` and `jsonld`. They
//! hand what they find to one `collect::Collector`, so that identity, merging and defaults are the same for all.

mod collect;
mod csv;
mod currency;
mod fault;
mod fields;
mod format;
mod jsonl;
mod jsonld;
mod lines;
mod merge;
mod names;
mod shift;
mod start;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, FixedOffset};
use uuid::Uuid;

pub(crate) use fault::shown;
pub use format::{Format, UnknownFormat};
pub use merge::Merged;
pub use shift::shift_to_future;

use collect::Collector;
use fault::Fault;

/// The price of a seat where neither the row nor [`Defaults`] gives one, in the minor unit of the currency.
pub const DEFAULT_PRICE: u64 = 50_000;
/// The seats of a performance where neither the row nor [`Defaults`] gives them.
pub const DEFAULT_SEATS: u32 = 50;
/// The highest price a seat may have, in the minor unit of the currency. The lowest is 0: a free concert.
pub const MAX_PRICE: u64 = 1_000_000_000_000;

/// What fills a price or a seat count that a row leaves out. A row that gives its own keeps it, but for a price of
/// JSON-LD without a currency: that one says too little to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Defaults {
    /// In the minor unit of the currency; [`DEFAULT_PRICE`] when absent.
    pub price: Option<u64>,
    /// [`DEFAULT_SEATS`] when absent.
    pub seats: Option<u32>,
}

/// A concert and its performances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concert {
    /// Derived from `source_id` alone, so that the same concert has the same id from any file and at every import.
    pub concert_id: Uuid,
    /// What the file calls the concert: its id, or in JSON-LD, which has no ids, its name.
    pub source_id: String,
    /// Without surrounding or doubled white space, as all names here are. At most 300 characters.
    pub title: String,
    /// In the order of their starts; never none.
    pub performances: Vec<Performance>,
}

/// One dated show of a concert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performance {
    /// Derived from the concert's `source_id`, the start the file gives and the venue. [`shift_to_future`] keeps it.
    pub performance_id: Uuid,
    /// Where it is; at most 300 characters.
    pub venue: String,
    /// The moment it starts, as the clock of the place shows it.
    pub starts_at: DateTime<FixedOffset>,
    /// The IANA name of the time zone, if the file gives one. The offset of `starts_at` is then the one in force there.
    pub zone: Option<String>,
    /// In the minor unit of the currency, 0 to [`MAX_PRICE`].
    pub price: u64,
    /// 1 to [`MOST_SEATS`](booking_core::catalog::MOST_SEATS).
    pub seats: u32,
    /// False when the file says that the performance is cancelled or postponed.
    pub on_sale: bool,
    /// The line of the file on which the performance, or the concert line holding it, begins. Counts from 1.
    pub line: usize,
}

/// A row that could not be read. Shown as `line 12: no start time`, for the caller to put the file's name before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The line of the file on which the row begins, or a syntax error stands. Counts from 1.
    pub line: usize,
    /// What is wrong and how to mend it, on one line.
    pub reason: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.reason)
    }
}

/// All that a file holds. The caller decides whether bad rows stop an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// In the order in which the file first names them.
    pub concerts: Vec<Concert>,
    /// In the order of their lines. Never empty when `concerts` is: a file without concerts is at fault too.
    pub bad: Vec<BadRow>,
    /// The columns of CSV, or the fields of JSON Lines, that nobody reads, each once; `performances[].date` is a field of
    /// performances. They are as the file has them, so they may hold control characters. None of JSON-LD are told.
    pub ignored: BTreeSet<String>,
}

/// Reads all of a file. The same bytes and defaults always give the same reading.
pub fn read(format: Format, bytes: &[u8], defaults: &Defaults) -> Reading {
    let mut collector = Collector::new(*defaults);
    // Each line of UTF-16 would be bad by itself, which says less than naming the cause once.
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        collector.bad(1, Fault::Utf16);
        return collector.finish(format);
    }
    let bytes = without_mark(bytes);
    if !bytes.trim_ascii().is_empty() {
        match format {
            Format::JsonLines => jsonl::read(bytes, &mut collector),
            Format::Csv => csv::read(bytes, &mut collector),
            Format::JsonLd => jsonld::read(bytes, &mut collector),
        }
    }
    collector.finish(format)
}

/// Spreadsheets put the UTF-8 byte order mark before the first line, where it would become part of a name.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Reads a price as rows give it: digits only, 0 to [`MAX_PRICE`]. For a `--price` that follows the same rule; the error
/// is a sentence for people.
pub fn parse_price(text: &str) -> Result<u64, String> {
    fields::parse_price(text).map_err(|fault| fault.to_string())
}

/// Reads a number of seats as rows give it: digits only, 1 to [`MOST_SEATS`](booking_core::catalog::MOST_SEATS). For a
/// `--seats` that follows the same rule; the error is a sentence for people.
pub fn parse_seats(text: &str) -> Result<u32, String> {
    fields::parse_seats(text).map_err(|fault| fault.to_string())
}
