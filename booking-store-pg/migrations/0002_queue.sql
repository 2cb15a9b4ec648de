-- The waiting queues. A lane's row is the lock of the lane: a number is given, and anybody admitted, only by who holds
-- it. Every instance keeps the lanes in memory and follows the steps that others took since it last looked.
CREATE TABLE queue_lanes (
    lane    lane_name PRIMARY KEY,
    epoch   bigint NOT NULL,                   -- the life of the lane; 64 bits, of which the highest reads as a sign
    version ordinal NOT NULL,                  -- grows with every step
    stamp   bigint NOT NULL,                   -- of that step, by chance: another step of this version is of another life
    state   jsonb NOT NULL                     -- settings, pace, and below which numbers it was drained, and why
) WITH (fillfactor = 50);

-- A row a number. Rows of another epoch than the lane's are its past lives, and may be deleted at leisure. A number
-- below one at which the lane was drained is over, whether its row says so or not.
CREATE TABLE tickets (
    lane           text NOT NULL,
    epoch          bigint NOT NULL,
    seq            ordinal NOT NULL,
    user_id        uuid NOT NULL,
    admitted_until timestamptz,
    claimed        boolean NOT NULL CHECK (NOT claimed OR admitted_until IS NOT NULL),
    ended          text,
    departed       ordinal,   -- the how-manieth it was to leave while waiting
    drains         integer NOT NULL,           -- how often the lane had been drained before it was given
    PRIMARY KEY (epoch, seq, lane)             -- the lane last: an epoch alone tells it, and what stands behind a text is slow to get at
) WITH (fillfactor = 70);
-- One live number a user.
CREATE UNIQUE INDEX tickets_live ON tickets (epoch, user_id, drains, lane) WHERE ended IS NULL;

-- Which numbers a step of a lane changed. Of the last steps only: who is further behind reads the lane anew. It stands beside
-- the numbers, so that no index of theirs has to know when they changed: admitted or claimed, they stay in their page.
CREATE TABLE queue_steps (
    lane    text NOT NULL,
    epoch   bigint NOT NULL,
    version ordinal NOT NULL,
    stamp   bigint NOT NULL,
    seqs    bigint[] NOT NULL,
    PRIMARY KEY (epoch, version, lane)
);
