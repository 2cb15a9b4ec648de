//! One call: a script on a lane, with what this instance has seen of it.

use booking_core::{LaneName, StoreError, Ticket};
use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, ToRedisArgs, Value};
use tokio::time::timeout;

use crate::{
    link::CALL_WITHIN,
    queue::RedisQueue,
    reply::{Answer, Reply},
    scripts::Script,
    seen::epoch_text,
    trouble::store_error,
};

/// A script about to be run on a lane.
pub(crate) struct Call<'a> {
    queue: &'a RedisQueue,
    script: &'a Script,
    lane: &'a LaneName,
    args: Vec<Vec<u8>>,
}

impl RedisQueue {
    pub(crate) fn call<'a>(&'a self, script: &'a Script, lane: &'a LaneName) -> Call<'a> {
        let seen = self.seen.of(lane);
        Call { queue: self, script, lane, args: Vec::new() }.arg(seen.epoch_text()).arg(seen.step)
    }
}

impl Call<'_> {
    pub(crate) fn arg(mut self, value: impl ToRedisArgs) -> Self {
        value.write_redis_args(&mut self.args);
        self
    }

    /// The epoch, number and user of a ticket.
    pub(crate) fn ticket(self, ticket: &Ticket) -> Self {
        self.arg(epoch_text(ticket.epoch)).arg(ticket.seq).arg(ticket.user.0.as_bytes().as_slice())
    }

    fn complete(&self, mut command: Cmd) -> Cmd {
        command.arg(self.queue.key(self.lane));
        for arg in &self.args {
            command.arg(arg.as_slice());
        }
        command
    }

    /// What the lane answers, if there is one. A call that `changes` something may have done so although its answer was
    /// lost, and whatever is said the second time.
    pub(crate) async fn run(self, changes: bool) -> Result<Option<Reply>, StoreError> {
        let queue = self.queue;
        let mut in_doubt = false;
        let asking = timeout(CALL_WITHIN, self.ask(&mut in_doubt)).await;
        let answer =
            asking.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
        let answer = answer.map_err(|error| store_error(&error, changes, in_doubt))?;
        match Answer::read(answer)? {
            Answer::Lane(reply) => {
                if queue.seen.note(self.lane, reply.mark()) {
                    let lane = self.lane.as_str();
                    tracing::warn!(lane, "Redis lost the lane and it was made anew: people enter again");
                }
                Ok(Some(reply))
            }
            Answer::Unknown => Ok(None),
            Answer::Lost => {
                let lane = self.lane.as_str();
                tracing::error!(
                    lane,
                    "Redis came back with an old copy of the lane: it starts anew, and people enter again"
                );
                Ok(None)
            }
        }
    }

    /// `is_lost` tells whether an answer was.
    async fn ask(&self, is_lost: &mut bool) -> RedisResult<Value> {
        let link = &self.queue.link;
        let command = self.complete(self.script.by_name());
        let mut answer = link.run(&command).await;
        // A connection that broke since the last call. Every script may be run twice: what it did the first time, it
        // finds the second time.
        if answer.as_ref().is_err_and(|error| error.is_connection_dropped() && !error.is_connection_refusal())
        {
            *is_lost = true;
            answer = link.run(&command).await;
        }
        let is_new = |error: &RedisError| error.kind() == ErrorKind::Server(ServerErrorKind::NoScript);
        if answer.as_ref().is_err_and(is_new) {
            answer = link.run(&self.complete(self.script.by_text())).await;
        }
        answer
    }
}
