//! Where rows of every format come together: identity, merging and defaults.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;

use chrono::Utc;
use uuid::Uuid;

use super::fault::{Fault, shown};
use super::start::Start;
use super::{BadRow, Concert, DEFAULT_PRICE, DEFAULT_SEATS, Defaults, Format, Performance, Reading};

/// The namespace of all ids made here. It must never change: an import finds what earlier imports made by these ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b1c_7d52_93e4_4f0a_b8d7_2e5f_a049_c316);

/// A performance as a row gives it, before the defaults fill what is absent.
pub(super) struct Draft {
    pub(super) line: usize,
    pub(super) venue: String,
    pub(super) start: Start,
    pub(super) price: Option<u64>,
    pub(super) seats: Option<u32>,
    pub(super) on_sale: bool,
}

/// A concert already met, to add performances to.
#[derive(Clone, Copy)]
pub(super) struct Known {
    place: usize,
    line: usize,
}

pub(super) struct Collector {
    defaults: Defaults,
    concerts: Vec<Concert>,
    known: HashMap<String, Known>,
    /// The concert and the performance in it, by the performance's id.
    performances: HashMap<Uuid, (usize, usize)>,
    bad: Vec<BadRow>,
    ignored: BTreeSet<String>,
}

impl Collector {
    pub(super) fn new(defaults: Defaults) -> Self {
        Self {
            defaults,
            concerts: Vec::new(),
            known: HashMap::new(),
            performances: HashMap::new(),
            bad: Vec::new(),
            ignored: BTreeSet::new(),
        }
    }

    /// Whether there is a price for rows that don't say theirs well enough.
    pub(super) fn has_price(&self) -> bool {
        self.defaults.price.is_some()
    }

    pub(super) fn bad(&mut self, line: usize, reason: impl Display) {
        let reason = reason.to_string();
        self.bad.push(BadRow { line, reason });
    }

    /// Takes down that the file has something of this name that nobody reads.
    pub(super) fn ignored(&mut self, name: String) {
        self.ignored.insert(name);
    }

    /// The concert with this id, new or met before. Its title must be the same each time.
    pub(super) fn concert(&mut self, source_id: String, title: String, line: usize) -> Result<Known, Fault> {
        match self.known.entry(source_id) {
            Entry::Occupied(met) => {
                let known = *met.get();
                if self.concerts[known.place].title == title {
                    return Ok(known);
                }
                let id = shown(met.key());
                Err(Fault::TitleDiffers { id, first: known.line })
            }
            Entry::Vacant(space) => {
                let place = self.concerts.len();
                self.concerts.push(Concert {
                    concert_id: concert_id(space.key()),
                    source_id: space.key().clone(),
                    title,
                    performances: Vec::new(),
                });
                Ok(*space.insert(Known { place, line }))
            }
        }
    }

    /// Adds a performance to `known`. One that is there already is passed over when it says the same, for files put
    /// together from several often repeat themselves; if it says otherwise, nobody but the author knows which is right.
    pub(super) fn performance(&mut self, known: Known, draft: Draft) -> Result<(), Fault> {
        let concert = &mut self.concerts[known.place];
        let performance_id = performance_id(&concert.source_id, &draft);
        let performance = Performance {
            performance_id,
            venue: draft.venue,
            starts_at: draft.start.at,
            zone: draft.start.zone,
            price: draft.price.or(self.defaults.price).unwrap_or(DEFAULT_PRICE),
            seats: draft.seats.or(self.defaults.seats).unwrap_or(DEFAULT_SEATS),
            on_sale: draft.on_sale,
            line: draft.line,
        };
        match self.performances.entry(performance_id) {
            Entry::Vacant(space) => {
                space.insert((known.place, concert.performances.len()));
                concert.performances.push(performance);
                Ok(())
            }
            Entry::Occupied(met) => {
                let &(place, index) = met.get();
                let first = &self.concerts[place].performances[index];
                let terms = |p: &Performance| (p.price, p.seats, p.on_sale);
                if terms(first) == terms(&performance) {
                    return Ok(());
                }
                Err(Fault::PerformanceDiffers { first: first.line })
            }
        }
    }

    /// What has been collected, in order. `format` is for telling what was expected of a file that held nothing.
    pub(super) fn finish(mut self, format: Format) -> Reading {
        // A concert all of whose performances are bad has its faults listed, and nothing to sell.
        self.concerts.retain(|concert| !concert.performances.is_empty());
        for concert in &mut self.concerts {
            sort_by_start(&mut concert.performances);
        }
        if self.concerts.is_empty() && self.bad.is_empty() {
            let expected = expected(format);
            self.bad(1, Fault::NothingFound { expected });
        }
        self.bad.sort_by_key(|row| row.line);
        Reading { concerts: self.concerts, bad: self.bad, ignored: self.ignored }
    }
}

/// Performances that start together stay in the order of the file.
pub(super) fn sort_by_start(performances: &mut [Performance]) {
    performances.sort_by_key(|performance| performance.starts_at);
}

fn expected(format: Format) -> &'static str {
    match format {
        Format::JsonLines => "a JSON object on each line, with id, title and performances",
        Format::Csv => "a header with concert_id,title,venue,start, then a row for each performance",
        Format::JsonLd => "schema.org Event objects, each with name, startDate and location",
    }
}

fn concert_id(source_id: &str) -> Uuid {
    derived(&format!("concert\n{source_id}"))
}

/// The start goes in as the instant it is, so that the way a file writes it makes no difference.
fn performance_id(source_id: &str, draft: &Draft) -> Uuid {
    let start = draft.start.at.with_timezone(&Utc).format("%Y-%m-%dT%H:%M:%SZ");
    derived(&format!("performance\n{source_id}\n{start}\n{}", draft.venue))
}

fn derived(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}
