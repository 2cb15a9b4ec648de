//! A short form of every scenario in memory, and of some over a file and over three servers on PostgreSQL.

use std::time::Duration;

use booking_server::{Secrets, ServeArgs};
use loadtest::console::violations;

use super::support::{Database, Folder, Server, on, results};

/// Scenarios that wait for the end of a hold get one worth waiting for; to the others no busy machine is too slow.
fn hold_ttl(flags: &str) -> Duration {
    let waits = ["abandon", "expiry-race", "on-sale"].iter().any(|scenario| flags.starts_with(scenario));
    if waits { Duration::from_millis(1_500) } else { Duration::from_mins(5) }
}

/// Plays it over so many servers on one store.
async fn is_clean(store: &str, servers: usize, flags: &str) {
    let (args, secrets) = (ServeArgs { hold_ttl: hold_ttl(flags), ..on(store) }, Secrets::random());
    let mut running = Vec::new();
    for _ in 0..servers {
        running.push(Server::with(&args, secrets.clone()).await);
    }
    let hosts: Vec<&str> = running.iter().map(|server| &*server.url).collect();
    let summary = results(&hosts, &running[0].keys, flags).await;
    assert!(summary.is_clean(), "{}", violations(&summary));
    for server in running {
        server.stop().await;
    }
}

async fn in_memory(flags: &str) {
    is_clean("memory:", 1, flags).await;
}

async fn in_a_file(flags: &str) {
    let folder = Folder::new();
    is_clean(&format!("sqlite:{}", folder.0.join("booking.db").display()), 1, flags).await;
}

async fn over_three_servers(flags: &str) {
    let database = Database::create();
    is_clean(&database.url, 3, flags).await;
}

macro_rules! short_forms {
    ($($name:ident: $place:ident, $flags:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $place($flags).await;
            }
        )*
    };
}

short_forms! {
    seat_rush_sells_every_seat_once: in_memory, "seat-rush --people 150 --seats 20";
    hot_seat_has_one_winner: in_memory, "hot-seat --people 100";
    on_sale_ends_with_every_seat_sold: in_memory,
        "on-sale --people 300 --performances 2 --seats 10 --capacity 20 --span 2s --think 100ms --claim-ttl 2s";
    poll_storm_tells_exact_ranks: in_memory, "poll-storm --people 300 --span 3s --admit-per-second 40 --claim-ttl 3s";
    abandoned_seats_are_bought_by_others: in_memory, "abandon --people 40 --seats 20 --span 200ms";
    expiry_race_is_won_by_one_side: in_memory,
        "expiry-race --people 120 --performances 2 --span 300ms --think 30ms";
    wallet_hammer_moves_money_once: in_memory, "wallet-hammer --people 20 --span 500ms";
    mixed_visits_add_up: in_memory, "mixed --people 200 --performances 4 --seats 20 --span 2s --think 100ms";
    bots_get_no_more_than_others: in_memory, "bots --people 10 --span 300ms";

    abandoned_seats_of_a_file_are_bought_by_others: in_a_file, "abandon --people 40 --seats 20 --span 200ms";
    mixed_visits_to_a_file_add_up: in_a_file, "mixed --people 200 --performances 4 --seats 20 --span 2s --think 100ms";

    a_rush_over_three_servers_sells_every_seat_once: over_three_servers, "seat-rush --people 150 --seats 20";
    a_sale_over_three_servers_ends_with_every_seat_sold: over_three_servers,
        "on-sale --people 300 --performances 2 --seats 10 --capacity 20 --span 2s --think 100ms --claim-ttl 2s";
    a_race_over_three_servers_is_won_by_one_side: over_three_servers,
        "expiry-race --people 120 --performances 2 --span 300ms --think 30ms";
    money_over_three_servers_moves_once: over_three_servers, "wallet-hammer --people 20 --span 500ms";
    bots_over_three_servers_get_no_more_than_others: over_three_servers, "bots --people 10 --span 300ms";
}
