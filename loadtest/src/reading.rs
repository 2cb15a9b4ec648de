//! Reads the books after a run, through the service's own calls.

use std::{collections::BTreeMap, time::Duration};

use booking_api::{
    Entry, LaneStatus, List, Payment, Reservation,
    client::{Client, ClientError},
};
use booking_core::RecordedEvent;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};
use uuid::Uuid;

use crate::{
    crew::Crew,
    history::Sample,
    oracle::{Account, Books},
    stage::Servers,
};

/// How many accounts are read at once.
const AT_ONCE: usize = 16;
/// How many events come with one answer.
const EVENTS_A_PAGE: usize = 1_000;
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
/// The log is read to its end when nothing was added for so long.
const QUIET_FOR: Duration = Duration::from_millis(300);

/// A person whose account is to be read.
pub struct Holder {
    /// The number of the person.
    pub person: u32,
    /// Who that is to the service.
    pub user: Uuid,
    /// Speaks for the person.
    pub user_token: String,
    /// Speaks for the last ticket; empty without one.
    pub queue_token: String,
}

/// The number of the last event there is now. Numbers may have gaps, so the log is halved, not counted.
pub async fn tip(servers: &Servers) -> Result<u64, ClientError> {
    let (client, key) = (&servers.clients[0], &servers.admin_key);
    let is_beyond =
        async |number: u64| Ok::<_, ClientError>(client.events(key, number, 1).await?.items.is_empty());
    let (mut below, mut beyond) = (0, 1);
    while !is_beyond(beyond).await? {
        (below, beyond) = (beyond, beyond.saturating_mul(2));
    }
    while below < beyond {
        let middle = below + (beyond - below) / 2;
        if is_beyond(middle).await? {
            beyond = middle;
        } else {
            below = middle + 1;
        }
    }
    Ok(beyond)
}

/// All that the service says: the log after `tip`, its audit, and the accounts of these people.
pub async fn read(servers: &Servers, tip: u64, holders: Vec<Holder>) -> Result<Books, ClientError> {
    let accounts = stream::iter(holders.into_iter().enumerate())
        .map(|(index, holder)| {
            let client = servers.clients[index % servers.clients.len()].clone();
            async move { Ok::<_, ClientError>((holder.person, account(&client, &holder).await?)) }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<BTreeMap<_, _>>();
    let accounts = accounts.await?;
    let events = log(servers, tip).await?;
    let audit = servers.clients[0].audit(&servers.admin_key).await?;
    Ok(Books { events, audit, accounts })
}

async fn log(servers: &Servers, tip: u64) -> Result<Vec<RecordedEvent>, ClientError> {
    let (mut events, mut after, mut quiet_since) = (Vec::new(), tip, Instant::now());
    while quiet_since.elapsed() < QUIET_FOR {
        let page = servers.clients[0].events(&servers.admin_key, after, EVENTS_A_PAGE).await?;
        if page.items.is_empty() {
            sleep(QUIET_FOR / 3).await;
        } else {
            quiet_since = Instant::now();
        }
        events.extend(page.items);
        after = page.next_after;
    }
    Ok(events)
}

async fn account(client: &Client, holder: &Holder) -> Result<Account, ClientError> {
    let token = &*holder.user_token;
    let balance = client.wallet(token).await?.balance;
    let mut entries: Vec<Entry> =
        List::whole(async |cursor: Option<String>| client.entries(token, cursor.as_deref()).await).await?;
    // Entries of one instant come in the order of their ids.
    entries.sort_by_key(|entry| entry.number);
    let payments: Vec<Payment> =
        List::whole(async |cursor: Option<String>| client.payments(token, cursor.as_deref()).await).await?;
    let reservations: Vec<Reservation> =
        List::whole(async |cursor: Option<String>| client.reservations(token, cursor.as_deref()).await)
            .await?;
    let ticket = client.place(&holder.queue_token).await.ok().map(|place| place.status);
    Ok(Account { balance, entries, payments, reservations, ticket })
}

/// Looks at the lane again and again until told to stop; each server in turn.
pub async fn watch(
    servers: &Servers,
    lane: &str,
    crew: &Crew,
    mut stop: oneshot::Receiver<()>,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    for client in servers.clients.iter().cycle() {
        let sent = std::time::Instant::now();
        if let Ok(lane) = client.lane(&servers.admin_key, lane).await {
            let (sent, answered) = (crew.since_began(sent), crew.since_began(std::time::Instant::now()));
            samples.extend(sample(&lane, sent, answered));
        }
        tokio::select! {
            _ = &mut stop => break,
            () = sleep(SAMPLE_EVERY) => {}
        }
    }
    samples
}

fn sample(lane: &LaneStatus, sent: u64, answered: u64) -> Option<Sample> {
    let is_open = !lane.paused && !lane.closed && !lane.sold_out && lane.admit_per_second.is_none();
    Some(Sample {
        sent,
        answered,
        waiting: lane.waiting?,
        admitted: lane.admitted?,
        entered: lane.entered?,
        open: is_open,
    })
}
