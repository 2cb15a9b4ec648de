-- What is booked. There is no rule in here, only what rows there are and what can't be: deciding is the engine's.
-- Names and columns are those of the PostgreSQL store. Identities are text; instants are whole microseconds since
-- 1970-01-01 UTC, for people: datetime(created_at / 1000000, 'unixepoch'); lists of seats are JSON arrays.
--
-- The engine keeps its working set in memory and looks nothing up in here while it serves. So there are the keys that
-- say what can't be twice, and no index more: each would be written with every hold. An index of the identities of
-- reservations is not there either: they come in no order, so every hold would write a page of it, more than all else it
-- writes. Who has a ticket has one reservation; that an identity is not there twice, and that those named are there, is
-- checked when the file is opened. Words are compared one by one: for a
-- list of more than two, IN makes a table and drops it again, for every row that is written.

CREATE TABLE lanes (
    name             TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 32),
    capacity         INTEGER NOT NULL CHECK (capacity >= 0),
    max_waiting      TEXT, -- 64 bits without a sign
    admit_per_second INTEGER CHECK (admit_per_second >= 1),
    claim_ttl_ns     INTEGER NOT NULL CHECK (claim_ttl_ns > 0),
    session_ttl_ns   INTEGER NOT NULL CHECK (session_ttl_ns > 0),
    paused           INTEGER NOT NULL CHECK (paused IN (0, 1)),
    closed           INTEGER NOT NULL CHECK (closed IN (0, 1)),
    sold_out         INTEGER NOT NULL CHECK (sold_out IN (0, 1)),
    revision         INTEGER NOT NULL
) STRICT;

CREATE TABLE concerts (
    concert_id TEXT NOT NULL PRIMARY KEY CHECK (length(concert_id) = 36),
    title      TEXT NOT NULL,
    lane       TEXT NOT NULL REFERENCES lanes,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE performances (
    performance_id     TEXT NOT NULL PRIMARY KEY CHECK (length(performance_id) = 36),
    concert_id         TEXT NOT NULL REFERENCES concerts,
    venue              TEXT NOT NULL,
    starts_at          INTEGER NOT NULL,
    utc_offset_seconds INTEGER NOT NULL,
    local_date         TEXT NOT NULL,
    zone               TEXT,
    price              INTEGER NOT NULL CHECK (price >= 0),
    seats              INTEGER NOT NULL CHECK (seats >= 1),
    on_sale            INTEGER NOT NULL CHECK (on_sale IN (0, 1)),
    created_at         INTEGER NOT NULL
) STRICT;

-- A user is who has a wallet.
CREATE TABLE users (
    user_id   TEXT NOT NULL PRIMARY KEY CHECK (length(user_id) = 36),
    balance   INTEGER NOT NULL CHECK (balance >= 0),
    entries   INTEGER NOT NULL CHECK (entries >= 0),
    opened_at INTEGER NOT NULL
) STRICT;

-- In the order they were made: new ones go to the end, whatever their identity. One is found by its ticket.
CREATE TABLE reservations (
    made           INTEGER PRIMARY KEY, -- the number of the event that made it
    reservation_id TEXT NOT NULL CHECK (length(reservation_id) = 36),
    user_id        TEXT NOT NULL REFERENCES users,
    performance_id TEXT NOT NULL REFERENCES performances,
    seats          TEXT NOT NULL CHECK (seats LIKE '[_%]'),
    ticket_lane    TEXT NOT NULL,
    ticket_epoch   INTEGER NOT NULL, -- 64 bits, of which the highest reads as a sign
    ticket_seq     INTEGER NOT NULL,
    amount         INTEGER NOT NULL CHECK (amount >= 0),
    created_at     INTEGER NOT NULL,
    hold_until     INTEGER NOT NULL,
    status         TEXT NOT NULL CHECK (status = 'held' OR status = 'confirmed' OR status = 'expired' OR status = 'released' OR status = 'refunded')
) STRICT;
-- One ticket buys once.
CREATE UNIQUE INDEX reservations_one_a_ticket
    ON reservations (ticket_seq, ticket_epoch, user_id, ticket_lane) WHERE status <> 'released';

-- The seats somebody has, one row each: held until an instant, or sold when there is none.
CREATE TABLE seats (
    performance_id TEXT NOT NULL REFERENCES performances,
    number         INTEGER NOT NULL CHECK (number >= 1),
    reservation_id TEXT NOT NULL CHECK (length(reservation_id) = 36),
    held_until     INTEGER,
    PRIMARY KEY (performance_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
    payment_id     TEXT NOT NULL PRIMARY KEY CHECK (length(payment_id) = 36),
    reservation_id TEXT NOT NULL UNIQUE CHECK (length(reservation_id) = 36),
    user_id        TEXT NOT NULL REFERENCES users,
    amount         INTEGER NOT NULL CHECK (amount >= 0),
    paid_at        INTEGER NOT NULL,
    refunded_at    INTEGER
) STRICT;

CREATE TABLE wallet_entries (
    entry_id      TEXT NOT NULL PRIMARY KEY CHECK (length(entry_id) = 36),
    user_id       TEXT NOT NULL REFERENCES users,
    number        INTEGER NOT NULL CHECK (number >= 1),
    kind          TEXT NOT NULL CHECK (kind = 'charge' OR kind = 'debit' OR kind = 'refund'),
    payment_id    TEXT REFERENCES payments,
    amount        INTEGER NOT NULL CHECK (amount >= 0),
    balance_after INTEGER NOT NULL CHECK (balance_after >= 0),
    at            INTEGER NOT NULL,
    UNIQUE (user_id, number),
    CHECK ((kind = 'charge') = (payment_id IS NULL))
) STRICT;
CREATE TRIGGER wallet_entries_stay BEFORE UPDATE ON wallet_entries
    BEGIN SELECT raise(ABORT, 'wallet_entries is append-only'); END;
CREATE TRIGGER wallet_entries_are_kept BEFORE DELETE ON wallet_entries
    BEGIN SELECT raise(ABORT, 'wallet_entries is append-only'); END;

-- Endings of tickets that the queue does not know yet.
CREATE TABLE ticket_endings (
    ticket_lane  TEXT NOT NULL,
    ticket_epoch INTEGER NOT NULL,
    ticket_seq   INTEGER NOT NULL,
    user_id      TEXT NOT NULL,
    reason       TEXT NOT NULL,
    PRIMARY KEY (ticket_lane, ticket_epoch, ticket_seq, user_id)
) STRICT, WITHOUT ROWID;

-- The log: numbered from 1 without a gap, in the order of commits.
CREATE TABLE events (
    seq            INTEGER PRIMARY KEY CHECK (seq >= 1),
    at             INTEGER NOT NULL,
    event          TEXT NOT NULL,
    performance_id TEXT, -- of events that moved seats: which
    seats          TEXT
) STRICT;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'events is append-only'); END;
CREATE TRIGGER events_are_kept BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'events is append-only'); END;
