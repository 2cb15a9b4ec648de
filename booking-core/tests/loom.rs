//! The stores in memory under every interleaving of two and three threads. Run it with
//! `RUSTFLAGS="--cfg booking_loom" cargo test -p booking-core --test loom --release` and a target folder of its own.
#![cfg(booking_loom)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

use std::{
    collections::BTreeSet,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use booking_core::{
    Amount, BookingPolicy, Command, EndReason, Epoch, Event, LaneName, Money, Outcome, Refusal, Ticket,
    Timestamp,
    catalog::{self, ConcertDraft, LaneChange, LaneSettings, PerformanceDraft},
    hold::{self, ReservationStatus, SeatStatus},
    id::{ConcertId, EntryId, PerformanceId, ReservationId, UserId},
    memory::{MemoryBooking, MemoryQueue},
    payment,
    queue::Place,
    store::{BookingStore, PageRequest, QueueStore},
    wallet,
};
use loom::{
    sync::atomic::{AtomicI64, Ordering},
    thread,
};
use uuid::Uuid;

const START: i64 = 1_800_000_000_000_000;
const PRICE: i64 = 1_000;
const SHOW: PerformanceId = PerformanceId(Uuid::from_u128(7));

/// What the interleavings of one model led to, kept over all of them.
struct Seen<T>(Mutex<(BTreeSet<T>, u64)>);

impl<T: Ord + Debug> Seen<T> {
    const fn nothing() -> Self {
        Self(Mutex::new((BTreeSet::new(), 0)))
    }

    fn note(&self, outcome: T) {
        let mut seen = self.0.lock().unwrap();
        seen.0.insert(outcome);
        seen.1 += 1;
    }

    /// All of these were seen and nothing else, over more than one interleaving.
    fn is_just(&self, expected: impl IntoIterator<Item = T>) {
        let seen = self.0.lock().unwrap();
        println!("{} interleavings led to {:?}", seen.1, seen.0);
        assert_eq!(seen.0, expected.into_iter().collect());
        assert!(seen.1 > 1, "one interleaving shows nothing");
    }
}

/// What a store in memory answers; it never waits.
fn now<T, E: Debug>(answer: impl Future<Output = Result<T, E>>) -> T {
    pollster::block_on(answer).unwrap()
}

fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn ticket(number: u64) -> Ticket {
    Ticket { lane: LaneName::main(), epoch: Epoch(1), seq: number, user: user(number.into()) }
}

fn place(number: u64) -> Command {
    let reservation = ReservationId(Uuid::from_u128(number.into()));
    hold::Command::Place { reservation, ticket: ticket(number), performance: SHOW, choice: vec![1].into() }
        .into()
}

fn charge(entry: u128, of: UserId) -> Command {
    let (entry, amount) = (EntryId(Uuid::from_u128(entry)), Amount::new(PRICE).unwrap());
    wallet::Command::Charge { entry, user: of, amount }.into()
}

/// A booking store with one performance of two seats, three users, and a clock that loom sees.
struct World {
    clock: Arc<AtomicI64>,
    store: Arc<MemoryBooking>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let shown = Arc::clone(&clock);
        let tell = move || Timestamp::from_micros(shown.load(Ordering::SeqCst));
        let store = Arc::new(MemoryBooking::new(BookingPolicy::default(), Arc::new(tell)));
        let performance = PerformanceDraft {
            id: SHOW,
            venue: "A hall".into(),
            starts_at: "2030-01-01T19:00:00+00:00".parse().unwrap(),
            zone: None,
            price: Money::new(PRICE).unwrap(),
            seats: 2,
            on_sale: true,
        };
        let concert = ConcertDraft {
            id: ConcertId(Uuid::from_u128(5)),
            title: "A concert".into(),
            lane: LaneName::main(),
            performances: vec![performance],
        };
        let mut batch: Vec<Command> = vec![
            catalog::Command::SetLane(LaneName::main(), LaneChange::default()).into(),
            catalog::Command::PutConcerts(vec![concert]).into(),
        ];
        batch.extend((1..=3).map(|number| Command::from(wallet::Command::Open(user(number)))));
        assert!(store.execute_now(&batch).unwrap().iter().all(Result::is_ok));
        Self { clock, store }
    }

    fn ask(&self, command: Command) -> Result<Outcome, Refusal> {
        self.store.execute_now(&[command]).unwrap().remove(0)
    }

    /// Does something in a thread of its own.
    fn spawn<T: 'static>(&self, act: impl FnOnce(&Self) -> T + 'static) -> thread::JoinHandle<T> {
        let world = Self { clock: Arc::clone(&self.clock), store: Arc::clone(&self.store) };
        thread::spawn(move || act(&world))
    }

    fn books_are_clean(&self) {
        let audit = now(self.store.audit());
        assert!(audit.is_clean(), "{:?}", audit.violations().collect::<Vec<_>>());
    }

    fn balance(&self, number: u128) -> i64 {
        now(self.store.wallet(user(number))).unwrap().balance.units()
    }
}

