//! Seats never shrink, and no server says so when it keeps more than it was asked for. It is found out afterwards.

use booking_api::client::Client;
use booking_core::catalog::MOST_SEATS;
use tokio::task::JoinSet;

use super::Sent;

/// How many performances are asked for at once.
const AT_ONCE: usize = 32;

impl Sent {
    /// How many performances keep more seats than were asked for: those that have a seat beyond the last one. Only those
    /// that may have been there before are asked for. What can't be found out is not counted.
    pub async fn with_more_seats(&self, client: &Client, admin_key: &str) -> usize {
        let mut with_more = 0;
        for some in self.known.chunks(AT_ONCE) {
            let mut answers = JoinSet::new();
            for (performance, seats) in some.iter().copied().filter(|(_, seats)| *seats < MOST_SEATS) {
                let (client, admin_key) = (client.clone(), admin_key.to_owned());
                answers.spawn(async move {
                    client.seat_history(&admin_key, performance, seats + 1).await.is_ok()
                });
            }
            with_more += answers.join_all().await.into_iter().filter(|has_more| *has_more).count();
        }
        with_more
    }
}
