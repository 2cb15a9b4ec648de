//! CSV: a header naming the columns in any order, then a row for each performance. Unknown columns are told.

use ::csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};

use super::collect::{Collector, Draft};
use super::fault::{Fault, listed};
use super::lines::Lines;
use super::{fields, names, start};

/// The columns that are read; the first four must be there.
pub(super) const COLUMNS: [&str; 8] =
    ["concert_id", "title", "venue", "start", "price", "seats", "tz", "status"];

pub(super) fn read(bytes: &[u8], collector: &mut Collector) {
    let mut rows = Rows::new(bytes);
    let Some(header) = rows.next() else {
        return;
    };
    let columns = match header.record.and_then(|record| columns(&record, collector)) {
        Ok(columns) => columns,
        // Without its columns no row can be read, so this is the only fault named.
        Err(fault) => return collector.bad(header.first_line, fault),
    };
    for row in rows {
        let (first, last) = (row.first_line, row.last_line);
        let outcome = row.record.and_then(|record| performance(&record, &columns, first, collector));
        match outcome {
            Ok(()) => {}
            Err(fault) if last > first => {
                // A quote left open swallows the rows after it, so the reader should know how far this one went.
                collector.bad(first, format!("{fault} (the row runs to line {last}; check its quotes)"));
            }
            Err(fault) => collector.bad(first, fault),
        }
    }
}

/// Finds the columns. Those that nobody reads are told, or refused if they look like one that is not there.
fn columns(header: &StringRecord, collector: &mut Collector) -> Result<Columns, Fault> {
    let columns = Columns::of(header)?;
    let is_named = |name: &str, column: &str| column.eq_ignore_ascii_case(name);
    let unknown =
        header.iter().map(str::trim).filter(|name| !COLUMNS.iter().any(|known| is_named(name, known)));
    let is_there = |column: &str| header.iter().any(|name| is_named(name.trim(), column));
    if let Some(misspelt) = names::misspelt(unknown.clone(), is_there) {
        return Err(Fault::NoSuchColumn { misspelt, known: listed(&COLUMNS) });
    }
    unknown.for_each(|name| collector.ignored(name.to_owned()));
    Ok(columns)
}

fn performance(
    record: &StringRecord,
    columns: &Columns,
    line: usize,
    collector: &mut Collector,
) -> Result<(), Fault> {
    if record.len() != columns.count {
        return Err(Fault::FieldCount { found: record.len(), expected: columns.count });
    }
    let required = |column: usize| record.get(column).unwrap_or_default();
    let optional = |column: Option<usize>| record.get(column?);
    let source_id = fields::source_id(required(columns.concert_id), "concert_id")?;
    let title = fields::name(Some(required(columns.title)), "title")?;
    let draft = Draft {
        line,
        venue: fields::name(Some(required(columns.venue)), "venue")?,
        start: start::parse(Some(required(columns.start)), optional(columns.tz))?,
        price: fields::price(optional(columns.price))?,
        seats: fields::seats(optional(columns.seats))?,
        on_sale: fields::on_sale(optional(columns.status))?,
    };
    // Only a row that is good in itself may set the title that later rows must repeat.
    let known = collector.concert(source_id, title, line)?;
    collector.performance(known, draft)
}

/// Where each column is.
struct Columns {
    count: usize,
    concert_id: usize,
    title: usize,
    venue: usize,
    start: usize,
    price: Option<usize>,
    seats: Option<usize>,
    tz: Option<usize>,
    status: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, Fault> {
        let missing: Vec<&str> =
            COLUMNS[..4].iter().copied().filter(|name| matches!(find(header, name), Ok(None))).collect();
        let required = |name| -> Result<usize, Fault> {
            find(header, name)?.ok_or_else(|| Fault::MissingColumns { missing: missing.join(", ") })
        };
        Ok(Self {
            count: header.len(),
            concert_id: required("concert_id")?,
            title: required("title")?,
            venue: required("venue")?,
            start: required("start")?,
            price: find(header, "price")?,
            seats: find(header, "seats")?,
            tz: find(header, "tz")?,
            status: find(header, "status")?,
        })
    }
}

/// The place of a column, whatever the case of its name.
fn find(header: &StringRecord, name: &'static str) -> Result<Option<usize>, Fault> {
    let is_named = |field: &str| field.trim().eq_ignore_ascii_case(name);
    let mut places = (0..header.len()).filter(|&place| header.get(place).is_some_and(is_named));
    let place = places.next();
    match places.next() {
        None => Ok(place),
        Some(_) => Err(Fault::RepeatedColumn { name }),
    }
}

/// A record and the physical lines it is on; they differ when a quoted field has a line break in it.
struct Row {
    first_line: usize,
    last_line: usize,
    record: Result<StringRecord, Fault>,
}

/// The rows of a file that have anything in them.
struct Rows<'a> {
    bytes: &'a [u8],
    reader: Reader<&'a [u8]>,
    lines: Lines<'a>,
}

impl<'a> Rows<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            // Flexible, so that a wrong number of fields is a bad row and not the end of the reading.
            reader: ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes),
            lines: Lines::new(bytes),
        }
    }

    /// The offset the reader has come to, never beyond the end.
    fn offset(&self) -> usize {
        let byte = usize::try_from(self.reader.position().byte()).unwrap_or(usize::MAX);
        byte.min(self.bytes.len())
    }

    /// The first and last line of the record between two offsets. The reader's own line numbers are not used: they
    /// count blank lines before a record, and the `\n` of the `\r\n` before it, into the record.
    fn lines_of(&mut self, from: usize, to: usize) -> (usize, usize) {
        let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let span = &self.bytes[from..to.max(from)];
        let before = span.iter().take_while(|byte| is_break(byte)).count();
        let after = span.iter().rev().take_while(|byte| is_break(byte)).count();
        let first_line = self.lines.line_at(from + before);
        let last_line = self.lines.line_at(to.saturating_sub(after));
        (first_line, last_line)
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            let from = self.offset();
            let mut record = ByteRecord::new();
            // Reading from memory does not fail; if it did, there would be no more rows to have.
            if !self.reader.read_byte_record(&mut record).unwrap_or(false) {
                return None;
            }
            if record.iter().all(|field| field.trim_ascii().is_empty()) {
                continue;
            }
            let (first_line, last_line) = self.lines_of(from, self.offset());
            let record = StringRecord::from_byte_record(record).map_err(|_| Fault::NotUtf8);
            return Some(Row { first_line, last_line, record });
        }
    }
}
