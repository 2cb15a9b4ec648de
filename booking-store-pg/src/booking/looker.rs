//! A looker owns a connection, and loads on it what a batch needs while the one before is being written.

use std::sync::{Arc, atomic::Ordering};

use booking_core::{Command, Keys};
use tokio::time::{Instant, timeout_at};

use super::{
    Shared,
    ahead::Ahead,
    look::Whom,
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

impl Looker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, session: None }
    }

    /// Loads what the batch needs, and decides it if that may be of use. Whatever goes wrong here is left to the writer, who
    /// tries again. What was looked at on a connection that is older than the writer's is of no use to it, so that is given up.
    pub(super) async fn look(&mut self, batch: &[&Command], by: Deadlines) -> Seen {
        // Under overload it is too late before it begins: a look would be sent, given up and cost its connection all the same.
        if Instant::now() >= by.looked {
            return Seen::ToWrite(Prepared::Nothing);
        }
        let whom = Whom::of(batch);
        let looked = timeout_at(by.looked, async {
            let life = self.shared.life.load(Ordering::SeqCst);
            let mut session = match self.session.take() {
                Some(session) if session.life == life => session,
                Some(_) | None => Session::open(self.shared.db.connector(), life, by.looked).await?,
            };
            let keys = Keys::of(batch.iter().copied());
            let look = Look::at(&mut session, &self.shared.policy, &keys, whom).await?;
            self.session = Some(session);
            Ok::<_, Trouble>(look)
        });
        let Ok(Ok(look)) = looked.await else { return Seen::ToWrite(Prepared::Nothing) };
        if whom == Whom::Holds && !self.shared.others_write.load(Ordering::Relaxed) {
            let Look { state, head, reach, life } = look;
            let decided = Decided::of(state, batch, head.now);
            if decided.events.is_empty() {
                return Seen::Answers(decided.answers);
            }
            let ahead = Ahead::of(decided, head, reach, life);
            return Seen::ToWrite(ahead.map_or(Prepared::Nothing, |ahead| Prepared::Ahead(Box::new(ahead))));
        }
        match look.answers(batch) {
            Some(answers) => Seen::Answers(answers),
            None => Seen::ToWrite(Prepared::Look(Box::new(look))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, AtomicU64},
        time::Duration,
    };

    use booking_core::{BookingPolicy, id::UserId, wallet};
    use tokio::{net::TcpListener, time::timeout};
    use uuid::Uuid;

    use super::*;
    use crate::{
        booking::{maps::Maps, stock::Stocks},
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
