//! Where results and notes go: tables on standard output for people, one JSON document there for machines, and notes,
//! progress and errors on standard error for both.

use std::{
    fmt::Display,
    io::{IsTerminal, Write},
    time::Duration,
};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;

/// How this run talks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    json: bool,
}

/// Whether somebody reads standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    There,
    /// The pipe is closed: there is no use in going on, and no fault.
    Gone,
}

impl Reader {
    pub(crate) fn is_gone(self) -> bool {
        self == Self::Gone
    }
}

impl Console {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A line for people, on standard output; machines don't get it. A reader that has gone away is no fault.
    pub(crate) fn say(self, line: &str) {
        if !self.json {
            writeln!(std::io::stdout(), "{line}").ok();
        }
    }

    /// A table for people, on standard output; machines don't get it.
    pub(crate) fn table(self, table: &Table) {
        self.say(&table.trim_fmt());
    }

    /// The one document for machines, on standard output; people don't get it.
    pub(crate) fn document(self, document: &impl Serialize) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string_pretty(document)
                .map_err(|error| Failure::Check(format!("the result can't be written as JSON: {error}")))?;
            writeln!(std::io::stdout(), "{text}").ok();
        }
        Ok(())
    }

    /// One of many, on standard output: a line for people, or an object on a line for machines. It tells whether somebody
    /// still reads.
    pub(crate) fn item(self, line: &str, object: &impl Serialize) -> Reader {
        self.items([(line, object)])
    }

    /// Several items at once, as [`item`](Self::item).
    pub(crate) fn items<'a, T: Serialize + 'a>(
        self,
        items: impl IntoIterator<Item = (impl AsRef<str>, &'a T)>,
    ) -> Reader {
        let mut text = Vec::new();
        for (line, object) in items {
            // Wire types can always be written, and writing to memory does not fail.
            if self.json {
                serde_json::to_writer(&mut text, object).ok();
            } else {
                text.extend_from_slice(line.as_ref().as_bytes());
            }
            text.push(b'\n');
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(&text).and_then(|()| out.flush()) {
            Ok(()) => Reader::There,
            Err(_) => Reader::Gone,
        }
    }

    /// A part of the terminal that is drawn again and again; none where standard output is no terminal or for machines.
    pub(crate) fn screen(self) -> Option<ProgressBar> {
        if self.json || !std::io::stdout().is_terminal() {
            return None;
        }
        let screen = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        screen.set_style(
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Some(screen)
    }

    /// A progress bar on standard error; it is only seen where that is a terminal, and never by machines.
    pub(crate) fn progress(self, length: u64, what: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(length).with_message(what.to_owned());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }
}

/// A line on standard error, for people and machines alike. A reader that has gone away is no fault.
pub(crate) fn note(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

/// An empty table with these headings.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if !headings.is_empty() {
        table.set_header(headings.iter().map(Cell::new).collect::<Vec<_>>());
    }
    table
}

/// A cell for a whole number: to the right, in groups of three digits.
pub(crate) fn number(value: impl Display) -> Cell {
    right(grouped(value))
}

/// A cell whose text stands to the right.
pub(crate) fn right(text: impl Display) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// A whole number in groups of three digits: 1234567 as `1,234,567`.
pub(crate) fn grouped(value: impl Display) -> String {
    let plain = value.to_string();
    let digits = plain.trim_start_matches('-');
    let mut text = plain[..plain.len() - digits.len()].to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 seat`, `2 seats`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{} {noun}{end}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let cases =
            [(0, "0"), (999, "999"), (1_000, "1,000"), (-50_000, "-50,000"), (1_234_567, "1,234,567")];
        for (value, text) in cases {
            assert_eq!(grouped(value), text);
        }
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(1_000, "row"), "1,000 rows");
    }
}
