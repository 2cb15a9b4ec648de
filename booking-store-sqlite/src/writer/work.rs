use booking_core::{Command, LaneName, Outcome, Refusal, Ticket, queue};

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
    Step(LaneName, queue::Call),
}

/// The answer to work of the same name.
#[derive(Debug)]
pub(crate) enum Answer {
    Executed(Vec<Result<Outcome, Refusal>>),
    Booked(Result<Outcome, Refusal>),
    Done,
    Stepped(Result<queue::Answer, Refusal>),
}
