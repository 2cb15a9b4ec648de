//! Everything that can be read of the store against the naive world.

use booking_core::{
    Timestamp,
    catalog::Performance,
    hold::{Reservation, ReservationStatus, SeatStatus},
    id::{ReservationId, UserId},
    memory::MemoryBooking,
    store::{BookingStore, Cursor, Listing, Page, PageRequest, PerformanceFilter},
};
use pollster::block_on;

use crate::{ids::user, naive::World};

const ALL: PageRequest = PageRequest { after: None, limit: 1_000 };

/// The whole list, which fits on one page.
fn whole<T>(page: Result<Page<T>, booking_core::StoreError>) -> Vec<T> {
    let page = page.expect("memory does not fail");
    assert_eq!(page.next, None, "a page of all is the last");
    page.items
}

pub(crate) fn compare(store: &MemoryBooking, world: &World) {
    block_on(async {
        for n in 1..=6 {
            compare_user(store, world, user(n)).await;
        }
        compare_performances(store, world).await;
        compare_lanes(store, world).await;
        compare_chores(store, world).await;
    });
}

async fn compare_user(store: &MemoryBooking, world: &World, user: UserId) {
    let wallet = store.wallet(user).await.expect("memory does not fail");
    assert_eq!(wallet, world.wallet(user));
    let lines: Vec<_> = world.lines(user).cloned().collect();
    assert_eq!(whole(store.entries(user, ALL).await), lines);
    let own = world.reservations.iter().filter(|made| made.user == user);
    let mut own: Vec<Reservation> = own.map(|made| world.seen(made)).collect();
    own.sort_by_key(|made| (made.created_at, made.id));
    let read = whole(store.reservations(user, ALL).await);
    assert_eq!(read, own);
    let mut payments: Vec<_> = world.payments.iter().filter(|made| made.user == user).cloned().collect();
    payments.sort_by_key(|made| (made.paid_at, made.id));
    assert_eq!(whole(store.payments(user, ALL).await), payments);
    for made in world.reservations.iter().rev().take(3) {
        let seen = store.reservation(user, made.id).await.expect("memory does not fail");
        assert_eq!(seen, (made.user == user).then(|| world.seen(made)), "only the owner sees it");
    }
}

fn listing(world: &World, performance: &Performance) -> Listing {
    let concert = world.concerts.iter().find(|one| one.id == performance.concert).expect("its concert");
    let free =
        (1..=performance.seats).filter(|seat| world.seat(performance.id, *seat) == SeatStatus::Available);
    let seats_available = if world.bookable(performance) { free.count() } else { 0 };
    let seats_available = u32::try_from(seats_available).expect("a small number");
    Listing { performance: performance.clone(), lane: concert.lane.clone(), seats_available }
}

async fn compare_performances(store: &MemoryBooking, world: &World) {
    for performance in &world.performances {
        let listed = listing(world, performance);
        let map = store.seat_map(performance.id).await.expect("memory does not fail").expect("a map");
        let seats: Vec<_> = (1..=performance.seats).map(|seat| world.seat(performance.id, seat)).collect();
        assert_eq!((&map.performance, &map.lane), (performance, &listed.lane));
        assert_eq!((map.bookable, &map.seats), (world.bookable(performance), &seats));
        assert_eq!(map.available().count(), usize::try_from(listed.seats_available).unwrap_or(0));
        assert_eq!(store.performance(performance.id).await, Ok(Some(listed)));
    }
    let mut concerts = world.concerts.clone();
    concerts.sort_by_key(|one| (one.created_at, one.id));
    assert_eq!(whole(store.concerts(ALL).await), concerts);
}

async fn compare_lanes(store: &MemoryBooking, world: &World) {
    assert_eq!(store.lanes().await, Ok(world.lanes.clone()));
    for record in &world.lanes {
        assert_eq!(store.stock(&record.name).await, Ok(world.stock(&record.name)));
        let mut listed: Vec<Listing> = world
            .performances
            .iter()
            .filter(|one| world.bookable(one))
            .map(|one| listing(world, one))
            .filter(|one| one.lane == record.name)
            .collect();
        listed.sort_by_key(|one| (one.performance.starts_at, one.performance.id));
        let filter = PerformanceFilter { lane: record.name.clone(), concert: None, date: None };
        assert_eq!(by_pages(store, &filter).await, listed);
    }
}

/// The list, read one item a page.
async fn by_pages(store: &MemoryBooking, filter: &PerformanceFilter) -> Vec<Listing> {
    let (mut items, mut after): (Vec<Listing>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = store.performances(filter, PageRequest { after, limit: 1 }).await;
        let page = page.expect("memory does not fail");
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return items;
        }
    }
}

/// What the sweep is asked to do.
async fn compare_chores(store: &MemoryBooking, world: &World) {
    assert_eq!(store.totals().await, Ok(world.totals()));
    let ran_out =
        |made: &&Reservation| made.status == ReservationStatus::Held && world.now >= made.hold_until;
    let mut over: Vec<(Timestamp, ReservationId)> =
        world.reservations.iter().filter(ran_out).map(|made| (made.hold_until, made.id)).collect();
    over.sort_unstable();
    let over: Vec<_> = over.into_iter().map(|(_, id)| id).collect();
    assert_eq!(store.expired_holds(usize::MAX).await, Ok(over));
    let mut endings = world.endings.clone();
    endings.sort_unstable();
    assert_eq!(store.pending_endings(usize::MAX).await, Ok(endings));
}
