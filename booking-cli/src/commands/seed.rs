//! `booking seed`: made-up concerts, the same at every run, so that seeding twice changes nothing.

use booking_api::{ConcertInput, ConcertsPut, PerformanceInput};
use booking_core::LaneName;
use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, Offset, TimeZone, Utc};
use clap::{Args, value_parser};
use comfy_table::Cell;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    clock,
    console::{Console, count, note, number, table},
    failure::Failure,
    import::{self, DEFAULT_PRICE, DEFAULT_SEATS},
    options::{Server, needed_admin_key},
    upload::{self, LARGEST_BODY},
};

/// `booking seed`.
#[derive(Args, Clone, Debug)]
pub(crate) struct SeedArgs {
    /// How many concerts
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) concerts: u32,
    /// How many performances each has
    #[arg(long, default_value_t = 2, value_parser = value_parser!(u32).range(1..=1_000))]
    pub(crate) performances: u32,
    /// How many seats each performance has, numbered from 1: 1 to 20000
    #[arg(long, default_value_t = DEFAULT_SEATS, value_parser = import::parse_seats)]
    pub(crate) seats: u32,
    /// What a seat costs, in the currency's minor unit
    #[arg(long, default_value_t = DEFAULT_PRICE, value_parser = import::parse_price)]
    pub(crate) price: u64,
    /// The lane that leads to them; it is made if there is none of this name
    #[arg(long, default_value_t = LaneName::main())]
    pub(crate) lane: LaneName,
}

/// The namespace of dummy ids. It must never change: seeding again finds what is there by these ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f60_93d1_8c55_4e0b_a4b1_77d9_0c3e_5a18);

const MOODS: [&str; 7] = ["Midnight", "Golden", "Electric", "Silent", "Velvet", "Distant", "Paper"];
const THINGS: [&str; 11] = [
    "Orchestra",
    "Lanterns",
    "Harbour",
    "Parade",
    "Garden",
    "Satellites",
    "Waltz",
    "Thunder",
    "Carousel",
    "Mirrors",
    "Winter",
];
const VENUES: [&str; 5] =
    ["Aurora Hall", "Riverside Stage", "Glass Pavilion", "Old Foundry", "Moonlight Arena"];

/// Dummy concerts. Their ids depend on the lane and their numbers only; their dates are in the weeks after `now`, at
/// 19:30 in Seoul, and the server keeps a date that is still to come.
pub(crate) fn dummy_concerts(args: &SeedArgs, now: DateTime<Utc>) -> Vec<ConcertInput> {
    (0..args.concerts).map(|index| dummy_concert(args, index, now)).collect()
}

fn dummy_concert(args: &SeedArgs, index: u32, now: DateTime<Utc>) -> ConcertInput {
    let place = usize::try_from(index).unwrap_or(0);
    let name = format!("{} {}", MOODS[place % MOODS.len()], THINGS[place % THINGS.len()]);
    let round = place / (MOODS.len() * THINGS.len());
    let title = if round == 0 { name } else { format!("{name} No. {}", round + 1) };
    let today = now.with_timezone(&seoul()).date_naive();
    let performance = |turn: u32| PerformanceInput {
        performance_id: id(&format!("performance {} {index} {turn}", args.lane)),
        venue: VENUES[place % VENUES.len()].into(),
        starts_at: evening(today, 7 + u64::from(index % 21) + u64::from(turn)),
        zone: Some("Asia/Seoul".into()),
        price: i64::try_from(args.price).unwrap_or(i64::MAX),
        seats: args.seats,
        on_sale: true,
    };
    ConcertInput {
        concert_id: id(&format!("concert {} {index}", args.lane)),
        title,
        lane: args.lane.to_string(),
        performances: (0..args.performances).map(performance).collect(),
    }
}

fn id(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// Seoul has had no other offset for decades.
fn seoul() -> FixedOffset {
    FixedOffset::east_opt(9 * 3_600).unwrap_or_else(|| Utc.fix())
}

fn evening(today: NaiveDate, days: u64) -> DateTime<FixedOffset> {
    let date = today.checked_add_days(Days::new(days)).unwrap_or(today);
    let half_past_seven = NaiveTime::from_hms_opt(19, 30, 0).unwrap_or_default();
    let local = date.and_time(half_past_seven);
    seoul().from_local_datetime(&local).single().unwrap_or_else(|| local.and_utc().fixed_offset())
}

#[derive(Serialize)]
struct Seeded<'a> {
    #[serde(flatten)]
    done: ConcertsPut,
    concerts: &'a [ConcertInput],
}

