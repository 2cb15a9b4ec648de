//! The thread that has the file.

use std::{collections::BTreeMap, sync::Arc};

use booking_core::{LaneName, batcher::Attended, queue::LaneRow};
use rusqlite::Connection;

use super::{draft::Draft, tidier::Tidying};
use crate::{
    booking::{load::last_event, save},
    migrate, queue,
    trouble::Trouble,
};

/// Writes what was decided, a transaction for each group.
pub(crate) struct Saver {
    file: Connection,
    last_event: i64,
    /// Lanes' own rows, as far as they were written.
    lanes: BTreeMap<LaneName, LaneRow>,
    /// SQLite's count of what other connections committed.
    others: i64,
    /// A commit failed, so what is known of the file is compared with it before the next.
    failed: bool,
    tidying: Tidying,
}

impl Saver {
    pub(crate) fn new(file: Connection, tidying: Tidying) -> Result<Self, Trouble> {
        let (last_event, others) = (last_event(&file)?, commits_of_others(&file)?);
        Ok(Self { file, last_event, lanes: BTreeMap::new(), others, failed: false, tidying })
    }

    /// Works until the desk is closed and empty.
    pub(crate) fn run(mut self, desk: &Attended<Arc<Vec<Draft>>, Result<(), Trouble>>) {
        while let Some(groups) = pollster::block_on(desk.next()) {
            for group in groups {
                let saved = self.save(&group.work);
                // Else the last one to drop the rows would be who has more to do.
                drop(group.work);
                group.reply.send(Ok(saved));
                self.tidying.after_commit(&self.file);
            }
        }
    }

    fn save(&mut self, group: &[Draft]) -> Result<(), Trouble> {
        let saved = self.check().and_then(|()| self.commit(group));
        saved.map_err(|trouble| {
            self.failed = true;
            self.lanes.clear();
            // If this fails, `check` tries again before the next group.
            match (self.roll_back(), trouble) {
                (Ok(()), Trouble::Unknown(detail)) => self.overwrite(detail),
                (_, trouble) => trouble,
            }
        })
    }

    fn roll_back(&self) -> rusqlite::Result<()> {
        if self.file.is_autocommit() { Ok(()) } else { self.file.execute_batch("ROLLBACK") }
    }

    /// What a commit left in the log when its sync failed, a crash would find. The next commit is written over it, so one
    /// that changes nothing is made at once: when that is on the disk the other is undone for good.
    fn overwrite(&self, detail: String) -> Trouble {
        match self.file.pragma_update(None, "user_version", migrate::newest()) {
            Ok(()) => Trouble::Gone(detail),
            Err(_) => Trouble::Unknown(detail),
        }
    }

    /// After a failure: the transaction is over, and the file holds what it held before.
    fn check(&mut self) -> Result<(), Trouble> {
        if let Some(why) = self.tidying.why_stopped() {
            return Err(Trouble::Stopped(why.into()));
        }
        if !self.failed {
            return Ok(());
        }
        self.roll_back()?;
        if last_event(&self.file)? != self.last_event {
            return Err(Trouble::Stopped(
                "the file is not what was written to it; restart to read it anew".into(),
            ));
        }
        self.failed = false;
        Ok(())
    }

    fn begin(&self) -> Result<(), Trouble> {
        self.file.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        if commits_of_others(&self.file)? != self.others {
            return Err(Trouble::Stopped(
                "another program wrote to the file; restart to read it anew".into(),
            ));
        }
        Ok(())
    }

    fn commit(&mut self, group: &[Draft]) -> Result<(), Trouble> {
        self.begin()?;
        let mut last_event = self.last_event;
        for draft in group {
            let told = draft.happened.events.iter().zip(&draft.texts);
            save::changes(&self.file, &draft.changed(), told, last_event, draft.now)?;
            save::forget_endings(&self.file, &draft.acknowledged)?;
            for (name, moved) in &draft.moved {
                queue::save(&self.file, name, moved, &mut self.lanes)?;
            }
            last_event += i64::try_from(draft.happened.events.len()).unwrap_or(0);
        }
        let committed = self.file.prepare_cached("COMMIT")?.execute(());
        committed.map_err(|error| Trouble::of_commit(&error))?;
        self.last_event = last_event;
        Ok(())
    }
}

fn commits_of_others(file: &Connection) -> rusqlite::Result<i64> {
    file.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
}
