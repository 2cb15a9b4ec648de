//! Where a run takes place: a lane and performances of its own, so that any server can be tested, and any number of times.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use booking_api::{ConcertInput, LaneChange, PerformanceInput, PutConcerts, client::Client};
use chrono::{DateTime, FixedOffset};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use crate::{
    crew::{Crew, Desk},
    failure::Failure,
    person::Person,
    scenario::Plan,
};

/// Far enough in the future for the seats to be on sale.
const STARTS_AT: &str = "2099-05-04T19:30:00+09:00";
/// How many performances one request describes.
const PERFORMANCES_A_REQUEST: usize = 200;

/// The servers, as operators see them.
pub struct Servers {
    /// A client of each.
    pub clients: Vec<Client>,
    /// The operators' key.
    pub admin_key: Arc<str>,
    /// The payment gateway's key; without it people charge their own wallets.
    pub service_key: Option<Arc<str>>,
}

/// Everything that people of a run share.
pub struct Stage {
    /// What is played.
    pub plan: Plan,
    /// Where requests are handed in.
    pub desk: Desk,
    /// Who carries them out.
    pub crew: Arc<Crew>,
    /// The first of the servers, for operators.
    pub operator: Client,
    /// The operators' key.
    pub admin_key: Arc<str>,
    /// The payment gateway's key.
    pub service_key: Option<Arc<str>>,
    /// The lane of the run.
    pub lane: Arc<str>,
    /// The performances of the run.
    pub performances: Vec<Uuid>,
    /// What all choices follow from.
    pub seed: u64,
    /// How many people have come to an end.
    pub done: Arc<AtomicU32>,
    doors: watch::Sender<Option<Instant>>,
    over: watch::Sender<bool>,
}

impl Stage {
    /// Makes the lane and the performances.
    pub async fn build(
        plan: Plan,
        seed: u64,
        servers: &Servers,
        crew: Arc<Crew>,
        desk: Desk,
    ) -> Result<Arc<Self>, Failure> {
        let operator = servers.clients.first().cloned().ok_or(Failure::Absent("--host".into()))?;
        let lane = format!("load-{}", &Uuid::new_v4().simple().to_string()[..12]);
        let stage = Self {
            performances: (0..plan.performances).map(|_| Uuid::new_v4()).collect(),
            plan,
            desk,
            crew,
            operator,
            admin_key: Arc::clone(&servers.admin_key),
            service_key: servers.service_key.clone(),
            lane: lane.into(),
            seed,
            done: Arc::default(),
            doors: watch::channel(None).0,
            over: watch::channel(false).0,
        };
        stage.set_lane(&stage.lane, &stage.lane_settings()).await?;
        let beside = LaneChange { capacity: Some(10), ..LaneChange::default() };
        stage.set_lane(&stage.lane_beside(), &beside).await?;
        for performances in stage.performances.chunks(PERFORMANCES_A_REQUEST) {
            let concerts = vec![stage.concert(performances)];
            stage.operator.put_concerts(&stage.admin_key, &PutConcerts { concerts }).await?;
        }
        Ok(Arc::new(stage))
    }

    /// A lane whose tickets are good for nothing in the run.
    pub fn lane_beside(&self) -> String {
        format!("{}-beside", self.lane)
    }

    fn lane_settings(&self) -> LaneChange {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        LaneChange {
            capacity: Some(self.plan.capacity),
            admit_per_second: Some(self.plan.admit_per_second),
            claim_ttl_ms: Some(millis(self.plan.claim_ttl)),
            session_ttl_ms: Some(millis(self.plan.session_ttl)),
            paused: Some(self.plan.gathers),
            ..LaneChange::default()
        }
    }

    async fn set_lane(&self, lane: &str, change: &LaneChange) -> Result<(), Failure> {
        self.operator.change_lane(&self.admin_key, lane, change).await?;
        Ok(())
    }

    fn concert(&self, performances: &[Uuid]) -> ConcertInput {
        let starts_at: DateTime<FixedOffset> = STARTS_AT.parse().unwrap_or_default();
        let performance = |id: &Uuid| PerformanceInput {
            performance_id: *id,
            venue: "Load test".into(),
            starts_at,
            zone: None,
            price: self.plan.price,
            seats: self.plan.seats,
            on_sale: true,
        };
        ConcertInput {
            concert_id: Uuid::new_v4(),
            title: "Load test".into(),
            lane: self.lane.to_string(),
            performances: performances.iter().map(performance).collect(),
        }
    }

    /// Lets people in who gathered before the doors.
    pub async fn open_doors(&self) -> Result<(), Failure> {
        let open = LaneChange { paused: Some(false), ..LaneChange::default() };
        // Somebody may be let in from when this is asked for; people hear of it when it is done.
        let opening = Instant::now();
        self.set_lane(&self.lane, &open).await?;
        self.doors.send_replace(Some(opening));
        Ok(())
    }

    /// When the doors opened, if they did.
    pub fn opened(&self) -> Option<Instant> {
        *self.doors.borrow()
    }

    /// When the doors opened; waits for it.
    pub async fn doors(&self) -> Instant {
        let mut doors = self.doors.subscribe();
        loop {
            if let Some(opened) = *doors.borrow_and_update() {
                return opened;
            }
            // The sender lives as long as the stage does.
            doors.changed().await.ok();
        }
    }

    /// The scenario is played.
    pub fn end(&self) {
        self.over.send_replace(true);
    }

    /// Waits until the scenario is played.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut over = self.over.subscribe();
        async move {
            // An error: the stage itself is gone.
            over.wait_for(|over| *over).await.ok();
        }
    }

    /// Sends somebody at each of these instants from now, each with the same story, and waits until all have come to an
    /// end. `first` is the number of the first of them.
    pub async fn crowd<F, Fut>(
        self: &Arc<Self>,
        first: u32,
        arrivals: Vec<Duration>,
        story: F,
    ) -> Result<Vec<Person>, Failure>
    where
        F: Fn(Person) -> Fut,
        Fut: Future<Output = Person> + Send + 'static,
    {
        let (began, mut crowd) = (Instant::now(), JoinSet::new());
        for (number, arrival) in (first..).zip(arrivals) {
            let due = began + arrival;
            sleep_until(due).await;
            let (story, stage) = (story(Person::new(self, number, due)), Arc::clone(self));
            crowd.spawn(async move {
                let person = story.await;
                stage.done.fetch_add(1, Ordering::Relaxed);
                person
            });
        }
        all(crowd).await
    }

    /// The same people go on at this moment, each with the same story; waits until all have come to an end.
    pub async fn go_on<F, Fut>(&self, people: Vec<Person>, story: F) -> Result<Vec<Person>, Failure>
    where
        F: Fn(Person) -> Fut,
        Fut: Future<Output = Person> + Send + 'static,
    {
        let (now, mut crowd) = (Instant::now(), JoinSet::new());
        for mut person in people {
            person.due = now;
            crowd.spawn(story(person));
        }
        all(crowd).await
    }
}

async fn all(mut crowd: JoinSet<Person>) -> Result<Vec<Person>, Failure> {
    let mut people = Vec::with_capacity(crowd.len());
    while let Some(person) = crowd.join_next().await {
        people.push(person?);
    }
    Ok(people)
}
