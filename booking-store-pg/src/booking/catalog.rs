//! Concerts and performances as they are remembered on a connection.
//!
//! They change rarely and every hold reads one. The head of the log carries a version that grows with every change of a concert
//! or a performance, before that is committed. A batch is saved on condition that the version is still the one that it was
//! decided on, or is decided while the head is locked. So it never decides by a price or a date that is not the latest.

use std::collections::{BTreeSet, HashMap};

use booking_core::{
    Keys, Rows,
    catalog::{Concert, Performance},
    id::PerformanceId,
};
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::rows;
use crate::trouble::Trouble;

/// More than this is forgotten as a whole; each of three connections has its own.
const MOST: usize = 25_000;

/// With their concerts.
const PERFORMANCES: &str = concat!(
    "SELECT ",
    rows::performance_columns!(),
    ", c.* FROM performances p CROSS JOIN LATERAL (SELECT concert_id, title, lane, created_at FROM concerts \
        WHERE concert_id = p.concert_id OFFSET 0) AS c WHERE p.performance_id = ANY($1)"
);
const CONCERTS: &str = "\
    SELECT concert_id, title, lane, created_at FROM concerts WHERE concert_id = ANY($1)";
const LANES: &str = concat!("SELECT ", rows::lane_columns!(), " FROM lanes WHERE name = ANY($1)");

pub(super) const STATEMENTS: &[&str] = &[PERFORMANCES, CONCERTS, LANES];

/// What is remembered of the catalogue.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    version: i64,
    performances: HashMap<PerformanceId, (Performance, Concert)>,
}

impl Catalog {
    /// What is remembered of the performances, which is nothing if it is of another version; and those that are not.
    fn remembered(
        &mut self,
        version: i64,
        ids: &BTreeSet<PerformanceId>,
    ) -> (Vec<(Performance, Concert)>, Vec<Uuid>) {
        if self.version != version {
            *self = Self { version, ..Self::default() };
        }
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for id in ids {
            match self.performances.get(id) {
                Some(of) => known.push(of.clone()),
                None => unknown.push(id.0),
            }
        }
        (known, unknown)
    }

    fn remember(&mut self, found: &[(Performance, Concert)]) {
        if self.performances.len() > MOST {
            self.performances.clear();
        }
        self.performances.extend(found.iter().map(|of| (of.0.id, of.clone())));
    }

    /// Performances with their concerts, from memory where they are remembered; of this version if the head of the log is
    /// locked and has it, or still has it when it is.
    pub(super) async fn load(
        &mut self,
        connection: &mut PgConnection,
        version: i64,
        keys: &Keys,
    ) -> Result<Rows, Trouble> {
        let (mut all, unknown) = self.remembered(version, &keys.performances);
        if !unknown.is_empty() {
            let found = load_performances(connection, unknown).await?;
            self.remember(&found);
            all.extend(found);
        }
        let (performances, concerts) = all.into_iter().unzip();
        Ok(Rows { performances, concerts, ..Rows::default() })
    }
}

/// Everything of the catalogue that the keys name, as it is now; for those who hold the lock of the catalogue.
pub(super) async fn load_locked(
    connection: &mut PgConnection,
    keys: &Keys,
    into: &mut Rows,
) -> Result<(), Trouble> {
    let ids: Vec<Uuid> = keys.performances.iter().map(|id| id.0).collect();
    if !ids.is_empty() {
        (into.performances, into.concerts) = load_performances(connection, ids).await?.into_iter().unzip();
    }
    let concerts: Vec<Uuid> = keys.concerts.iter().map(|id| id.0).collect();
    if !concerts.is_empty() {
        for row in &query(CONCERTS).bind(concerts).fetch_all(&mut *connection).await? {
            into.concerts.push(rows::concert(row, 0)?);
        }
    }
    load_lanes(connection, keys, into).await
}

/// The lanes that the keys name, as they are now; for those who hold the head of the log, or only ask whether they are there.
pub(super) async fn load_lanes(
    connection: &mut PgConnection,
    keys: &Keys,
    into: &mut Rows,
) -> Result<(), Trouble> {
    if !keys.lanes.is_empty() {
        let names: Vec<String> = keys.lanes.iter().map(|name| name.as_str().to_owned()).collect();
        for row in &query(LANES).bind(names).fetch_all(connection).await? {
            into.lanes.push(rows::lane(row)?);
        }
    }
    Ok(())
}

async fn load_performances(
    connection: &mut PgConnection,
    ids: Vec<Uuid>,
) -> Result<Vec<(Performance, Concert)>, Trouble> {
    let found = query(PERFORMANCES).bind(ids).fetch_all(connection).await?;
    let each = found.iter().map(|row| Ok((rows::performance(row)?, rows::concert(row, 10)?)));
    Ok(each.collect::<Result<_, sqlx::Error>>()?)
}
