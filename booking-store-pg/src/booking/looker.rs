//! A looker owns a connection, and loads on it what a batch needs while the one before is being written.

use std::sync::{Arc, atomic::Ordering};

use booking_core::{BookingPolicy, Command, Keys, Reach, Rows, State};
use tokio::time::{Instant, timeout_at};

use super::{
    Shared,
    ahead::Ahead,
    glance::Glance,
    look::Whom,
    save::Basis,
    session::Session,
    turn::{Answers, Decided, Look, Prepared},
};
use crate::{deadlines::Deadlines, trouble::Trouble};

/// A looker with its connection, while it has one.
pub(super) struct Looker {
    shared: Arc<Shared>,
    session: Option<Session>,
}

/// What a look at a batch found.
pub(super) enum Seen {
    /// It changes nothing, and this is what it says.
    Answers(Answers),
    /// It is to be written.
    ToWrite(Prepared),
}

impl Seen {
    /// How many are refused, if that is known by now.
    pub(super) fn refusals(&self) -> Option<usize> {
        let answers = match self {
            Self::Answers(answers) => answers,
            Self::ToWrite(Prepared::Ahead(ahead)) => ahead.answers(),
            Self::ToWrite(Prepared::Nothing | Prepared::Look(_)) => return None,
        };
        Some(answers.iter().filter(|answer| answer.is_err()).count())
    }
}

impl Looker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, session: None }
    }

    /// What can be told of a batch of holds by a glance at their seats, if there is time for one.
    pub(super) async fn glance(&mut self, batch: &[&Command], by: Deadlines) -> Option<Glance> {
        let glanced = self.on_session(by, async |session, policy| Glance::at(session, policy, batch).await);
        glanced.await
    }

    /// Loads what the batch needs, and decides it if that may be of use. Whatever goes wrong here is left to the writer, who
    /// tries again.
    pub(super) async fn look(&mut self, batch: &[&Command], by: Deadlines) -> Seen {
        let whom = Whom::of(batch);
        let looked = self.on_session(by, async |session, policy| {
            Look::at(session, policy, &Keys::of(batch.iter().copied()), whom).await
        });
        let Some(look) = looked.await else { return Seen::ToWrite(Prepared::Nothing) };
        let (known, now) = (&self.shared.known, Instant::now());
        match whom {
            Whom::Holds => known.looked(look.life, look.head, look.is_presumed, now),
            Whom::Anybody => known.note(look.life, look.head, now),
        }
        if whom == Whom::Holds && !self.shared.others_write.load(Ordering::Relaxed) {
            let Look { state, head, reach, life, .. } = look;
            let decided = Decided::of(state, batch, head.now);
            if decided.events.is_empty() {
                return Seen::Answers(decided.answers);
            }
            let ahead = Ahead::of(decided, head, reach, life, Basis::Loaded);
            return Seen::ToWrite(ahead.map_or(Prepared::Nothing, |ahead| Prepared::Ahead(Box::new(ahead))));
        }
        match look.answers(batch) {
            Some(answers) => Seen::Answers(answers),
            None => Seen::ToWrite(Prepared::Look(Box::new(look))),
        }
    }

    /// Decides a batch on what it is presumed to find, if there is reason to: only what is not remembered of the catalogue is
    /// loaded. None: it has to be looked at.
    pub(super) async fn presume(&mut self, batch: &[&Command], by: Deadlines) -> Option<Prepared> {
        let shared = Arc::clone(&self.shared);
        let is_expected = shared.known.may_presume() && !shared.others_write.load(Ordering::Relaxed);
        let keys = Keys::of(batch.iter().copied());
        if !is_expected || Whom::of(batch) != Whom::Holds || !keys.all_seats.is_empty() {
            return None;
        }
        let loaded = self.on_session(by, async |session, _| {
            let Session { connection, catalog, life } = session;
            let Some(head) = shared.known.head(*life, Instant::now()) else { return Ok(None) };
            Ok(Some((catalog.load(connection, head.catalog_version, &keys).await?, head, *life)))
        });
        let (catalog, head, life) = loaded.await??;
        let mut state = State::load(shared.policy.clone(), Rows::presumed(&keys, head.now));
        state.add(catalog);
        let decided = Decided::of(state, batch, head.now);
        // A refusal, or an answer that changes nothing, is not told on a presumption.
        if decided.events.len() < batch.len() {
            return None;
        }
        let ahead = Ahead::of(decided, head, Reach::of(&keys), life, Basis::Presumed).ok()?;
        Some(Prepared::Ahead(Box::new(ahead)))
    }

    /// Loads something, if it can be had in time. What is loaded on a connection that is older than the writer's is of no use to
    /// it, so that is given up.
    async fn on_session<T>(
        &mut self,
        by: Deadlines,
        load: impl AsyncFnOnce(&mut Session, &BookingPolicy) -> Result<T, Trouble>,
    ) -> Option<T> {
        // Under overload it is too late before it begins: a look would be sent, given up and cost its connection all the same.
        if Instant::now() >= by.looked {
            return None;
        }
        let loaded = timeout_at(by.looked, async {
            let life = self.shared.life.load(Ordering::SeqCst);
            let mut session = match self.session.take() {
                Some(session) if session.life == life => session,
                Some(_) | None => Session::open(self.shared.db.connector(), life, by.looked).await?,
            };
            let loaded = load(&mut session, &self.shared.policy).await?;
            self.session = Some(session);
            Ok::<_, Trouble>(loaded)
        });
        loaded.await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, AtomicU64},
        time::Duration,
    };

    use booking_core::{id::UserId, wallet};
    use tokio::{net::TcpListener, time::timeout};
    use uuid::Uuid;

    use super::*;
    use crate::{
        booking::{known::Known, maps::Maps, stock::Stocks},
        connect,
        db::Db,
    };

    #[tokio::test]
    async fn what_is_late_already_is_not_looked_at() {
        let database = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = database.local_addr().expect("an address").port();
        let url = format!("postgres://booking@127.0.0.1:{port}/booking");
        let shared = Arc::new(Shared {
            db: Db::new(connect::connector(&url).expect("an address"), 1),
            policy: BookingPolicy::default(),
            maps: Maps::default(),
            stocks: Stocks::default(),
            others_write: AtomicBool::new(false),
            known: Known::default(),
            life: AtomicU64::new(0),
        });
        let (mut looker, command) = (Looker::new(shared), wallet::Command::Open(UserId(Uuid::nil())).into());
        let late = Deadlines::of(Instant::now() - Duration::from_secs(1));
        let seen = looker.look(&[&command], late).await;
        assert!(matches!(seen, Seen::ToWrite(Prepared::Nothing)));
        let asked = timeout(Duration::from_millis(200), database.accept()).await;
        assert!(asked.is_err(), "the database was bothered");
    }
}
