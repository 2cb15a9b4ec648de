//! The scenarios: each a plan, a story that people play, and goals that must be reached.

mod abandon;
mod bots;
mod expiry_race;
mod goals;
mod hot_seat;
mod meddler;
mod mixed;
mod on_sale;
mod poll_storm;
mod seat_rush;
mod wallet_hammer;

use std::{sync::Arc, time::Duration};

use clap::ValueEnum;
use rand::{SeedableRng, rngs::SmallRng};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::{
    arrivals::steady,
    failure::Failure,
    oracle::{Evidence, Verdict},
    person::{Person, Stop},
    stage::Stage,
};

/// What is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Everybody wants any seat of one performance, at the same moment
    SeatRush,
    /// Everybody wants seat 1, at the same moment
    HotSeat,
    /// A sale from its opening to the last seat: whole journeys, 52 people a ticket, unpaid holds that come back
    OnSale,
    /// A lane full of people who ask where they stand
    PollStorm,
    /// Every seat is held and left to expire, then bought by others
    Abandon,
    /// Payments and new holds at the instant a hold ends
    ExpiryRace,
    /// Charges and payments on few wallets, each sent many times with the same key
    WalletHammer,
    /// People who browse, buy, cancel and abandon, in realistic shares
    Mixed,
    /// Few people with many tries each
    Bots,
}

/// How a scenario is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// How many people come.
    pub people: u32,
    /// How many performances there are.
    pub performances: u32,
    /// How many seats each has.
    pub seats: u32,
    /// What a seat costs.
    pub price: i64,
    /// How many the lane admits at once.
    pub capacity: u32,
    /// How many the lane admits a second; none: as capacity allows.
    pub admit_per_second: Option<u32>,
    /// How long people keep coming, or asking.
    pub span: Duration,
    /// How long people think, at most.
    pub think: Duration,
    /// How long an admitted person has to show up.
    pub claim_ttl: Duration,
    /// How long a session lasts.
    pub session_ttl: Duration,
    /// Whether everybody is in the queue before the doors open.
    pub gathers: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            people: 1_000,
            performances: 1,
            seats: 50,
            price: 50_000,
            capacity: 1_000,
            admit_per_second: None,
            span: Duration::from_secs(20),
            think: Duration::from_millis(500),
            claim_ttl: Duration::from_mins(1),
            session_ttl: Duration::from_mins(15),
            gathers: false,
        }
    }
}

impl Plan {
    /// How many seats there are in all.
    pub fn all_seats(&self) -> usize {
        usize::try_from(u64::from(self.performances) * u64::from(self.seats)).unwrap_or(usize::MAX)
    }
}

impl Scenario {
    /// How it is played when nothing else is said.
    pub fn plan(self) -> Plan {
        match self {
            Self::SeatRush => seat_rush::plan(),
            Self::HotSeat => hot_seat::plan(),
            Self::OnSale => on_sale::plan(),
            Self::PollStorm => poll_storm::plan(),
            Self::Abandon => abandon::plan(),
            Self::ExpiryRace => expiry_race::plan(),
            Self::WalletHammer => wallet_hammer::plan(),
            Self::Mixed => mixed::plan(),
            Self::Bots => bots::plan(),
        }
    }

    /// Plays it to the end. Meanwhile somebody tries what nobody may do.
    pub async fn play(self, stage: &Arc<Stage>) -> Result<Vec<Person>, Failure> {
        let meddling = tokio::spawn(meddler::meddle(Arc::clone(stage)));
        let people = match self {
            Self::SeatRush => seat_rush::play(stage).await,
            Self::HotSeat => hot_seat::play(stage).await,
            Self::OnSale => on_sale::play(stage).await,
            Self::PollStorm => poll_storm::play(stage).await,
            Self::Abandon => abandon::play(stage).await,
            Self::ExpiryRace => expiry_race::play(stage).await,
            Self::WalletHammer => wallet_hammer::play(stage).await,
            Self::Mixed => mixed::play(stage).await,
            Self::Bots => bots::play(stage).await,
        };
        stage.end();
        meddling.await?;
        people
    }

    /// What must have been reached.
    pub fn goals(self, plan: &Plan, evidence: &Evidence) -> Vec<Verdict> {
        let of_scenario = match self {
            Self::SeatRush => seat_rush::goals(plan, evidence),
            Self::HotSeat => hot_seat::goals(plan, evidence),
            Self::OnSale => on_sale::goals(plan, evidence),
            Self::PollStorm => poll_storm::goals(plan, evidence),
            Self::Abandon => abandon::goals(plan, evidence),
            Self::ExpiryRace => expiry_race::goals(plan, evidence),
            Self::WalletHammer => wallet_hammer::goals(plan, evidence),
            Self::Mixed => mixed::goals(plan, evidence),
            Self::Bots => bots::goals(plan, evidence),
        };
        of_scenario.into_iter().chain([goals::no_errors(evidence)]).collect()
    }
}

/// How many people a second become ready before the doors.
const READY_PER_SECOND: f64 = 5_000.0;

/// Everybody comes before the doors open, at a pace that the service can bear.
async fn gather<F, Fut>(stage: &Arc<Stage>, story: F) -> Result<Vec<Person>, Failure>
where
    F: Fn(Person) -> Fut,
    Fut: Future<Output = Person> + Send + 'static,
{
    let span = Duration::from_secs_f64(f64::from(stage.plan.people) / READY_PER_SECOND);
    stage.crowd(0, steady(stage.plan.people, span, &mut dice(stage)), story).await
}

/// Everybody becomes ready, the doors open, and everybody goes on at that instant. Who could not become ready does not.
async fn rush<R, F, RFut, FFut>(stage: &Arc<Stage>, ready: R, go: F) -> Result<Vec<Person>, Failure>
where
    R: Fn(Person) -> RFut + Clone + Send + 'static,
    F: Fn(Person) -> FFut + Clone + Send + 'static,
    RFut: Future<Output = (Person, Result<(), Stop>)> + Send,
    FFut: Future<Output = Person> + Send,
{
    let count = stage.plan.people;
    let gathered = Arc::new(Semaphore::new(0));
    let story = |person: Person| {
        let (ready, go, gathered) = (ready.clone(), go.clone(), Arc::clone(&gathered));
        async move {
            let (mut person, is_ready) = ready(person).await;
            gathered.add_permits(1);
            let opened = person.stage.doors().await;
            if is_ready.is_err() {
                return person;
            }
            person.due = opened;
            go(person).await
        }
    };
    let opening = async {
        // The semaphore is never closed.
        gathered.acquire_many(count).await.ok();
        stage.open_doors().await
    };
    let (people, opened) = tokio::join!(gather(stage, story), opening);
    opened?;
    people
}

/// Signs up, charges the price of a seat and enters.
async fn get_ready(mut person: Person) -> (Person, Result<(), Stop>) {
    let ready = ready(&mut person).await;
    (person, ready)
}

async fn ready(person: &mut Person) -> Result<(), Stop> {
    person.sign_up().await?;
    person.charge(person.stage.plan.price).await?;
    person.enter().await.map(drop)
}

/// The dice of the arrivals.
fn dice(stage: &Stage) -> SmallRng {
    SmallRng::seed_from_u64(stage.seed)
}
