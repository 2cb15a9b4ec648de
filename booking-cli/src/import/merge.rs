//! Several files as one: a concert may go on in another file, but must not contradict itself there.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use uuid::Uuid;

use super::collect::sort_by_start;
use super::fault::{Fault, shown};
use super::{BadRow, Concert, Performance};

/// The concerts of files, put together in the order in which they are first named.
#[derive(Debug, Default)]
pub struct Merged {
    concerts: Vec<Concert>,
    known: HashMap<Uuid, Known>,
    performances: HashMap<Uuid, First>,
}

/// A concert already met: its place among all, and where it was first read, as `FILE:LINE`.
#[derive(Debug)]
struct Known {
    place: usize,
    first: String,
}

/// A performance already met: what must be the same again, and where it was first read.
#[derive(Debug)]
struct First {
    terms: (u64, u32, bool),
    at: String,
}

impl Merged {
    /// Adds what a file holds. The rows that say otherwise than a file before are left out and given back: nobody but the
    /// author knows which is right.
    pub fn add(&mut self, file: &str, concerts: Vec<Concert>) -> Vec<BadRow> {
        let mut bad = Vec::new();
        for concert in concerts {
            match self.place_of(file, &concert) {
                Ok(place) => {
                    for performance in concert.performances {
                        bad.extend(self.performance(file, place, performance));
                    }
                }
                Err(row) => bad.push(row),
            }
        }
        bad
    }

    /// All of it, the performances of each concert in the order of their starts.
    pub fn finish(mut self) -> Vec<Concert> {
        for concert in &mut self.concerts {
            sort_by_start(&mut concert.performances);
        }
        self.concerts
    }

    fn place_of(&mut self, file: &str, concert: &Concert) -> Result<usize, BadRow> {
        let line = concert.performances.iter().map(|performance| performance.line).min().unwrap_or(1);
        match self.known.entry(concert.concert_id) {
            Entry::Occupied(met) => {
                let Known { place, first } = met.get();
                if self.concerts[*place].title == concert.title {
                    return Ok(*place);
                }
                let (id, first) = (shown(&concert.source_id), first.clone());
                Err(BadRow { line, reason: Fault::TitleDiffersFromFile { id, first }.to_string() })
            }
            Entry::Vacant(space) => {
                let place = self.concerts.len();
                self.concerts.push(Concert {
                    concert_id: concert.concert_id,
                    source_id: concert.source_id.clone(),
                    title: concert.title.clone(),
                    performances: Vec::new(),
                });
                space.insert(Known { place, first: format!("{file}:{line}") });
                Ok(place)
            }
        }
    }

    fn performance(&mut self, file: &str, place: usize, performance: Performance) -> Option<BadRow> {
        let terms = (performance.price, performance.seats, performance.on_sale);
        match self.performances.entry(performance.performance_id) {
            Entry::Occupied(met) => {
                let First { terms: before, at } = met.get();
                let reason = || Fault::PerformanceDiffersFromFile { first: at.clone() }.to_string();
                (*before != terms).then(|| BadRow { line: performance.line, reason: reason() })
            }
            Entry::Vacant(space) => {
                space.insert(First { terms, at: format!("{file}:{}", performance.line) });
                self.concerts[place].performances.push(performance);
                None
            }
        }
    }
}
