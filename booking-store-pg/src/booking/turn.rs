//! One transaction: lock, read the clock, load what was not loaded before or is not good any more, decide, save.
//! Committing is the caller's.

use std::collections::BTreeSet;

use booking_core::{
    BookingPolicy, ChangedRows, Command, Event, Keys, Outcome, Reach, Refusal, Rows, State, TakenSeats,
    Timestamp, catalog::Command::PutConcerts, id::PerformanceId,
};
use sqlx::raw_sql;

use super::{
    ahead::Ahead,
    catalog,
    load::{self, Head, Loaded},
    look::Whom,
    recent::Recent,
    save::{self, Basis, Bookings, Place},
    save_catalog, save_money,
    session::Session,
};
use crate::trouble::Trouble;

/// One answer a command.
pub(super) type Answers = Vec<Result<Outcome, Refusal>>;

/// What a turn works with.
pub(super) struct Turn<'a> {
    pub(super) session: &'a mut Session,
    pub(super) policy: &'a BookingPolicy,
    /// What the batches before it changed.
    pub(super) recent: &'a Recent,
}

/// How a batch was prepared for its turn.
pub(super) enum Prepared {
    /// Not at all.
    Nothing,
    /// What it needs was looked at.
    Look(Box<Look>),
    /// It is decided, too.
    Ahead(Box<Ahead>),
}

impl Prepared {
    /// What is left of it to a writer with its connection of this life.
    pub(super) fn in_life(self, life: u64) -> Self {
        match self {
            Self::Look(look) if look.life == life => Self::Look(look),
            Self::Ahead(ahead) if ahead.life() == life => Self::Ahead(ahead),
            Self::Nothing | Self::Look(_) | Self::Ahead(_) => Self::Nothing,
        }
    }
}

/// A turn that is saved and waits for its commit.
pub(super) struct Staged {
    pub(super) answers: Answers,
    /// The first event of it, by which it is recognised in the log; none: nothing is to be committed.
    pub(super) first_event: Option<FirstEvent>,
    /// Whether it was looked at before, and that was still good.
    pub(super) look_was_good: bool,
    /// Performances of which a seat map may be different now.
    pub(super) touched: BTreeSet<PerformanceId>,
    /// Whether concerts or performances changed.
    pub(super) catalog_changed: bool,
    /// What it may have changed, unless it may have changed the catalogue.
    pub(super) reach: Option<Reach>,
    /// The last event of it.
    pub(super) last_event: i64,
}

/// An event at its place in the log.
pub(super) struct FirstEvent {
    pub(super) seq: i64,
    pub(super) at: Timestamp,
    pub(super) event: Event,
}

/// A change of the catalogue that is decided and saved, and waits for its place in the log.
pub(super) struct Unplaced {
    decided: Decided,
    /// The head of the log, if it is locked already.
    head: Option<Head>,
}

/// What was decided, and the state after it.
pub(super) struct Decided {
    pub(super) state: State,
    taken_before: TakenSeats,
    pub(super) events: Vec<Event>,
    pub(super) answers: Answers,
}

/// What a batch needs, loaded before its transaction.
pub(super) struct Look {
    /// Everything that the batch needs, also of the catalogue.
    pub(super) state: State,
    pub(super) head: Head,
    pub(super) reach: Reach,
    /// The life of the session on which it was loaded.
    pub(super) life: u64,
    /// Whether it is what it would have been presumed to be.
    pub(super) is_presumed: bool,
}

impl Look {
    /// Loads what a batch needs, without any lock.
    pub(super) async fn at(
        session: &mut Session,
        policy: &BookingPolicy,
        keys: &Keys,
        whom: Whom,
    ) -> Result<Self, Trouble> {
        let Session { connection, catalog, life } = session;
        let Loaded { rows, head, reach } = load::load(connection, keys, whom).await?;
        let is_presumed = rows.are_presumed(keys);
        let mut state = State::load(policy.clone(), rows);
        state.add(catalog.load(connection, head.catalog_version, keys).await?);
        Ok(Self { state, head, reach, life: *life, is_presumed })
    }

    /// The answers, if the whole batch changes nothing: refusals and repetitions are as good from a view as under the
    /// lock.
    pub(super) fn answers(&self, batch: &[&Command]) -> Option<Answers> {
        batch.iter().map(|command| self.state.answer_unchanged(command, self.head.now)).collect()
    }

    /// Whether all of it is still as it was, now that the head is locked.
    fn is_good(&self, head: &Head, recent: &Recent) -> bool {
        self.head.catalog_version == head.catalog_version
            && recent.left_alone(self.head.last_event, head.last_event, &self.reach)
    }
}

