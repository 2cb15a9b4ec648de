//! Commands worth trying in a world: granted ones mostly, and enough that are not.

use std::time::Duration;

use booking_core::{
    Amount, Command, LaneName, Ticket, Timestamp,
    catalog::{self, ConcertDraft, LaneChange, PerformanceDraft},
    hold::{self, Reservation, ReservationStatus, SeatChoice, SeatNumber, SeatStatus},
    id::{EntryId, PaymentId, ReservationId, UserId},
    payment, wallet,
};
use chrono::{DateTime, FixedOffset, Utc};
use proptest::{prelude::*, sample::select, strategy::Union};

use crate::{
    ids::{START, concert, entry, money, performance, reservation, ticket, user},
    naive::World,
};

/// How often each kind of command is tried.
pub(crate) struct Weights {
    pub(crate) place: u32,
    pub(crate) release: u32,
    pub(crate) leave: u32,
    pub(crate) expire: u32,
    pub(crate) pay: u32,
    pub(crate) refund: u32,
    pub(crate) charge: u32,
    pub(crate) open: u32,
    pub(crate) catalog: u32,
}

/// More seats than one of these at once do not fit into 64 bits.
const DEAR: i64 = i64::MAX / 2 + 1;

/// What every case begins with: two lanes, two concerts with a far, a near and a dear date, and four users with money.
pub(crate) fn beginnings() -> Vec<Command> {
    let lane =
        |name: &str| catalog::Command::SetLane(name.parse().expect("a lane name"), LaneChange::default());
    let date = |id, price, seats, minutes| PerformanceDraft {
        id: performance(id),
        venue: "Hall".into(),
        starts_at: starts_at(minutes),
        zone: None,
        price: money(price),
        seats,
        on_sale: true,
    };
    let one = vec![date(1, 1_000, 5, 60_000), date(2, 0, 3, 12)];
    let two = vec![date(3, DEAR, 4, 60_000)];
    let put = |id, lane: &str, performances| {
        let lane = lane.parse().expect("a lane name");
        catalog::Command::PutConcerts(vec![ConcertDraft {
            id: concert(id),
            title: "A".into(),
            lane,
            performances,
        }])
    };
    let mut commands: Vec<Command> =
        [lane("main"), lane("hot"), put(1, "main", one), put(2, "hot", two)].map(Command::from).into();
    for n in 1..=4 {
        let amount = Amount::new(3_000).expect("positive");
        let charge = wallet::Command::Charge { entry: entry(9_000 + n), user: user(n), amount };
        commands.extend([Command::from(wallet::Command::Open(user(n))), charge.into()]);
    }
    commands
}

fn starts_at(minutes: u64) -> DateTime<FixedOffset> {
    DateTime::<Utc>::from(START.after(Duration::from_mins(minutes))).fixed_offset()
}

/// Now mostly; or a little later; or around an instant at which a hold ends or a performance begins.
pub(crate) fn instant(world: &World) -> BoxedStrategy<Timestamp> {
    let now = world.now.micros();
    let held = world.reservations.iter().filter(|made| made.status == ReservationStatus::Held);
    let ends = held.map(|made| made.hold_until.micros());
    let begins = world.performances.iter().map(|one| one.starts_at.timestamp_micros());
    let next: Vec<i64> = ends.chain(begins).filter(|at| *at > now).min().into_iter().collect();
    let little = now..now + 100_000_000;
    let micros = if next.is_empty() {
        prop_oneof![4 => Just(now), 1 => little].boxed()
    } else {
        prop_oneof![12 => Just(now), 3 => little, 1 => (select(next), -1..=1_i64).prop_map(|(at, off)| at + off)].boxed()
    };
    micros.prop_map(Timestamp::from_micros).boxed()
}

/// A command of one of the wanted kinds.
pub(crate) fn command(world: &World, weights: &Weights) -> BoxedStrategy<Command> {
    let mut kinds = Vec::new();
    let mut add = |weight, kind: fn(&World) -> BoxedStrategy<Command>| {
        if weight > 0 {
            kinds.push((weight, kind(world)));
        }
    };
    // What can do nothing now is tried rarely.
    let if_any = |weight: u32, found: bool| if found { 8 * weight } else { weight };
    let any_live = world.reservations.iter().any(live(world));
    add(8 * weights.place, place);
    add(if_any(weights.release, any_live), release);
    add(if_any(weights.leave, any_live), leave);
    add(if_any(weights.expire, world.reservations.iter().any(ran_out(world))), expire);
    add(if_any(weights.pay, any_live), pay);
    add(if_any(weights.refund, world.reservations.iter().any(is_paid)), refund);
    add(8 * weights.charge, charge);
    add(weights.open, |_| (1..=6_usize).prop_map(|n| wallet::Command::Open(user(n)).into()).boxed());
    add(weights.catalog, catalog);
    Union::new_weighted(kinds).boxed()
}

