//! A writer owns a connection and takes turns on it until a batch is committed, refused by the database, or out of time.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use booking_core::{Command, Keys, catalog};
use sqlx::raw_sql;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    Shared,
    ahead::Ahead,
    load::{self, Head},
    recent::Recent,
    resolve::{self, Verdict},
    save::Basis,
    session::Session,
    turn::{Answers, Look, Prepared, Staged, Turn},
};
use crate::{
    deadlines::{Deadlines, KNOWN_WITHIN, LOCKED_WITHIN, PAUSE, SAVED_WITHIN, jitter},
    trouble::Trouble,
};

/// What makes one writer different from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Everything but the catalogue.
    Bookings,
    /// Batches that change nothing but lanes.
    Lanes,
    /// Batches that may change concerts and performances.
    Catalog,
}

impl Duty {
    /// Whose a batch is.
    pub(super) fn of(batch: &[Command]) -> Self {
        let is_catalog = |command: &Command| matches!(command, Command::Catalog(_));
        if batch.iter().all(changes_lane) {
            Self::Lanes
        } else if batch.iter().any(is_catalog) {
            Self::Catalog
        } else {
            Self::Bookings
        }
    }
}

fn changes_lane(command: &Command) -> bool {
    use catalog::Command::{LiftRevision, MarkSoldOut, PutConcerts, SetLane};
    match command {
        Command::Catalog(SetLane(..) | MarkSoldOut { .. } | LiftRevision { .. }) => true,
        Command::Catalog(PutConcerts(_)) | Command::Hold(_) | Command::Wallet(_) | Command::Payment(_) => {
            false
        }
    }
}