impl Turn<'_> {
    /// Does everything but the commit, like its siblings. After an error the transaction is still open.
    pub(super) async fn take_bookings(
        &mut self,
        batch: &[&Command],
        keys: &Keys,
        look: Option<Box<Look>>,
    ) -> Result<Staged, Trouble> {
        let head = load::begin(&mut self.session.connection).await?;
        let look = look.filter(|look| look.is_good(&head, self.recent));
        let look_was_good = look.is_some();
        let Look { state, reach, .. } = match look {
            Some(look) => *look,
            None => Look::at(self.session, self.policy, keys, Whom::of(batch)).await?,
        };
        let decided = Decided::of(state, batch, head.now);
        let staged = self.save(decided, &Place::of(&head)).await?;
        Ok(Staged { reach: Some(reach), look_was_good, ..staged })
    }

    /// Lanes are read and changed under the head of the log only, never under the lock of the catalogue: who saves concerts
    /// reads of a lane that it is there, which it stays.
    pub(super) async fn take_lanes(&mut self, batch: &[&Command], keys: &Keys) -> Result<Staged, Trouble> {
        let head = load::begin(&mut self.session.connection).await?;
        let mut rows = Rows::default();
        catalog::load_lanes(&mut self.session.connection, keys, &mut rows).await?;
        let decided = Decided::of(State::load(self.policy.clone(), rows), batch, head.now);
        save_catalog::save(&mut self.session.connection, &decided.changed_rows()).await?;
        self.save(decided, &Place::of(&head)).await
    }

    /// Changes of the catalogue are saved before they have their place in the log ([`Self::placed`]), so that only others of the
    /// catalogue wait for it.
    pub(super) async fn take_catalog(
        &mut self,
        batch: &[&Command],
        keys: &Keys,
    ) -> Result<Unplaced, Trouble> {
        raw_sql(save_catalog::LOCK).execute(&mut self.session.connection).await?;
        // Bookings and lanes are decided under the head of the log only, also when they share a batch with concerts.
        let (head, now) = if batch.iter().all(|command| matches!(command, Command::Catalog(PutConcerts(_)))) {
            (None, load::clock(&mut self.session.connection).await?)
        } else {
            let head = load::lock_head(&mut self.session.connection).await?;
            (Some(head), head.now)
        };
        let mut rows = load::load(&mut self.session.connection, keys, Whom::Anybody).await?.rows;
        catalog::load_locked(&mut self.session.connection, keys, &mut rows).await?;
        let decided = Decided::of(State::load(self.policy.clone(), rows), batch, now);
        save_catalog::save(&mut self.session.connection, &decided.changed_rows()).await?;
        Ok(Unplaced { decided, head })
    }

    /// Saves the rest of a change of the catalogue, at the instant at which it takes its place in the log: others have written
    /// while its performances were saved, and what comes after them is no earlier.
    pub(super) async fn placed(&mut self, unplaced: Unplaced) -> Result<Staged, Trouble> {
        let Unplaced { decided, head } = unplaced;
        let head = match head {
            Some(head) => head,
            None => load::lock_head(&mut self.session.connection).await?,
        };
        self.save(decided, &Place::of(&head)).await
    }

    async fn save(&mut self, mut decided: Decided, place: &Place) -> Result<Staged, Trouble> {
        let answers = std::mem::take(&mut decided.answers);
        let (changes, events) = (decided.changed_rows(), &decided.events);
        if !events.is_empty() {
            save_money::open_wallets(&mut self.session.connection, &changes.wallets_opened).await?;
            let bookings = Bookings::of(&changes, events, Basis::Loaded)?;
            if bookings.save(&mut self.session.connection, place).await?.is_none() {
                return Err(Trouble::Broken("the head of the log moved although it was locked".into()));
            }
            save_money::save_money(&mut self.session.connection, &changes).await?;
        }
        Ok(Staged::of(answers, &changes, events, place.now).behind(place.last_event))
    }
}

impl Decided {
    pub(super) fn of(mut state: State, batch: &[&Command], now: Timestamp) -> Self {
        let (taken_before, mut events) = (state.taken_seats(), Vec::new());
        let mut answers = Vec::with_capacity(batch.len());
        for command in batch {
            answers.push(state.execute(command, now).map(|(outcome, of_command)| {
                events.extend(of_command);
                outcome
            }));
        }
        Self { state, taken_before, events, answers }
    }

    pub(super) fn changed_rows(&self) -> ChangedRows<'_> {
        self.state.changed_rows(&self.events, &self.taken_before)
    }
}

impl Staged {
    /// What these events changed, as if they were the first ones of the log.
    pub(super) fn of(answers: Answers, changes: &ChangedRows<'_>, events: &[Event], now: Timestamp) -> Self {
        let first_event = events.first().cloned();
        Self {
            answers,
            first_event: first_event.map(|event| FirstEvent { seq: 1, at: now, event }),
            look_was_good: false,
            touched: touched(changes),
            catalog_changed: save::changes_catalog(changes),
            reach: None,
            last_event: i64::try_from(events.len()).unwrap_or(i64::MAX),
        }
    }

    /// The same, behind that event.
    pub(super) fn behind(mut self, last_event: i64) -> Self {
        if let Some(first) = &mut self.first_event {
            first.seq += last_event;
        }
        self.last_event += last_event;
        self
    }
}

fn touched(changes: &ChangedRows<'_>) -> BTreeSet<PerformanceId> {
    let taken = changes.seats_taken.iter().chain(&changes.seats_passed_on);
    let seats = taken.map(|(performance, _, _)| *performance);
    let freed = changes.seats_freed.iter().map(|(performance, _)| *performance);
    seats.chain(freed).chain(changes.performances_changed.iter().map(|performance| performance.id)).collect()
}