fn any_user() -> impl Strategy<Value = UserId> {
    prop_oneof![20 => 1..=4_usize, 1 => 5..=6_usize].prop_map(user)
}

/// A ticket that has made nothing yet mostly, of the right lane mostly, of a known user mostly.
fn any_ticket(world: &World) -> impl Strategy<Value = Ticket> + use<> {
    let unused = u64::try_from(world.reservations.len()).unwrap_or(0) + 1;
    let seq = prop_oneof![5 => Just(unused), 1 => 1..=unused];
    let lane = prop_oneof![9 => Just("main"), 1 => Just("hot")];
    let of = prop_oneof![30 => 1..=4_usize, 1 => Just(5)];
    (lane, seq, of).prop_map(|(lane, seq, of)| ticket(lane, seq, of))
}

/// One of the reservations that there are, those that pass the filter mostly; or none.
fn some_reservation(
    world: &World,
    wanted: impl Fn(&Reservation) -> bool,
) -> BoxedStrategy<Option<Reservation>> {
    let all = world.reservations.clone();
    let best: Vec<Reservation> = all.iter().filter(|made| wanted(made)).cloned().collect();
    match (all.is_empty(), best.is_empty()) {
        (true, _) => Just(None).boxed(),
        (false, true) => prop::option::weighted(0.9, select(all)).boxed(),
        (false, false) => {
            prop::option::weighted(0.95, prop_oneof![6 => select(best), 1 => select(all)]).boxed()
        }
    }
}

fn live(world: &World) -> impl Fn(&Reservation) -> bool + '_ {
    |made| world.status(made) == ReservationStatus::Held
}

fn ran_out(world: &World) -> impl Fn(&Reservation) -> bool + '_ {
    |made| made.status == ReservationStatus::Held && made.hold_until <= world.now
}

fn is_paid(made: &Reservation) -> bool {
    made.status == ReservationStatus::Confirmed
}

fn id_of(made: Option<Reservation>) -> ReservationId {
    made.map_or(reservation(0), |made| made.id)
}

/// Seats of performance `n`: free ones mostly.
fn seats(world: &World, n: usize) -> BoxedStrategy<Vec<SeatNumber>> {
    let is_free = |seat: &u32| world.seat(performance(n), *seat) == SeatStatus::Available;
    let mut free: Vec<SeatNumber> = (1..=5).filter(is_free).collect();
    if free.is_empty() {
        free.push(1);
    }
    let most = free.len().min(3);
    let some = prop::sample::subsequence(free.clone(), 1..=most).prop_shuffle();
    let one = select(free).prop_map(|seat| vec![seat]);
    let taken = prop::sample::subsequence(vec![1, 2, 3, 4, 5], 1..=3);
    prop_oneof![10 => one, 5 => some, 2 => taken, 1 => prop::collection::vec(0..=8_u32, 0..=3)].boxed()
}

fn place(world: &World) -> BoxedStrategy<Command> {
    let fresh = world.reservations.len() + 1;
    let id = prop_oneof![12 => Just(fresh), 1 => 1..=fresh].prop_map(reservation);
    let at = |n| (Just(performance(n)), seats(world, n));
    let at = prop_oneof![6 => at(1), 3 => at(2), 1 => at(3), 1 => at(4)];
    let new = (id, any_ticket(world), at);
    let best = prop::option::weighted(0.25, 0..=4_u32);
    let choice = |seats, best: Option<u32>| best.map_or(SeatChoice::Exact(seats), SeatChoice::Best);
    let new = (new, best).prop_map(move |((reservation, ticket, (performance, seats)), best)| {
        hold::Command::Place { reservation, ticket, performance, choice: choice(seats, best) }
    });
    let again = (some_reservation(world, live(world)), any::<bool>(), any::<bool>(), any_ticket(world));
    let again = again.prop_map(move |(made, same_id, best, other)| {
        let Some(made) = made else { return hold::Command::Leave(other) };
        let reservation = if same_id { made.id } else { reservation(fresh) };
        let (ticket, performance) = (made.ticket, made.performance);
        let count = u32::try_from(made.seats.len()).expect("a few");
        let choice = choice(made.seats.to_vec(), best.then_some(count));
        hold::Command::Place { reservation, ticket, performance, choice }
    });
    prop_oneof![14 => new, 1 => again].prop_map(Command::from).boxed()
}

fn release(world: &World) -> BoxedStrategy<Command> {
    let by = (some_reservation(world, live(world)), prop::option::weighted(0.1, any_user()));
    by.prop_map(|(made, other)| {
        let owner = made.as_ref().map_or(user(1), |made| made.user);
        hold::Command::Release { reservation: id_of(made), user: other.unwrap_or(owner) }.into()
    })
    .boxed()
}

fn leave(world: &World) -> BoxedStrategy<Command> {
    let by = (some_reservation(world, live(world)), any_ticket(world));
    by.prop_map(|(made, other)| hold::Command::Leave(made.map_or(other, |made| made.ticket)).into()).boxed()
}

