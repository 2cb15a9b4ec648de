-- What is booked. There is no rule in here, only what rows there are and what can't be: deciding is the engine's.
-- Instants are whole microseconds, which is what timestamptz holds.

-- What a value can't be is said by its type. A check of a table would say the same, but every statement that writes to the
-- table reads all of its checks anew, also those of columns that it leaves alone: an eighth of saving a lone hold.
CREATE DOMAIN units AS bigint CHECK (VALUE >= 0); -- of money
CREATE DOMAIN cardinal AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN ordinal AS bigint CHECK (VALUE >= 1);
CREATE DOMAIN seat_number AS integer CHECK (VALUE >= 1);
CREATE DOMAIN seat_numbers AS integer[] CHECK (cardinality(VALUE) >= 1);
CREATE DOMAIN lane_name AS text CHECK (VALUE ~ '^[a-z0-9-]{1,32}$');
CREATE DOMAIN reservation_status AS text CHECK (VALUE IN ('held', 'confirmed', 'expired', 'released', 'refunded'));
CREATE DOMAIN only_true AS boolean CHECK (VALUE);
CREATE DOMAIN entry_kind AS text CHECK (VALUE IN ('charge', 'debit', 'refund'));

-- The clock of the store. Every instant comes from here, so that all instances go by one clock.
CREATE FUNCTION booking_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of %: %', lower(TG_OP), TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- A row names only rows that are there, and that stay: users, performances, reservations and payments are never deleted, and
-- what names another row is never changed. Foreign keys say the same, but ask row by row, which was two fifths of saving a hold; the
-- tables that every hold and payment writes ask once a statement. OFFSET 0 keeps the question from being planned as a
-- join, which would read a whole table for as long as a plan is kept that was made when it was empty.
CREATE FUNCTION refuse_stranger(named text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row names what is not there: %', named USING ERRCODE = 'foreign_key_violation';
END $$;

-- What a batch changes was there when the batch was decided, and nobody else writes until it is saved.
CREATE FUNCTION refuse_loss(lost text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% that were to be changed are not there', lost USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TABLE lanes (
    name             lane_name PRIMARY KEY,
    capacity         cardinal NOT NULL,
    max_waiting      numeric(20) CHECK (max_waiting >= 0),
    admit_per_second ordinal,
    claim_ttl_ns     ordinal NOT NULL,
    session_ttl_ns   ordinal NOT NULL,
    paused           boolean NOT NULL,
    closed           boolean NOT NULL,
    sold_out         boolean NOT NULL,
    revision         bigint NOT NULL
);

CREATE TABLE concerts (
    concert_id uuid PRIMARY KEY,
    title      text NOT NULL,
    lane       lane_name NOT NULL REFERENCES lanes,
    created_at timestamptz NOT NULL
);
-- As text, since nobody looks for a concert by that: what is planned while the table is small may look identities up in here
-- otherwise, and go on reading all of it when it is large.
CREATE INDEX concerts_in_order ON concerts (created_at, (concert_id::text) COLLATE "C");
CREATE INDEX concerts_of_lane ON concerts (lane);

CREATE TABLE performances (
    performance_id     uuid NOT NULL,
    concert_id         uuid NOT NULL REFERENCES concerts,
    venue              text NOT NULL,
    starts_at          timestamptz NOT NULL,
    utc_offset_seconds integer NOT NULL,
    local_date         date NOT NULL,
    zone               text,
    price              units NOT NULL,
    seats              seat_number NOT NULL, -- they are numbered from 1 to this
    on_sale            boolean NOT NULL,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (performance_id) INCLUDE (seats) -- which tells all that a reservation has to know of it
);
CREATE INDEX performances_in_order ON performances (starts_at, performance_id) WHERE on_sale;
CREATE INDEX performances_of_concert ON performances (concert_id, starts_at);
CREATE INDEX performances_of_date ON performances (local_date, starts_at, performance_id) WHERE on_sale;
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE OR UPDATE OF performance_id ON performances
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('performances stay');

-- A user is who has a wallet.
CREATE TABLE users (
    user_id   uuid PRIMARY KEY,
    balance   units NOT NULL,
    entries   cardinal NOT NULL,
    opened_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE OR UPDATE OF user_id ON users
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('users stay');

-- To the log a reservation is the event that made it: what it has but for its status is what that event says.
CREATE TABLE reservations (
    reservation_id uuid PRIMARY KEY,
    user_id        uuid NOT NULL, -- of users
    performance_id uuid NOT NULL, -- of performances
    seats          seat_numbers NOT NULL, -- which that has
    ticket_lane    text NOT NULL,
    ticket_epoch   bigint NOT NULL, -- 64 bits, of which the highest reads as a sign
    ticket_seq     bigint NOT NULL,
    amount         units NOT NULL,
    created_at     timestamptz NOT NULL, -- when it was decided, as at of an event
    hold_until     timestamptz NOT NULL,
    status         reservation_status NOT NULL,
    made           ordinal NOT NULL      -- its number in the log, as seq of an event
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX reservations_in_log ON reservations (made);
-- Not by identity as well: so holds of one batch are one entry, always the last one.
CREATE INDEX reservations_ending ON reservations (hold_until) WHERE status = 'held';
-- One ticket buys once. What a user has is found by these two as well: an index more would be one more random page that every
-- hold changes, and the few that a user has are sorted when they are listed.
CREATE UNIQUE INDEX reservations_one_a_ticket
    ON reservations (user_id, ticket_epoch, ticket_seq, ticket_lane) WHERE status <> 'released';
CREATE INDEX reservations_released
    ON reservations (user_id, ticket_epoch, ticket_seq, ticket_lane, made) WHERE status = 'released';
CREATE FUNCTION reservations_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_stranger(format('user %s or seats %s of performance %s', made.user_id, made.seats, made.performance_id))
        FROM made WHERE NOT EXISTS (SELECT FROM users u WHERE u.user_id = made.user_id OFFSET 0)
        OR NOT EXISTS (SELECT FROM performances p WHERE p.performance_id = made.performance_id
            AND p.seats >= ALL (made.seats) OFFSET 0);
    RETURN NULL;
END $$;
CREATE TRIGGER names AFTER INSERT ON reservations REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION reservations_name();
CREATE TRIGGER stays
    BEFORE DELETE OR TRUNCATE OR UPDATE OF reservation_id, user_id, performance_id, seats, ticket_lane, ticket_epoch, ticket_seq,
        amount, created_at, hold_until, made ON reservations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('reservations stay');

-- The seats somebody has, a row each: held until an instant, or sold when there is none. Where there is no row the seat is
-- free, so whoever gives a seat to two, each time as a free one, finds a row that is there already. A row a seat from when its
-- performance is made would be another page that every hold changes, and that whoever looks at it next tidies up.
CREATE TABLE seats (
    performance_id uuid NOT NULL,
    number         seat_number NOT NULL,
    reservation_id uuid NOT NULL, -- of reservations, for that performance
    held_until     timestamptz,
    PRIMARY KEY (performance_id, number)
) WITH (fillfactor = 80);
CREATE FUNCTION seats_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_stranger(format('reservation %s of seat %s', made.reservation_id, made.number)) FROM made
        WHERE NOT EXISTS (SELECT FROM reservations r WHERE r.reservation_id = made.reservation_id
            AND r.performance_id = made.performance_id OFFSET 0);
    RETURN NULL;
END $$;
CREATE TRIGGER names AFTER INSERT ON seats REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION seats_name();
CREATE TRIGGER one_by_one BEFORE TRUNCATE ON seats
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('seats become free one by one');
CREATE TRIGGER names_anew AFTER UPDATE ON seats REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION seats_name();

CREATE TABLE payments (
    payment_id     uuid PRIMARY KEY,
    reservation_id uuid NOT NULL UNIQUE, -- of reservations
    user_id        uuid NOT NULL,        -- of users
    amount         units NOT NULL,
    paid_at        timestamptz NOT NULL,
    refunded_at    timestamptz
);
CREATE INDEX payments_of_user ON payments (user_id, paid_at); -- not by identity: a user has few
CREATE FUNCTION payments_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_stranger(format('reservation %s of user %s', made.reservation_id, made.user_id)) FROM made
        WHERE NOT EXISTS (SELECT FROM reservations r WHERE r.reservation_id = made.reservation_id
            AND r.user_id = made.user_id OFFSET 0);
    RETURN NULL;
END $$;
CREATE TRIGGER names AFTER INSERT ON payments REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION payments_name();
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE OR UPDATE OF payment_id, reservation_id, user_id ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('payments stay');

CREATE TABLE wallet_entries (
    entry_id      uuid PRIMARY KEY,
    user_id       uuid NOT NULL, -- of users
    number        ordinal NOT NULL,
    kind          entry_kind NOT NULL,
    payment_id    uuid,          -- of payments
    amount        units NOT NULL,
    balance_after units NOT NULL,
    at            timestamptz NOT NULL,
    UNIQUE (user_id, number),
    CHECK ((kind = 'charge') = (payment_id IS NULL))
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallet_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('it is append-only');
CREATE FUNCTION wallet_entries_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_stranger(format('user %s or payment %s', made.user_id, made.payment_id)) FROM made
        WHERE NOT EXISTS (SELECT FROM users u WHERE u.user_id = made.user_id OFFSET 0)
        OR made.payment_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM payments p WHERE p.payment_id = made.payment_id OFFSET 0);
    RETURN NULL;
END $$;
CREATE TRIGGER names AFTER INSERT ON wallet_entries REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION wallet_entries_name();

-- Endings of tickets that the queue does not know yet.
CREATE TABLE ticket_endings (
    ticket_lane  text NOT NULL,
    ticket_epoch bigint NOT NULL,
    ticket_seq   bigint NOT NULL,
    user_id      uuid NOT NULL,
    reason       text NOT NULL,
    PRIMARY KEY (ticket_lane, ticket_epoch, ticket_seq, user_id)
);

-- The log: numbered from 1 without a gap, in the order of commits. Here are all events but those that made a reservation, which
-- are the rows of reservations: what is written twice costs twice.
CREATE TABLE events (
    seq            ordinal PRIMARY KEY,
    at             timestamptz NOT NULL,
    event          text NOT NULL, -- JSON, which the engine has written: to look into it, event::json
    performance_id uuid,     -- of events that moved seats: which
    seats          integer[]
);
-- Of each stretch of the log, which performances are in it: looking for one of them reads the stretches that may have it, and
-- mostly a hold changes no page of it.
CREATE INDEX events_of_performance ON events USING brin (performance_id uuid_bloom_ops)
    WITH (pages_per_range = 64, autosummarize = on);
CREATE INDEX reservations_of_performance ON reservations USING brin (performance_id uuid_bloom_ops)
    WITH (pages_per_range = 64, autosummarize = on);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('it is append-only');

-- One row, which is the one lock of everything that is booked: who holds it gives the next numbers of the log and commits
-- before anybody else does. What a batch is decided on is read under it, or checked against it.
CREATE TABLE log_head (
    only_row        only_true PRIMARY KEY DEFAULT true,
    last_event      bigint NOT NULL,
    catalog_version bigint NOT NULL, -- grows when a concert or a performance changes, and when a save that was lost is fenced off
    returns         bigint NOT NULL, -- grows when a sold seat comes back
    seats_sold      cardinal NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head (last_event, catalog_version, returns, seats_sold) VALUES (0, 0, 0, 0);