pub(crate) async fn run(args: &SeedArgs, server: &Server, console: Console) -> Result<(), Failure> {
    let admin_key = needed_admin_key()?;
    let client = server.client();
    let concerts = dummy_concerts(args, clock::now());
    if upload::make_lane(&client, &admin_key, &args.lane).await? {
        note(&format!("the lane {} is new", args.lane));
    }
    let progress = console.progress(performances(&concerts), "seeding");
    let portions = upload::portions(concerts.clone(), LARGEST_BODY);
    let sent = upload::send(&client, &admin_key, &portions, &progress).await?;
    progress.finish_and_clear();
    show(&concerts, console);
    tell_kept_seats(sent.with_more_seats(&client, &admin_key).await);
    console.say(&summary(sent.done));
    console.document(&Seeded { done: sent.done, concerts: &concerts })
}

pub(crate) fn performances(concerts: &[ConcertInput]) -> u64 {
    concerts.iter().map(|concert| concert.performances.len() as u64).sum()
}

/// Whoever asks for fewer seats than there are should know that they stay.
pub(crate) fn tell_kept_seats(performances: usize) {
    if performances > 0 {
        let keep = if performances == 1 { "keeps" } else { "keep" };
        note(&format!(
            "note: seats never shrink: {} {keep} more seats than asked for",
            count(performances, "performance")
        ));
    }
}

/// What was done, in a sentence.
pub(crate) fn summary(done: ConcertsPut) -> String {
    format!(
        "concerts and performances: {} added, {} changed; concerts without any change: {}",
        done.added, done.changed, done.unchanged
    )
}

/// Rows shown of a long list.
const SHOWN: usize = 20;

fn show(concerts: &[ConcertInput], console: Console) {
    let mut dates = table(&["concert", "lane", "venue", "starts", "seats", "price"]);
    let rows =
        concerts.iter().flat_map(|concert| concert.performances.iter().map(move |date| (concert, date)));
    for (concert, date) in rows.clone().take(SHOWN) {
        dates.add_row([
            Cell::new(&concert.title),
            Cell::new(&concert.lane),
            Cell::new(&date.venue),
            Cell::new(date.starts_at.format("%Y-%m-%d %H:%M %:z")),
            number(date.seats),
            number(date.price),
        ]);
    }
    console.table(&dates);
    let hidden = rows.count().saturating_sub(SHOWN);
    if hidden > 0 {
        console.say(&format!("and {} (--json lists them all)", count(hidden, "more performance")));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn args(concerts: u32, lane: &str) -> SeedArgs {
        SeedArgs { concerts, performances: 3, seats: 50, price: 50_000, lane: lane.parse().unwrap() }
    }

    fn at(instant: &str) -> DateTime<Utc> {
        instant.parse().unwrap()
    }

    fn ids(concerts: &[ConcertInput]) -> Vec<Uuid> {
        let performances = |concert: &ConcertInput| {
            concert.performances.iter().map(|performance| performance.performance_id).collect::<Vec<_>>()
        };
        concerts
            .iter()
            .flat_map(|concert| [vec![concert.concert_id], performances(concert)].concat())
            .collect()
    }

    #[test]
    fn ids_depend_on_the_lane_and_the_numbers_but_not_on_the_day() {
        let first = ids(&dummy_concerts(&args(5, "main"), at("2030-01-01T00:00:00Z")));
        assert_eq!(first, ids(&dummy_concerts(&args(5, "main"), at("2031-06-01T15:00:00Z"))));
        assert!(first.starts_with(&ids(&dummy_concerts(&args(2, "main"), at("2030-01-01T00:00:00Z")))));
        let other = ids(&dummy_concerts(&args(5, "hot"), at("2030-01-01T00:00:00Z")));
        assert_eq!(first.iter().chain(&other).collect::<BTreeSet<_>>().len(), 40);
    }

    #[test]
    fn every_date_is_an_evening_in_the_weeks_to_come() {
        let now = at("2030-01-01T23:59:59Z");
        for concert in dummy_concerts(&args(100, "main"), now) {
            for performance in concert.performances {
                let days = (performance.starts_at.to_utc() - now).num_days();
                assert!((5..=40).contains(&days), "{days}");
                assert!(performance.starts_at.to_rfc3339().ends_with("T19:30:00+09:00"));
            }
        }
    }

    #[test]
    fn titles_are_all_different() {
        let concerts = dummy_concerts(&args(500, "main"), at("2030-01-01T00:00:00Z"));
        let titles: BTreeSet<_> = concerts.iter().map(|concert| &concert.title).collect();
        assert_eq!(titles.len(), 500);
        assert_eq!(concerts[0].title, "Midnight Orchestra");
    }
}