fn expire(world: &World) -> BoxedStrategy<Command> {
    some_reservation(world, ran_out(world)).prop_map(|made| hold::Command::Expire(id_of(made)).into()).boxed()
}

fn pay(world: &World) -> BoxedStrategy<Command> {
    let by = (some_reservation(world, live(world)), prop::option::weighted(0.1, any_ticket(world)));
    by.prop_map(|(made, other)| {
        let own = made.as_ref().map_or_else(|| ticket("main", 1, 1), |made| made.ticket.clone());
        payment::Command::Pay { reservation: id_of(made), ticket: other.unwrap_or(own) }.into()
    })
    .boxed()
}

fn refund(world: &World) -> BoxedStrategy<Command> {
    some_reservation(world, is_paid)
        .prop_map(|made| payment::Command::Refund(PaymentId::of(id_of(made))).into())
        .boxed()
}

fn charge(world: &World) -> BoxedStrategy<Command> {
    let fresh = entry(world.ledger.len() + 1);
    let known: Vec<EntryId> = world.ledger.iter().map(|line| line.id).chain([fresh]).collect();
    let most = world.policy.max_balance.units();
    let balances: Vec<i64> = (1..=4)
        .filter_map(|n| world.wallet(user(n)))
        .map(|wallet| wallet.balance.units())
        .chain([0])
        .collect();
    let around_the_limit = (select(balances), -1..=1_i64)
        .prop_map(move |(balance, off)| most.saturating_sub(balance).saturating_add(off).max(1));
    let units =
        prop_oneof![12 => select(vec![1_i64, 700, 1_000, 2_500]), 1 => around_the_limit, 1 => Just(i64::MAX)];
    let new = (Just(fresh), any_user(), units);
    let again = (select(known), any_user(), select(vec![700_i64, 1_000, 3_000]));
    let lines = world.ledger.iter().map(|line| (line.id, line.user, line.amount.units().max(1)));
    let exactly = select(lines.chain([(fresh, user(1), 1)]).collect::<Vec<_>>());
    prop_oneof![12 => new, 1 => again, 1 => exactly]
        .prop_map(|(entry, user, units)| {
            let amount = Amount::new(units).expect("positive");
            wallet::Command::Charge { entry, user, amount }.into()
        })
        .boxed()
}

fn catalog(world: &World) -> BoxedStrategy<Command> {
    let name = || prop_oneof![6 => Just("main"), 3 => Just("hot"), 1 => Just("nowhere")];
    let lane = || name().prop_map(|name| name.parse::<LaneName>().expect("a lane name"));
    let date = (
        1..=4_usize,
        select(vec!["Hall", "Yard"]),
        select(vec![12, 20, 60_000]),
        select(vec![0, 1_000, 1_500, DEAR]),
        prop_oneof![9 => 1..=6_u32, 1 => select(vec![0, 20_001])],
        prop::bool::weighted(0.8),
    );
    let date = date.prop_map(|(n, venue, minutes, price, seats, on_sale)| PerformanceDraft {
        id: performance(n),
        venue: venue.into(),
        starts_at: starts_at(minutes),
        zone: (minutes == 20).then(|| "Asia/Seoul".into()),
        price: money(price),
        seats,
        on_sale,
    });
    let titles = select(vec!["A", "A", "A", "A", "B", " "]);
    let put = (1..=2_usize, titles, lane(), prop::collection::vec(date, 0..=2));
    let put = put.prop_map(|(n, title, lane, performances)| {
        let title = title.into();
        catalog::Command::PutConcerts(vec![ConcertDraft { id: concert(n), title, lane, performances }])
    });
    let change = (prop::option::of(0..3_u32), prop::option::of(any::<bool>()), prop::option::of(0..2_u64));
    let set = (lane(), change).prop_map(|(name, (capacity, paused, claim))| {
        let claim_ttl = claim.map(Duration::from_secs);
        catalog::Command::SetLane(name, LaneChange { capacity, paused, claim_ttl, ..LaneChange::default() })
    });
    let lanes = world.lanes.clone();
    let judged = (lane(), prop::bool::weighted(0.8)).prop_map(move |(lane, timely)| {
        let known = lanes.iter().find(|known| known.name == lane).map(|known| known.settings.revision);
        (lane, if timely { known.unwrap_or_default() } else { 1 })
    });
    let mark = (judged.clone(), any::<bool>())
        .prop_map(|((lane, revision), sold_out)| catalog::Command::MarkSoldOut { lane, revision, sold_out });
    let lift = (judged, 0..9_u64).prop_map(|((lane, revision), above)| catalog::Command::LiftRevision {
        lane,
        revision,
        above,
    });
    prop_oneof![4 => put, 1 => set, 1 => mark, 1 => lift].prop_map(Command::from).boxed()
}