#[test]
fn one_of_three_threads_gets_the_seat() {
    static WINNERS: Seen<u64> = Seen::nothing();
    loom::model(|| {
        let world = World::new();
        let rivals = [1, 2].map(|number| world.spawn(move |world| world.ask(place(number)).is_ok()));
        let third = world.ask(place(3)).is_ok();
        let [first, second] = rivals.map(|rival| rival.join().unwrap());
        let won: Vec<u64> = [(first, 1), (second, 2), (third, 3)]
            .into_iter()
            .filter_map(|(won, number)| won.then_some(number))
            .collect();
        assert_eq!(won.len(), 1, "{won:?}");
        world.books_are_clean();
        WINNERS.note(won[0]);
    });
    WINNERS.is_just([1, 2, 3]);
}

#[test]
fn of_paying_expiring_and_taking_over_one_wins() {
    static OUTCOMES: Seen<(bool, bool)> = Seen::nothing();
    loom::model(|| {
        let world = World::new();
        let held = ReservationId(Uuid::from_u128(1));
        for command in [charge(9, user(1)), place(1)] {
            world.ask(command).unwrap();
        }
        let payer = world.spawn(move |world| {
            let pay = payment::Command::Pay { reservation: held, ticket: ticket(1) };
            world.ask(pay.into())
        });
        let sweeper = world.spawn(move |world| {
            let ttl = Duration::from_mins(5);
            world.clock.store(Timestamp::from_micros(START).after(ttl).micros(), Ordering::SeqCst);
            world.ask(hold::Command::Expire(held).into()).unwrap();
        });
        let taken = world.ask(place(2)).is_ok();
        let paid = payer.join().unwrap();
        sweeper.join().unwrap();
        let read = now(world.store.reservation(user(1), held)).unwrap();
        match &paid {
            Ok(_) => {
                assert!(!taken, "the seat was sold");
                assert_eq!((read.status, world.balance(1)), (ReservationStatus::Confirmed, 0));
            }
            Err(refusal) => {
                assert_eq!(*refusal, Refusal::HoldExpired);
                assert_eq!((read.status, world.balance(1)), (ReservationStatus::Expired, PRICE));
            }
        }
        let seat = now(world.store.seat_map(SHOW)).unwrap().seats[0];
        let expected = match (paid.is_ok(), taken) {
            (true, _) => SeatStatus::Sold,
            (false, true) => SeatStatus::Held,
            (false, false) => SeatStatus::Available,
        };
        assert_eq!(seat, expected);
        let log = now(world.store.events(0, 100));
        let ends = log.iter().filter(|recorded| {
            matches!(recorded.event, Event::Hold(hold::Event::HoldExpired(_) | hold::Event::SeatsSold(_)))
        });
        assert_eq!(ends.count(), 1, "sold or swept");
        world.books_are_clean();
        OUTCOMES.note((paid.is_ok(), taken));
    });
    OUTCOMES.is_just([(true, false), (false, true), (false, false)]);
}

