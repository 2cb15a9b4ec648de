use booking_core::Timestamp;

/// The clock of the machine: the one place that reads it. Stores in memory decide by it.
#[allow(clippy::disallowed_methods, reason = "this is the clock that everything else is handed")]
pub fn system_clock() -> Timestamp {
    chrono::Utc::now().into()
}
