-- The queue: a row a lane, a row a number.

CREATE TABLE queue_lanes (
    lane     TEXT NOT NULL PRIMARY KEY,
    epoch    INTEGER NOT NULL, -- 64 bits, of which the highest reads as a sign
    settings TEXT NOT NULL,    -- what the lane was told, as JSON
    pace     TEXT NOT NULL,    -- when the next admission is due and the speed of late, as JSON
    -- each time the lane was drained, as JSON: numbers below the first that waited or were admitted are over for the
    -- second, whatever their rows say
    drained  TEXT NOT NULL
) STRICT;

CREATE TABLE tickets (
    lane           TEXT NOT NULL REFERENCES queue_lanes,
    seq            INTEGER NOT NULL CHECK (seq >= 1),
    user_id        TEXT NOT NULL,
    admitted_until INTEGER,
    claimed        INTEGER NOT NULL CHECK (claimed IN (0, 1)),
    ended          TEXT CHECK (ended = 'completed' OR ended = 'hold_expired' OR ended = 'session_expired'
        OR ended = 'no_show' OR ended = 'left' OR ended = 'sold_out' OR ended = 'closed'),
    departed       INTEGER CHECK (departed >= 1), -- the how-manieth to leave while waiting
    PRIMARY KEY (lane, seq),
    CHECK (claimed = 0 OR admitted_until IS NOT NULL)
) STRICT, WITHOUT ROWID;