/// A writer with its connection, while it has one.
pub(super) struct Writer {
    shared: Arc<Shared>,
    duty: Duty,
    session: Option<Session>,
    /// What was committed on this connection.
    recent: Recent,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, duty: Duty) -> Self {
        Self { shared, duty, session: None, recent: Recent::default() }
    }

    /// Executes a batch, which is tried so often at most: when it answers, the batch is committed, and forgotten where it was
    /// remembered otherwise.
    pub(super) async fn execute(
        &mut self,
        batch: &[&Command],
        mut prepared: Prepared,
        by: Deadlines,
        most: u32,
    ) -> Result<Answers, Trouble> {
        if Instant::now() >= by.saved {
            return Err(Trouble::timed_out("a batch waited for its turn"));
        }
        let (mut tries, mut pause) = (1, PAUSE);
        loop {
            let prepared = std::mem::replace(&mut prepared, Prepared::Nothing);
            let trouble = match self.turn(batch, prepared, by).await {
                Ok(answers) => return Ok(answers),
                Err(trouble) => trouble,
            };
            let jittered = jitter(pause);
            let hopeless = matches!(trouble, Trouble::Broken(_) | Trouble::Unknown(_));
            if hopeless || tries == most || Instant::now() + jittered >= by.saved {
                return Err(trouble);
            }
            tracing::debug!(?trouble, "a batch is tried again");
            sleep(jittered).await;
            pause *= 2;
            tries += 1;
        }
    }

    /// One try.
    async fn turn(
        &mut self,
        batch: &[&Command],
        prepared: Prepared,
        by: Deadlines,
    ) -> Result<Answers, Trouble> {
        let session = self.session(by).await?;
        let prepared = prepared.in_life(session.life);
        self.session = Some(session);
        let look = match prepared {
            Prepared::Ahead(ahead) => match self.save_ahead(*ahead, by).await? {
                Some(answers) => return Ok(answers),
                None => None,
            },
            Prepared::Look(look) => Some(look),
            Prepared::Nothing => None,
        };
        let shared = Arc::clone(&self.shared);
        let mut session = self.session(by).await?;
        let mut turn = Turn { session: &mut session, policy: &shared.policy, recent: &self.recent };
        let staged = match take(&mut turn, self.duty, batch, look, by).await {
            Ok(staged) => staged,
            Err(gone @ Trouble::Gone(_)) => return Err(gone),
            Err(trouble) => {
                self.undo(session).await;
                return Err(trouble);
            }
        };
        if staged.look_was_good {
            shared.others_write.store(false, Ordering::Relaxed);
        }
        self.finish(session, staged, by).await
    }

    /// Saves what was decided ahead; none: it has to be decided under the lock.
    async fn save_ahead(&mut self, ahead: Ahead, by: Deadlines) -> Result<Option<Answers>, Trouble> {
        // What can't be broken off without doubt is begun only if the database breaks it off in time itself.
        if Instant::now() + LOCKED_WITHIN > by.known {
            return Ok(None);
        }
        let Some(place) = ahead.place(&self.recent) else { return Ok(None) };
        let mut session = self.session(by).await?;
        let basis = ahead.basis();
        let (staged, saved) = ahead.save(&mut session.connection, &place, by.known).await;
        let committed = match saved {
            Ok(clock) => {
                let life = session.life;
                self.session = Some(session);
                match basis {
                    Basis::Presumed => self.shared.known.compared(clock.is_some()),
                    Basis::Loaded if clock.is_none() => {
                        self.shared.others_write.store(true, Ordering::Relaxed);
                    }
                    Basis::Loaded => {}
                }
                let Some(now) = clock else { return Ok(None) };
                let (last_event, catalog_version) = (staged.last_event, place.catalog_version);
                self.shared.known.note(life, Head { last_event, catalog_version, now }, Instant::now());
                Ok(())
            }
            // The statement failed as a whole.
            Err(trouble @ Trouble::Again(_)) => {
                if basis == Basis::Presumed {
                    self.shared.known.compared(false);
                }
                self.session = Some(session);
                return Err(trouble);
            }
            Err(unknown @ Trouble::Unknown(_)) => Err(unknown),
            Err(trouble) => {
                drop(session);
                self.ask_the_log(trouble, &staged, by.known).await
            }
        };
        self.conclude(staged, committed).map(Some)
    }

    /// The session, or a new one, in which nothing is known of what was written before it.
    async fn session(&mut self, by: Deadlines) -> Result<Session, Trouble> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let mut session = Session::open(self.shared.db.connector(), 0, by.saved).await?;
        let prepared = timeout_at(by.saved, load::prepare_begin(&mut session.connection)).await;
        prepared.map_err(|_| Trouble::timed_out("preparing a connection"))??;
        self.recent = Recent::default();
        if self.duty == Duty::Bookings {
            session.life = self.shared.life.fetch_add(1, Ordering::SeqCst) + 1;
        }
        Ok(session)
    }

    /// Rolls back, and keeps the connection if that goes well. Nothing waits for it: a refusal needs no commit.
    async fn undo(&mut self, mut session: Session) {
        let undoing = raw_sql("ROLLBACK").execute(&mut session.connection);
        let undone = timeout(Duration::from_millis(200), undoing).await;
        if matches!(undone, Ok(Ok(_))) {
            self.session = Some(session);
        }
    }

    async fn finish(
        &mut self,
        mut session: Session,
        staged: Staged,
        by: Deadlines,
    ) -> Result<Answers, Trouble> {
        if staged.first_event.is_none() {
            self.undo(session).await;
            return Ok(staged.answers);
        }
        // Changes of the catalogue may have taken longer than that by now; their commit has its own time.
        let by_known = match self.duty {
            Duty::Bookings | Duty::Lanes => by.known,
            Duty::Catalog => Instant::now() + KNOWN_WITHIN,
        };
        let committed = timeout_at(by_known, raw_sql("COMMIT").execute(&mut session.connection)).await;
        let committed = match committed {
            Ok(Ok(_)) => {
                self.session = Some(session);
                Ok(())
            }
            Ok(Err(error)) => {
                drop(session);
                self.ask_the_log(error.into(), &staged, by_known).await
            }
            Err(_) => Err(Trouble::Unknown("the database did not answer a commit in time".into())),
        };
        self.conclude(staged, committed)
    }

    /// The connection was lost, or something else went wrong, while a commit was under way.
    async fn ask_the_log(&self, trouble: Trouble, staged: &Staged, by: Instant) -> Result<(), Trouble> {
        tracing::warn!(?trouble, "a commit failed; the log is asked what became of it");
        let Some(first) = &staged.first_event else { return Err(trouble) };
        match timeout_at(by, resolve::verdict(self.shared.db.connector(), first, by)).await {
            Ok(Ok(Verdict::Committed)) => Ok(()),
            Ok(Ok(Verdict::Undone)) => Err(trouble),
            Ok(Err(_)) | Err(_) => Err(Trouble::Unknown(
                "the connection was lost while committing, and did not come back".into(),
            )),
        }
    }

    /// Remembers and forgets what a commit makes old, and tells.
    fn conclude(&mut self, staged: Staged, committed: Result<(), Trouble>) -> Result<Answers, Trouble> {
        let Staged { answers, first_event, touched, catalog_changed, reach, last_event, .. } = staged;
        if let (Ok(()), Some(first), Some(reach)) = (&committed, first_event, reach) {
            if let Some(session) = &self.session {
                self.shared.known.wrote(session.life, last_event);
            }
            self.recent.note(first.seq - 1, last_event, first.at, reach);
        }
        // What was remembered may be wrong now, also when nobody knows.
        self.shared.forget(&touched, catalog_changed);
        committed.map(|()| answers)
    }
}

/// A turn within its limits. A change of the catalogue has them twice: once to be saved, and once for its place in the log.
async fn take(
    turn: &mut Turn<'_>,
    duty: Duty,
    batch: &[&Command],
    look: Option<Box<Look>>,
    by: Deadlines,
) -> Result<Staged, Trouble> {
    let late = |_| Trouble::timed_out("a batch was decided");
    let keys = Keys::of(batch.iter().copied());
    match duty {
        Duty::Bookings => timeout_at(by.saved, turn.take_bookings(batch, &keys, look)).await.map_err(late)?,
        Duty::Lanes => timeout_at(by.saved, turn.take_lanes(batch, &keys)).await.map_err(late)?,
        Duty::Catalog => {
            let unplaced = timeout_at(by.saved, turn.take_catalog(batch, &keys)).await.map_err(late)??;
            timeout(SAVED_WITHIN, turn.placed(unplaced)).await.map_err(late)?
        }
    }
}
