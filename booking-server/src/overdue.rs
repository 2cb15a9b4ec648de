//! How those who watch a request learn that it was given up. What they see is that it is dropped, as it is when its client
//! goes away; but a client that is told something has not gone.

use std::cell::Cell;

use booking_api::Code;

thread_local! {
    static TOLD: Cell<Option<Code>> = const { Cell::new(None) };
}

/// Drops what took too long, while [`told`] says what the client hears instead.
pub(crate) fn give_up(told: Code, drop: impl FnOnce()) {
    TOLD.set(Some(told));
    drop();
    TOLD.set(None);
}

/// What the client of the request that is being dropped is told; none: nobody is there to be told.
pub(crate) fn told() -> Option<Code> {
    TOLD.get()
}
