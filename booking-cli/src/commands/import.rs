//! `booking import`: the concerts of files, all or none.

use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

use booking_api::{ConcertInput, ConcertsPut, PerformanceInput};
use booking_core::LaneName;
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use comfy_table::Cell;
use serde::Serialize;

use super::seed::{performances, summary, tell_kept_seats};
use crate::{
    clock,
    console::{Console, count, note, number, table},
    failure::Failure,
    import::{self, Concert, Defaults, Format, Merged},
    options::{Server, needed_admin_key},
    upload::{self, LARGEST_BODY},
};

/// `booking import`.
#[derive(Args, Clone, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ImportArgs {
    /// The files: CSV, JSON Lines, or schema.org Event JSON-LD; `-` reads standard input. Prices of CSV and JSON Lines are in
    /// the currency's minor unit; those of JSON-LD are in its major unit, as schema.org has it, and are converted
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What a seat costs where a row does not say, or JSON-LD says it without a currency, in the currency's minor unit
    /// [default: 50000]
    #[arg(long, value_parser = import::parse_price)]
    price: Option<u64>,
    /// How many seats a performance has where a row does not say, 1 to 20000 [default: 50]
    #[arg(long, value_parser = import::parse_seats)]
    seats: Option<u32>,
    /// The lane that leads to the concerts; it is made if there is none of this name
    #[arg(long, default_value_t = LaneName::main())]
    lane: LaneName,
    /// Move all dates by the same whole number of weeks, so that the first is more than a day ahead
    #[arg(long)]
    shift_to_future: bool,
    /// Import what can be read; without it, one bad row stops the import of everything
    #[arg(long)]
    skip_invalid: bool,
    /// The format of the files [default: by the file's name, else by how it begins]
    #[arg(long, value_enum)]
    format: Option<FormatName>,
}

const AFTER_HELP: &str = "\
Columns of CSV: concert_id, title, venue and start; price, seats, tz and status if you like.
JSON Lines: a concert a line, with id, title and performances, each with venue and start, and the others if you like.
All formats, with an example each and what importing again changes: docs/import.md in the repository.";

/// The formats, as a flag names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// One JSON object a line, each a concert with its performances
    Jsonl,
    /// A header, then a row for each performance
    Csv,
    /// schema.org Event objects, each a performance
    Jsonld,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Jsonl => Self::JsonLines,
            FormatName::Csv => Self::Csv,
            FormatName::Jsonld => Self::JsonLd,
        }
    }
}

/// What was done, for machines.
#[derive(Serialize)]
struct Report {
    imported: bool,
    #[serde(flatten)]
    done: ConcertsPut,
    shifted_weeks: i64,
    files: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    file: String,
    concerts: usize,
    performances: usize,
    bad_rows: Vec<BadRow>,
    /// The columns or fields that nobody reads.
    ignored: BTreeSet<String>,
}

#[derive(Serialize)]
struct BadRow {
    line: usize,
    reason: String,
}

pub(crate) async fn run(args: &ImportArgs, server: &Server, console: Console) -> Result<(), Failure> {
    let (mut concerts, files) = read_all(args)?;
    let bad = tell_bad_rows(&files);
    tell_ignored(&files);
    let mut report = Report { imported: false, done: ConcertsPut::default(), shifted_weeks: 0, files };
    if bad > 0 && !args.skip_invalid {
        console.document(&report)?;
        let rows = count(bad, "bad row");
        return Err(Failure::Input(format!(
            "{rows}; nothing was imported: mend the file, or import the rest with --skip-invalid"
        )));
    }
    if concerts.is_empty() {
        console.document(&report)?;
        return Err(Failure::Input("no row could be read; nothing was imported".into()));
    }
    if args.shift_to_future {
        report.shifted_weeks = import::shift_to_future(&mut concerts, clock::now());
    }
    tell_past(&concerts, clock::now());
    report.done = send(concerts, args, server, console).await?;
    report.imported = true;
    show(&report, console);
    console.document(&report)
}

fn read_all(args: &ImportArgs) -> Result<(Vec<Concert>, Vec<FileReport>), Failure> {
    let defaults = Defaults { price: args.price, seats: args.seats };
    let (mut merged, mut files) = (Merged::default(), Vec::new());
    for path in &args.files {
        let bytes = bytes_of(path)
            .map_err(|error| Failure::Input(format!("{} can't be read: {error}", path.display())))?;
        let format = match args.format {
            Some(name) => name.into(),
            None => Format::detect(path, &bytes).map_err(|error| {
                Failure::Input(format!("{}: {error}; or say which with --format", path.display()))
            })?,
        };
        files.push(report(path, import::read(format, &bytes, &defaults), &mut merged));
    }
    Ok((merged.finish(), files))
}

