//! A batch is decided while the one before it is written: what is decided so is what would be decided after, it is
//! answered no sooner, and it survives that the one before fails.

use std::{
    path::PathBuf,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use booking_core::{
    Amount, Command, Epoch, Error, LaneName, Refusal, StoreError, Ticket,
    batcher::BatchSizes,
    catalog::LaneSettings,
    hold::{self, SeatStatus},
    queue::Entered,
    store::{BookingStore, QueueStore},
    wallet,
};
use booking_store_sqlite::{SqliteConfig, SqliteStore};
use pollster::block_on;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::world::{
    SHOW, all_done, ask, charge, clock, done, entry, open, open_wallet, pay, place, policy, put_show,
    release, reservation, set_lane, ticket, user, violations,
};

const EPOCH: Epoch = Epoch(7);

/// A show for people with money, whose store can be made to wait for its file.
struct Sale {
    store: Arc<SqliteStore>,
    file: PathBuf,
    /// Removed last.
    folder: TempDir,
}

/// Somebody with a tool who is about to write to the file.
struct Hand(Connection);

impl Drop for Hand {
    fn drop(&mut self) {
        self.0.execute_batch("ROLLBACK").expect("the file is let go");
    }
}

fn begin<F: Future>(call: &mut Pin<&mut F>) -> Poll<F::Output> {
    call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

impl Sale {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("booking.db");
        let store = open(&file).expect("it is made");
        all_done(&store, [set_lane(), put_show(50)]);
        all_done(&store, (1..=9).flat_map(|n| [open_wallet(n), charge(n)]));
        block_on(
            store.configure(&LaneName::main(), &LaneSettings { revision: 1, ..LaneSettings::default() }),
        )
        .expect("configured");
        Self { store, file, folder }
    }

    /// One that can't save a row of user 13 in this table.
    fn poisoned(table: &str) -> Self {
        let poison = format!(
            "CREATE TRIGGER poison BEFORE INSERT ON {table} WHEN new.user_id = '{}' \
                BEGIN SELECT raise(ABORT, 'poison'); END",
            user(13)
        );
        Self::new().changed(&poison)
    }

    fn cured(self) -> Self {
        self.changed("DROP TRIGGER poison")
    }

    /// The same after somebody with a tool changed the file.
    fn changed(self, sql: &str) -> Self {
        let Self { store, file, folder } = self;
        drop(store);
        Connection::open(&file).expect("a database").execute_batch(sql).expect("a change");
        let config = SqliteConfig { check: false, ..SqliteConfig::new(&file, policy()) };
        let store = SqliteStore::open(&config, clock()).expect("it opens");
        Self { store, file, folder }
    }

    /// Until it is dropped, nothing is written; but for longer than two seconds no call waits.
    fn held(&self) -> Hand {
        let file = Connection::open(&self.file).expect("a database");
        file.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        Hand(file)
    }

    /// How many transactions there were, and calls in them.
    fn written(&self) -> (u64, u64) {
        let sizes = self.store.batch_sizes();
        let of = |count: fn(&BatchSizes) -> u64| sizes.iter().map(|(_, sizes)| count(sizes)).sum();
        (of(|sizes| sizes.batches().map(|(_, batches)| batches).sum()), of(BatchSizes::jobs))
    }

    /// Submits a call and waits until it is the saver's.
    fn being_written<F: Future>(&self, call: &mut Pin<&mut F>) {
        let before = self.written().1;
        assert!(begin(call).is_pending());
        let began = Instant::now();
        while self.written().1 == before {
            assert!(began.elapsed() < Duration::from_secs(1), "it is not written");
            std::thread::yield_now();
        }
    }

    /// Waits until everything before is decided: who asks for what is there already is answered at once, unless it is taken
    /// together with something that waits.
    fn is_decided(&self) {
        for n in 5..=9 {
            let mut call = pin!(self.call(open_wallet(n)));
            let asked = Instant::now();
            while asked.elapsed() < Duration::from_millis(100) {
                if begin(&mut call).is_ready() {
                    return;
                }
                std::thread::yield_now();
            }
        }
        panic!("nothing is decided");
    }

    fn call(
        &self,
        command: Command,
    ) -> impl Future<Output = Result<Result<(), Refusal>, StoreError>> + use<> {
        let store = Arc::clone(&self.store);
        async move { Ok(store.execute(vec![command]).await?.remove(0).map(drop)) }
    }

    fn enter(&self, n: u64) -> impl Future<Output = Result<Entered, Error>> + use<> {
        let store = Arc::clone(&self.store);
        async move { store.enter(&LaneName::main(), user(n)).await }
    }

    fn available(&self, seat: usize) -> bool {
        let map = block_on(self.store.seat_map(SHOW)).expect("a map");
        map.expect("a show").seats[seat - 1] == SeatStatus::Available
    }

    /// Everything is as the log says, the same after it is opened again.
    fn ends_well(self) {
        let events = block_on(self.store.events(0, 1_000)).expect("events");
        assert!((1..).zip(&events).all(|(number, event)| event.seq == number), "{events:?}");
        let map = format!("{:?}", block_on(self.store.seat_map(SHOW)));
        assert_eq!(violations(&self.store), Vec::<String>::new());
        drop(self.store);
        let again = open(&self.file).expect("it opens again");
        assert_eq!(format!("{:?}", block_on(again.seat_map(SHOW))), map);
        assert_eq!(
            format!("{:?}", block_on(again.events(0, 1_000))),
            format!("{:?}", Ok::<_, StoreError>(events))
        );
        assert_eq!(violations(&again), Vec::<String>::new());
    }
}

#[test]
fn what_is_decided_while_another_is_written_is_answered_when_it_is_written_too() {
    let sale = Sale::new();
    let (transactions, _) = sale.written();
    let hand = sale.held();
    let [mut first, mut other] =
        [place(1, 1, EPOCH), place(2, 2, EPOCH)].map(|hold| Box::pin(sale.call(hold)));
    let (mut first, mut other) = (first.as_mut(), other.as_mut());
    sale.being_written(&mut first);
    assert!(begin(&mut other).is_pending());
    sale.is_decided();
    assert!(sale.available(1) && sale.available(2), "nobody sees what is not written");
    assert!(begin(&mut first).is_pending() && begin(&mut other).is_pending());
    drop(hand);
    assert_eq!((block_on(first), block_on(other)), (Ok(Ok(())), Ok(Ok(()))));
    assert!(!sale.available(1) && !sale.available(2));
    assert_eq!(sale.written().0, transactions + 2);
    sale.ends_well();
}

#[test]
fn what_meets_a_call_that_is_being_written_is_decided_after_it() {
    let sale = Sale::new();
    let taken = Refusal::SeatTaken { seats: vec![1] };
    // The same seat, the reservation itself, the same money, the same number of the ledger; and what has nothing to do with it.
    let hand = sale.held();
    let mut first = pin!(sale.call(place(1, 1, EPOCH)));
    sale.being_written(&mut first);
    let later = [place(2, 1, EPOCH), pay(1, 1, EPOCH), release(1, 1), charge(1), place(3, 3, EPOCH)];
    let mut later: Vec<_> = later.into_iter().map(|command| Box::pin(sale.call(command))).collect();
    for call in &mut later {
        assert!(begin(&mut call.as_mut()).is_pending());
    }
    drop(hand);
    assert_eq!(block_on(first), Ok(Ok(())));
    let answers: Vec<_> = later.into_iter().map(block_on).collect();
    let [seat, paid, given_back, charged, other] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(seat, &Ok(Err(taken)));
    assert_eq!(paid, &Ok(Ok(())));
    assert_eq!(given_back, &Ok(Err(Refusal::ReservationNotReleasable)));
    assert_eq!((charged, other), (&Ok(Ok(())), &Ok(Ok(()))));
    sale.ends_well();
}

#[test]
fn a_place_in_the_queue_is_told_again_no_sooner_than_it_is_written() {
    let sale = Sale::new();
    let hand = sale.held();
    let [mut first, mut again] = [(); 2].map(|()| Box::pin(sale.enter(1)));
    sale.being_written(&mut first.as_mut());
    assert!(begin(&mut again.as_mut()).is_pending());
    sale.is_decided();
    let mut other = pin!(sale.enter(2));
    assert!(begin(&mut again.as_mut()).is_pending() && begin(&mut other).is_pending());
    drop(hand);
    let entered =
        [block_on(first), block_on(again), block_on(other)].map(|entered| entered.expect("a place"));
    assert_eq!(
        entered.each_ref().map(|entered| (entered.ticket.seq, entered.replayed)),
        [(1, false), (1, true), (2, false)]
    );
    sale.ends_well();
}

#[test]
fn what_was_decided_after_a_group_that_fails_is_decided_anew() {
    let sale = Sale::new();
    let hand = sale.held();
    let mut lost = pin!(sale.enter(1));
    sale.being_written(&mut lost);
    let (mut next, mut hold) = (pin!(sale.enter(2)), pin!(sale.call(place(3, 3, EPOCH))));
    assert!(begin(&mut next).is_pending() && begin(&mut hold).is_pending());
    sale.is_decided();
    // The file is not let go in time for the first, but for those behind it.
    let Err(Error::Store(error)) = block_on(lost) else { panic!("it can't be written") };
    assert!(error.retryable() && !error.may_have_applied(), "{error:?}");
    drop(hand);
    let next = block_on(next).expect("a place");
    assert_eq!((next.ticket.seq, next.replayed), (1, false), "the number was not given away");
    assert_eq!(block_on(hold), Ok(Ok(())));
    assert_eq!(block_on(sale.enter(1)).expect("a place").ticket.seq, 2);
    sale.ends_well();
}

#[test]
fn who_would_have_lost_to_a_hold_that_fails_gets_the_seat() {
    let sale = Sale::new();
    let hand = sale.held();
    let mut lost = pin!(sale.call(place(1, 1, EPOCH)));
    sale.being_written(&mut lost);
    let mut next = pin!(sale.enter(2));
    assert!(begin(&mut next).is_pending());
    sale.is_decided();
    let mut seat = pin!(sale.call(place(3, 1, EPOCH)));
    assert!(begin(&mut seat).is_pending());
    let error = block_on(lost).expect_err("it can't be written");
    assert!(error.retryable() && !error.may_have_applied(), "{error:?}");
    drop(hand);
    assert_eq!(block_on(seat), Ok(Ok(())));
    let next = block_on(next).expect("a place");
    assert_eq!((next.ticket.seq, next.replayed), (1, false), "no lane knows what was not written");
    sale.ends_well();
}

#[test]
fn rows_that_break_a_group_fail_alone_and_those_behind_it_are_served() {
    let sale = Sale::poisoned("users");
    let hand = sale.held();
    let mut first = pin!(sale.call(open_wallet(10)));
    sale.being_written(&mut first);
    let mut bad = pin!(sale.call(open_wallet(13)));
    let (mut good, mut entered) = (pin!(sale.call(place(3, 3, EPOCH))), pin!(sale.enter(3)));
    assert!(
        begin(&mut good).is_pending() && begin(&mut bad).is_pending() && begin(&mut entered).is_pending()
    );
    sale.is_decided();
    drop(hand);
    assert_eq!(block_on(first), Ok(Ok(())));
    let error = block_on(bad).expect_err("its rows break");
    assert!(!error.retryable(), "{error:?}");
    assert_eq!(block_on(good), Ok(Ok(())));
    assert_eq!(block_on(entered).expect("a place").ticket.seq, 1, "lanes went back and forth");
    assert!(ask(&sale.store, place(4, 4, EPOCH)).expect("an answer").is_ok());
    sale.cured().ends_well();
}

#[test]
fn those_of_a_group_that_broke_are_served_one_after_the_other() {
    let sale = Sale::poisoned("users");
    let hand = sale.held();
    let mut first = pin!(sale.call(place(1, 1, EPOCH)));
    sale.being_written(&mut first);
    // It is held back, and those behind it are decided with it.
    let mut late = pin!(sale.call(place(2, 1, EPOCH)));
    let [mut seat, mut same] = [3, 4].map(|n| Box::pin(sale.call(place(n, 2, EPOCH))));
    let (mut bad, mut paid) = (pin!(sale.call(open_wallet(13))), pin!(sale.call(pay(3, 2, EPOCH))));
    let (mut seat, mut same) = (seat.as_mut(), same.as_mut());
    assert!(begin(&mut late).is_pending() && begin(&mut seat).is_pending() && begin(&mut same).is_pending());
    assert!(begin(&mut bad).is_pending() && begin(&mut paid).is_pending());
    drop(hand);
    assert_eq!((block_on(first), block_on(seat), block_on(paid)), (Ok(Ok(())), Ok(Ok(())), Ok(Ok(()))));
    assert_eq!(block_on(late), Ok(Err(Refusal::SeatTaken { seats: vec![1] })));
    assert_eq!(block_on(same), Ok(Err(Refusal::SeatTaken { seats: vec![2] })));
    assert!(!block_on(bad).expect_err("its rows break").retryable());
    sale.cured().ends_well();
}

/// Holds of one user after the other, of a few seats that everybody wants, and given back at once. Who has a seat is noted
/// between the answers, so two of them at once would be seen.
fn hold_and_give_back(store: &SqliteStore, n: u64, owners: &[AtomicU64]) -> u64 {
    let mut won = 0;
    for turn in 1..=60_u64 {
        let seat = 1 + u32::try_from((n * 31 + turn * 17) % owners.len() as u64).expect("a seat");
        let (reservation, ticket) =
            (reservation(n * 1_000 + turn, seat), Ticket { seq: turn, ..ticket(n, EPOCH) });
        let hold = hold::Command::Place { reservation, ticket, performance: SHOW, choice: vec![seat].into() };
        let owner = &owners[seat as usize - 1];
        match ask(store, hold.into()) {
            Err(error) => assert!(n == 13 && !error.retryable(), "{n}: {error:?}"),
            Ok(Err(refusal)) => assert_eq!(refusal, Refusal::SeatTaken { seats: vec![seat] }),
            Ok(Ok(_)) => {
                assert_eq!(owner.swap(n, Ordering::SeqCst), 0, "seat {seat} is another's");
                won += 1;
                // It takes a transaction, so whoever was decided meanwhile is answered.
                let (entry, amount) = (entry(n * 1_000 + turn), Amount::new(1).expect("an amount"));
                done(store, wallet::Command::Charge { entry, user: user(n), amount }.into());
                assert_eq!(owner.swap(0, Ordering::SeqCst), n, "seat {seat} was taken away");
                done(store, hold::Command::Release { reservation, user: user(n) }.into());
            }
        }
    }
    won
}

#[test]
fn a_crowd_takes_turns_while_one_of_it_breaks_every_group_it_is_in() {
    let sale = Sale::poisoned("reservations");
    done(&sale.store, open_wallet(13));
    let owners: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
    let (store, owners) = (&*sale.store, &owners[..]);
    let won: Vec<u64> = std::thread::scope(|scope| {
        let crowd: Vec<_> = [1, 2, 3, 4, 5, 6, 7, 13]
            .map(|n| scope.spawn(move || hold_and_give_back(store, n, owners)))
            .into();
        crowd.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    assert!(won[..7].iter().all(|won| *won > 0) && won[7] == 0, "{won:?}");
    sale.cured().ends_well();
}
