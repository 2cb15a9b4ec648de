//! Payments a second, next to pgbench calling one stored function that writes the same rows into tables of the same columns
//! and indexes. It looks at what a payment has to look at; its events are numbered by a sequence, so that its calls need not
//! wait for each other.

use std::sync::Arc;

use booking_core::{
    Amount, Ticket,
    id::{EntryId, ReservationId},
    payment,
    store::BookingStore,
    wallet,
};
use sqlx::query;

use crate::{
    rivals::pgbench,
    world::{MANY, SEATS, World, number, place, rate, rounds, show, ticket, user},
};

const NAIVE: &str = "\
    CREATE TABLE naive_users (LIKE users INCLUDING ALL) WITH (fillfactor = 80); \
    CREATE TABLE naive_reservations (LIKE reservations INCLUDING ALL) WITH (fillfactor = 80); \
    CREATE TABLE naive_seats (LIKE seats INCLUDING ALL) WITH (fillfactor = 80); \
    CREATE TABLE naive_payments (LIKE payments INCLUDING ALL); \
    CREATE TABLE naive_entries (LIKE wallet_entries INCLUDING ALL); \
    CREATE TABLE naive_endings (LIKE ticket_endings INCLUDING ALL); \
    CREATE TABLE naive_events (LIKE events INCLUDING ALL); \
    CREATE SEQUENCE naive_next; \
    CREATE SEQUENCE naive_event CACHE 50; \
    CREATE FUNCTION naive_tell(event json, performance uuid, seats integer[]) RETURNS void LANGUAGE sql AS $$ \
        INSERT INTO naive_events VALUES (nextval('naive_event'), clock_timestamp(), event, performance, seats) $$; \
    CREATE FUNCTION naive_pay(which uuid) RETURNS void LANGUAGE plpgsql AS $$ \
    DECLARE r naive_reservations; u naive_users; at timestamptz; payment uuid := gen_random_uuid(); \
    BEGIN \
        SELECT * INTO r FROM naive_reservations WHERE reservation_id = which FOR UPDATE; \
        at := clock_timestamp(); \
        IF r.status IS DISTINCT FROM 'held' OR r.hold_until <= at THEN RAISE EXCEPTION 'not payable'; END IF; \
        UPDATE naive_users SET balance = balance - r.amount, entries = entries + 1 \
            WHERE user_id = r.user_id AND balance >= r.amount RETURNING * INTO u; \
        IF NOT FOUND THEN RAISE EXCEPTION 'insufficient balance'; END IF; \
        UPDATE naive_reservations SET status = 'confirmed' WHERE reservation_id = which; \
        UPDATE naive_seats SET held_until = NULL \
            WHERE performance_id = r.performance_id AND number = ANY(r.seats) AND reservation_id = which; \
        INSERT INTO naive_payments VALUES (payment, which, r.user_id, r.amount, at, NULL); \
        INSERT INTO naive_entries VALUES \
            (gen_random_uuid(), r.user_id, u.entries, 'debit', payment, r.amount, u.balance, at); \
        INSERT INTO naive_endings VALUES (r.ticket_lane, r.ticket_epoch, r.ticket_seq, r.user_id, 'completed'); \
        PERFORM naive_tell(json_build_object('type', 'debited', 'user', u.user_id, 'payment', payment, \
            'amount', r.amount, 'balance_after', u.balance, 'number', u.entries), NULL, NULL); \
        PERFORM naive_tell(json_build_object('type', 'seats_sold', 'reservation', which, \
            'performance', r.performance_id, 'seats', r.seats), r.performance_id, r.seats); \
        PERFORM naive_tell(json_build_object('type', 'payment_made', 'payment', payment, 'reservation', which, \
            'user', u.user_id, 'amount', r.amount, 'paid_at', at), NULL, NULL); \
    END $$";
/// What may be paid: the n-th reservation is of the n-th user.
const NAIVE_HOLDS: [&str; 3] = [
    "INSERT INTO naive_users SELECT md5('u' || n)::uuid, 1000000, 1, now() FROM generate_series(1, $1) AS n",
    "INSERT INTO naive_reservations SELECT md5('r' || n)::uuid, md5('u' || n)::uuid, md5('s' || n / 50)::uuid, \
        ARRAY[n % 50 + 1], 'main', 1, n, 1000, now(), now() + interval '1 hour', 'held', n \
        FROM generate_series(1, $1::integer) AS n",
    "INSERT INTO naive_seats SELECT md5('s' || n / 50)::uuid, n % 50 + 1, md5('r' || n)::uuid, now() + interval '1 hour' \
        FROM generate_series(1, $1::integer) AS n",
];
const NAIVE_PAY: &str = "SELECT naive_pay(md5('r' || nextval('naive_next'))::uuid);\n";

type Payable = (ReservationId, Ticket);

pub(crate) async fn measure() {
    // More than are paid in a round.
    let (rounds, many) = (rounds(), number("PAYABLE", 60_000));
    let all = rounds * many;
    let shows = all.div_ceil(SEATS);
    let world = World::with("bench_pays", shows, all).await;
    world.run(NAIVE).await;
    for sql in NAIVE_HOLDS {
        query(sql).bind(i32::try_from(all).expect("a count")).execute(&world.pool).await.expect("rows");
    }
    println!("round    pays: pgbench       batched   of pgbench");
    for round in 1..=rounds {
        world.clean().await;
        let floor = pgbench(&world.url, NAIVE_PAY);
        let payable = held(&world, shows, (round - 1) * many..round * many).await;
        world.clean().await;
        let ours = batched(&world, payable).await;
        println!("{round:5} {floor:16.0} {ours:13.0} {:12.2}", ours / floor);
    }
}

/// Holds of users who can pay them.
async fn held(world: &World, shows: u64, numbers: std::ops::Range<u64>) -> Arc<Vec<Payable>> {
    let amount = Amount::new(1_000).expect("an amount");
    let mut payable = Vec::new();
    for first in numbers.clone().step_by(250) {
        let mut batch = Vec::new();
        for n in first..(first + MANY / 2).min(numbers.end) {
            let (user, entry) = (user(n), EntryId::random());
            batch.push(wallet::Command::Charge { entry, user, amount }.into());
            let ticket = ticket(n, user);
            let (reservation, place) = place(ticket.clone(), show(n % shows), n / shows);
            batch.push(place);
            payable.push((reservation, ticket));
        }
        world.done(batch).await;
    }
    Arc::new(payable)
}

async fn batched(world: &World, payable: Arc<Vec<Payable>>) -> f64 {
    let store = Arc::clone(&world.store);
    rate(move |n| {
        let (store, payable) = (Arc::clone(&store), Arc::clone(&payable));
        async move {
            let (reservation, ticket) = payable.get(usize::try_from(n).ok()?)?.clone();
            let answers = store.execute(vec![payment::Command::Pay { reservation, ticket }.into()]).await;
            assert!(answers.as_ref().is_ok_and(|answers| answers[0].is_ok()), "{answers:?}");
            Some(())
        }
    })
    .await
}