#[test]
fn the_same_charge_from_two_threads_is_made_once() {
    static REPLAYED: Seen<[bool; 2]> = Seen::nothing();
    loom::model(|| {
        let world = World::new();
        let there = world.spawn(|world| world.ask(charge(9, user(1))).unwrap());
        let here = world.ask(charge(9, user(1))).unwrap();
        let there = there.join().unwrap();
        assert_eq!(here.effect, there.effect);
        assert_eq!(world.balance(1), PRICE);
        assert_eq!(now(world.store.entries(user(1), PageRequest::first(9))).items.len(), 1);
        world.books_are_clean();
        REPLAYED.note([here.replayed, there.replayed]);
    });
    REPLAYED.is_just([[true, false], [false, true]]);
}

#[test]
fn of_two_seats_and_one_wallet_with_money_for_one_one_is_paid() {
    static PAID: Seen<[bool; 2]> = Seen::nothing();
    loom::model(|| {
        let world = World::new();
        world.ask(charge(9, user(1))).unwrap();
        let buy = |world: &World, seat: u32| {
            let ticket = Ticket { seq: seat.into(), ..ticket(1) };
            let reservation = ReservationId(Uuid::from_u128(seat.into()));
            let ask = hold::Command::Place {
                reservation,
                ticket: ticket.clone(),
                performance: SHOW,
                choice: vec![seat].into(),
            };
            // Two locks, so that the other thread may come between; the policy allows one live reservation.
            let held = world.ask(ask.into()).is_ok();
            held && world.ask(payment::Command::Pay { reservation, ticket }.into()).is_ok()
        };
        let other = world.spawn(move |world| buy(world, 2));
        let here = buy(&world, 1);
        let paid = [here, other.join().unwrap()];
        assert_eq!(paid.iter().filter(|paid| **paid).count(), 1, "{paid:?}");
        assert_eq!(world.balance(1), 0);
        world.books_are_clean();
        PAID.note(paid);
    });
    PAID.is_just([[true, false], [false, true]]);
}

#[test]
fn entering_advancing_and_leaving_keep_order_and_capacity() {
    static NUMBERS: Seen<([u64; 2], bool)> = Seen::nothing();
    loom::model(|| {
        let main = LaneName::main();
        let clock = || Timestamp::from_micros(START);
        let queue = Arc::new(MemoryQueue::new(Arc::new(clock)));
        let mut settings = LaneSettings { revision: 1, ..LaneSettings::default() };
        settings.policy.capacity = 1;
        now(queue.configure(&main, &settings));
        let inside = now(queue.enter(&main, user(9))).ticket;
        let entering = [1, 2].map(|number| {
            let (queue, main) = (Arc::clone(&queue), main.clone());
            thread::spawn(move || now(queue.enter(&main, user(number))))
        });
        let told = now(queue.snapshot(&main, None));
        assert_eq!((told.admitted, told.users), (1, told.waiting + 1));
        now(queue.finish(&inside, EndReason::Completed));
        now(queue.advance(&main));
        let admitted_early = now(queue.snapshot(&main, None)).admitted == 1;
        let entered = entering.map(|thread| thread.join().unwrap().ticket);
        let numbers = [entered[0].seq, entered[1].seq];
        let place = |ticket: &Ticket| now(queue.place(ticket));
        for ticket in &entered {
            match place(ticket) {
                Place::Admitted { .. } => assert_eq!(ticket.seq, 2, "who came first goes in"),
                Place::Waiting { rank, .. } => assert_eq!((ticket.seq, rank), (3, 1)),
                Place::Done(reason) => panic!("{ticket:?} is {reason}"),
            }
        }
        let told = now(queue.snapshot(&main, None));
        assert_eq!((told.admitted, told.waiting, told.next), (1, 1, 4));
        NUMBERS.note((numbers, admitted_early));
    });
    NUMBERS.is_just([([2, 3], true), ([3, 2], true), ([2, 3], false), ([3, 2], false)]);
}
