//! Prepares a server for `scripts/bench`: `prepare URL FOLDER BUYERS WAITING`.
//!
//! Makes so many admitted buyers with a free seat for each, and so many people who wait in a lane that lets nobody in. Their
//! requests go to the files `holds`, `pays`, `seats` and `polls` in the folder, one a line, as `scripts/bench.d/requests.lua`
//! reads them. A reservation's identity follows from its key, so payments can be written down before there are holds.

use std::{error::Error, fs, path::Path};

use booking_api::{
    ConcertInput, CreateUser, LaneChange, PerformanceInput, PutConcerts,
    client::{Client, ClientError},
};
use booking_core::id::{UserId, from_idempotency_key};
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AT_ONCE: usize = 64;
const SEATS: u32 = 50;
const KEY: &str = "bench";

struct Desk {
    client: Client,
    admin_key: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, folder, buyers, waiting] = &args[..] else {
        return Err("usage: prepare URL FOLDER BUYERS WAITING".into());
    };
    let desk = Desk { client: Client::new(url), admin_key: std::env::var("BOOKING_ADMIN_KEY")? };
    let (buyers, waiting): (u32, u32) = (buyers.parse()?, waiting.parse()?);
    desk.lane("buying", buyers).await?;
    desk.lane("waiting", 0).await?;
    let performances = desk.performances(buyers.div_ceil(SEATS)).await?;
    let buyers = desk.people("buying", buyers).await?;
    let waiting = desk.people("waiting", waiting).await?;
    write(Path::new(folder), &performances, &buyers, &waiting)?;
    Ok(())
}

impl Desk {
    async fn lane(&self, name: &str, capacity: u32) -> Result<(), ClientError> {
        let hour = Some(3_600_000);
        let change = LaneChange {
            capacity: Some(capacity),
            claim_ttl_ms: hour,
            session_ttl_ms: hour,
            ..LaneChange::default()
        };
        self.client.change_lane(&self.admin_key, name, &change).await.map(drop)
    }

    async fn performances(&self, count: u32) -> Result<Vec<Uuid>, Box<dyn Error>> {
        let ids: Vec<Uuid> = (0..count).map(|_| Uuid::new_v4()).collect();
        let starts_at = "2099-05-04T19:30:00+09:00".parse()?;
        let performance = |id: &Uuid| PerformanceInput {
            performance_id: *id,
            venue: "Hall".into(),
            starts_at,
            zone: None,
            price: 0,
            seats: SEATS,
            on_sale: true,
        };
        for chunk in ids.chunks(200) {
            let concert = ConcertInput {
                concert_id: Uuid::new_v4(),
                title: "Concert".into(),
                lane: "buying".into(),
                performances: chunk.iter().map(performance).collect(),
            };
            self.client.put_concerts(&self.admin_key, &PutConcerts { concerts: vec![concert] }).await?;
        }
        Ok(ids)
    }

    /// So many people who entered the lane, with their tokens.
    async fn people(&self, lane: &str, count: u32) -> Result<Vec<(Uuid, String)>, ClientError> {
        let person = |_| async {
            let user = self.client.create_user(Some(&self.admin_key), &CreateUser::default()).await?;
            let entered = self.client.enter(&user.user_token, Some(lane)).await?;
            Ok((user.user_id, entered.queue_token))
        };
        stream::iter(0..count).map(person).buffer_unordered(AT_ONCE).try_collect().await
    }
}

fn write(
    folder: &Path,
    performances: &[Uuid],
    buyers: &[(Uuid, String)],
    waiting: &[(Uuid, String)],
) -> std::io::Result<()> {
    let (mut holds, mut pays, mut seats) = (Vec::new(), Vec::new(), Vec::new());
    let seat_numbers = (1..=SEATS).cycle();
    let shows = performances.iter().flat_map(|show| (0..SEATS).map(move |_| show));
    for (((user, token), show), seat) in buyers.iter().zip(shows).zip(seat_numbers) {
        let reservation = from_idempotency_key(UserId(*user), "reservation", KEY);
        holds.push(format!(
            "POST\t/v1/reservations\t{token}\t{KEY}\t{{\"performance_id\":\"{show}\",\"seats\":[{seat}]}}\n"
        ));
        pays.push(format!("POST\t/v1/payments\t{token}\t-\t{{\"reservation_id\":\"{reservation}\"}}\n"));
        seats.push(format!("GET\t/v1/performances/{show}/seats\t{token}\t-\t-\n"));
    }
    let polls: Vec<String> =
        waiting.iter().map(|(_, token)| format!("GET\t/v1/queue/status\t{token}\t-\t-\n")).collect();
    // The last buyers look at the seats: they are those who have not paid yet.
    seats.reverse();
    for (name, lines) in [("holds", holds), ("pays", pays), ("seats", seats), ("polls", polls)] {
        fs::write(folder.join(name), lines.concat())?;
    }
    Ok(())
}
