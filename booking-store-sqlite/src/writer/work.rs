use booking_core::{
    Command, EndReason, LaneName, Outcome, Refusal, Ticket, Timestamp,
    catalog::LaneSettings,
    id::UserId,
    queue::{Advanced, Entered},
};

/// What waits for the writer.
#[derive(Debug)]
pub(crate) enum Work {
    /// A batch of the booking port.
    Execute(Vec<Command>),
    /// A command, and what it has to do with lanes: both ports in one step.
    Book(Option<Ticket>, Command),
    /// Endings the queue store has.
    Forget(Vec<Ticket>),
    /// A step of a lane.
    Step(LaneName, Ask),
}

/// What is asked of a lane.
#[derive(Debug)]
pub(crate) enum Ask {
    Enter(UserId),
    Claim(Ticket),
    Finish(Ticket, EndReason),
    Advance,
    Configure(LaneSettings),
}

/// The answer to work of the same name.
#[derive(Debug)]
pub(crate) enum Answer {
    Executed(Vec<Result<Outcome, Refusal>>),
    Booked(Result<Outcome, Refusal>),
    Done,
    Entered(Result<Entered, Refusal>),
    Claimed(Result<Timestamp, Refusal>),
    Advanced(Result<Advanced, Refusal>),
}