/// Puts what a file holds to what those before it do, and tells what is in it and what is wrong with it.
fn report(path: &Path, reading: import::Reading, merged: &mut Merged) -> FileReport {
    let file = path.display().to_string();
    let concerts = reading.concerts.len();
    let performances = reading.concerts.iter().map(|concert| concert.performances.len()).sum();
    let mut bad = reading.bad;
    bad.extend(merged.add(&file, reading.concerts));
    bad.sort_by_key(|row| row.line);
    let bad_rows = bad.into_iter().map(|row| BadRow { line: row.line, reason: row.reason }).collect();
    FileReport { file, concerts, performances, bad_rows, ignored: reading.ignored }
}

fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Names every bad row as `FILE:LINE: reason`; how many there are.
fn tell_bad_rows(files: &[FileReport]) -> usize {
    for report in files {
        for row in &report.bad_rows {
            note(&format!("{}:{}: {}", report.file, row.line, row.reason));
        }
    }
    files.iter().map(|report| report.bad_rows.len()).sum()
}

/// Tells which columns or fields of each file are for nothing, so that nobody waits for what they say. A file may have
/// any number of them, and a terminal is not for their control characters.
fn tell_ignored(files: &[FileReport]) {
    const SHOWN: usize = 20;
    for report in files.iter().filter(|report| !report.ignored.is_empty()) {
        let names: Vec<String> = report.ignored.iter().take(SHOWN).map(|name| import::shown(name)).collect();
        let more = match report.ignored.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more (--json lists them all)"),
        };
        note(&format!(
            "note: {} has unknown columns or fields, which are ignored: {}{more}",
            report.file,
            names.join(", ")
        ));
    }
}

/// Nobody can book what has begun, and whoever imports it should know.
fn tell_past(concerts: &[Concert], now: DateTime<Utc>) {
    let dates = concerts.iter().flat_map(|concert| &concert.performances);
    let past = dates.clone().filter(|date| date.starts_at <= now).count();
    if past > 0 {
        let all = dates.count();
        note(&format!(
            "note: {past} of {} can't be booked, for they have begun; --shift-to-future moves the dates",
            count(all, "performance")
        ));
    }
}

async fn send(
    concerts: Vec<Concert>,
    args: &ImportArgs,
    server: &Server,
    console: Console,
) -> Result<ConcertsPut, Failure> {
    let admin_key = needed_admin_key()?;
    let client = server.client();
    if upload::make_lane(&client, &admin_key, &args.lane).await? {
        note(&format!("the lane {} is new", args.lane));
    }
    let inputs: Vec<ConcertInput> = concerts.into_iter().map(|concert| input(concert, &args.lane)).collect();
    let progress = console.progress(performances(&inputs), "importing");
    let portions = upload::portions(inputs, LARGEST_BODY);
    let sent = upload::send(&client, &admin_key, &portions, &progress).await?;
    progress.finish_and_clear();
    tell_kept_seats(sent.with_more_seats(&client, &admin_key).await);
    Ok(sent.done)
}

fn input(concert: Concert, lane: &LaneName) -> ConcertInput {
    let performance = |date: import::Performance| PerformanceInput {
        performance_id: date.performance_id,
        venue: date.venue,
        starts_at: date.starts_at,
        zone: date.zone,
        // The reader takes no price that does not fit.
        price: i64::try_from(date.price).unwrap_or(i64::MAX),
        seats: date.seats,
        on_sale: date.on_sale,
    };
    ConcertInput {
        concert_id: concert.concert_id,
        title: concert.title,
        lane: lane.to_string(),
        performances: concert.performances.into_iter().map(performance).collect(),
    }
}

fn show(report: &Report, console: Console) {
    let mut files = table(&["file", "concerts", "performances", "bad rows"]);
    for file in &report.files {
        files.add_row([
            Cell::new(&file.file),
            number(file.concerts),
            number(file.performances),
            number(file.bad_rows.len()),
        ]);
    }
    console.table(&files);
    if report.shifted_weeks > 0 {
        console.say(&format!("all dates were moved by {} weeks", report.shifted_weeks));
    }
    console.say(&summary(report.done));
}
