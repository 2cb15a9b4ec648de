//! The lane `main` at the start of a server.

use booking_core::{Engine, Error, LaneName, catalog::LaneChange};

use crate::ServeArgs;

/// Makes the lane as the flags say, if it is new. One that is on record is the operator's, who may have changed it while the
/// sale runs: a server that starts again, or one more, leaves it as it is, and says so.
pub(crate) async fn open(engine: &Engine, args: &ServeArgs) -> Result<(), Error> {
    let (name, told) = (LaneName::main(), flags(args));
    let Some(settings) = engine.lane_settings(&name).await? else {
        engine.set_lane(&name, told).await?;
        return Ok(());
    };
    if !told.is_met_by(&settings) {
        tracing::warn!(
            capacity = settings.policy.capacity,
            max_waiting = settings.policy.max_waiting,
            admit_per_second = settings.policy.admit_per_second,
            claim_ttl = ?settings.policy.claim_ttl,
            session_ttl = ?settings.policy.session_ttl,
            "the lane main stays as it is on record, which the flags of the lane say otherwise; to change it: booking lane set main"
        );
    }
    Ok(())
}

fn flags(args: &ServeArgs) -> LaneChange {
    LaneChange {
        capacity: args.lane_capacity,
        max_waiting: args.max_waiting.map(Some),
        admit_per_second: args.admit_per_second.map(Some),
        claim_ttl: args.claim_ttl,
        session_ttl: args.session_ttl,
        ..LaneChange::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_told_nothing_of_the_lane_says_nothing_of_it() {
        assert_eq!(flags(&ServeArgs::default()), LaneChange::default());
    }
}
