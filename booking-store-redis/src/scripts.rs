//! The scripts, each the lane's own functions and what it does with them.

use redis::{Cmd, cmd};

const LANE: &str = include_str!("scripts/lane.lua");
/// That a script writes, told before it runs: so a primary that became a replica refuses all of them. It would tell those
/// that only read, or that end before they write, what it holds by then, which may be nothing.
const WRITES: &str = "#!lua\n";
const CLOCK: &str = "local time = redis.call('TIME')\nlocal now = time[1] * 1000000 + time[2]\n";

const TOLD_TIME: &str = "local now = tonumber(redis.call('GET', KEYS[1] .. ':clock'))\n";

/// A text that Redis runs, and its name there.
pub(crate) struct Script {
    text: String,
    hash: String,
}

impl Script {
    fn new(clock: &str, body: &str) -> Self {
        let text = format!("{WRITES}{clock}{LANE}{body}");
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    /// Runs it by its name, which Redis knows until it restarts.
    pub(crate) fn by_name(&self) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(&self.hash).arg(1);
        command
    }

    /// Runs it by its text, after which Redis knows its name. In a cluster that reaches the one node that matters, while
    /// `SCRIPT LOAD` asks all of them and fails when one is down.
    pub(crate) fn by_text(&self) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(&self.text).arg(1);
        command
    }
}

/// All of them.
pub(crate) struct Scripts {
    pub(crate) enter: Script,
    pub(crate) place: Script,
    pub(crate) claim: Script,
    pub(crate) finish: Script,
    pub(crate) advance: Script,
    pub(crate) snapshot: Script,
    pub(crate) configure: Script,
}

impl Scripts {
    /// By the clock of Redis, or by a key beside the lane that tells the time.
    pub(crate) fn new(told_time: bool) -> Self {
        let clock = if told_time { TOLD_TIME } else { CLOCK };
        Self {
            enter: Script::new(clock, include_str!("scripts/enter.lua")),
            place: Script::new(clock, include_str!("scripts/place.lua")),
            claim: Script::new(clock, include_str!("scripts/claim.lua")),
            finish: Script::new(clock, include_str!("scripts/finish.lua")),
            advance: Script::new(clock, include_str!("scripts/advance.lua")),
            snapshot: Script::new(clock, include_str!("scripts/snapshot.lua")),
            configure: Script::new(clock, include_str!("scripts/configure.lua")),
        }
    }
}
