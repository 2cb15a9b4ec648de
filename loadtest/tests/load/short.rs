//! A short form of every scenario, against memory and against PostgreSQL.

use std::time::Duration;

use booking_server::{Secrets, ServeArgs};
use loadtest::console::violations;

use super::support::{Database, Server, results};

/// Long enough for a hold to be paid on a busy machine, short enough to wait for its end.
const SHORT_HOLD: Duration = Duration::from_millis(1_500);

async fn is_clean_in_memory(flags: &str) {
    let server = Server::start(SHORT_HOLD).await;
    let summary = results(&[&server.url], &server.keys, flags).await;
    assert!(summary.is_clean(), "{}", violations(&summary));
    server.stop().await;
}

macro_rules! short_forms {
    ($($name:ident: $flags:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                is_clean_in_memory($flags).await;
            }
        )*
    };
}

short_forms! {
    seat_rush_sells_every_seat_once: "seat-rush --people 150 --seats 20";
    hot_seat_has_one_winner: "hot-seat --people 100";
    on_sale_ends_with_every_seat_sold:
        "on-sale --people 300 --performances 2 --seats 10 --capacity 20 --span 2s --think 100ms --claim-ttl 2s";
    poll_storm_tells_exact_ranks: "poll-storm --people 300 --span 3s --admit-per-second 40 --claim-ttl 3s";
    abandoned_seats_are_bought_by_others: "abandon --people 40 --seats 20 --span 200ms";
    expiry_race_is_won_by_one_side: "expiry-race --people 120 --performances 2 --span 300ms --think 30ms";
    wallet_hammer_moves_money_once: "wallet-hammer --people 20 --span 500ms";
    mixed_visits_add_up: "mixed --people 200 --performances 4 --seats 20 --span 2s --think 100ms";
    bots_get_no_more_than_others: "bots --people 10 --span 300ms";
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_on_postgresql_are_clean() {
    let database = Database::create();
    let args = ServeArgs {
        listen: ([127, 0, 0, 1], 0).into(),
        store: database.url.clone(),
        hold_ttl: SHORT_HOLD,
        ..ServeArgs::default()
    };
    let server = Server::with(&args, Secrets::random()).await;
    for flags in ["seat-rush --people 100 --seats 20", "wallet-hammer --people 10 --span 500ms"] {
        let summary = results(&[&server.url], &server.keys, flags).await;
        assert!(summary.is_clean(), "{}", violations(&summary));
    }
    server.stop().await;
}
