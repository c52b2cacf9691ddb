-- The log's tables; everything is keyed by agency, which is the id of the log.
SET LOCAL ROLE rapport_owner;

-- One row an agency, the last lock of every append; head_hash chains the events' chain hashes in
-- the order of positions, so that one published value vouches for the whole log.
CREATE TABLE rapport.log_heads (
    agency text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    head_hash bytea NOT NULL DEFAULT ''
) WITH (fillfactor = 50);

-- No index on the versions: an update of a row must stay a heap-only one.
CREATE TABLE rapport.streams (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    acked_version bigint NOT NULL DEFAULT 0,
    poked_version bigint NOT NULL DEFAULT 0,
    run_epoch bigint NOT NULL DEFAULT 0,
    phase text NOT NULL DEFAULT 'live' CHECK (phase IN ('importing', 'live', 'closed')),
    chain_hash bytea NOT NULL DEFAULT '',
    PRIMARY KEY (agency, stream)
) WITH (fillfactor = 70);

CREATE TABLE rapport.events (
    agency text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    schema_version integer NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    causation_id uuid,
    correlation_id text,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    source text NOT NULL,
    origin text NOT NULL CHECK (origin IN ('business', 'engine', 'imported')),
    policy_digest text,
    occurred_at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    body text NOT NULL,
    sealed text,
    content_hash bytea NOT NULL,
    chain_hash bytea NOT NULL,
    PRIMARY KEY (agency, position),
    UNIQUE (agency, stream, version)
);

-- What each command came to; a command without events has last = first - 1.  Never expires.
CREATE TABLE rapport.receipts (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (agency, stream, command_id)
);

CREATE TABLE rapport.reservations (
    agency text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    PRIMARY KEY (agency, kind, key)
);

CREATE TABLE rapport.effects (
    agency text COLLATE "C" NOT NULL,
    effect_id text COLLATE "C" NOT NULL,
    attempt integer NOT NULL,
    stream text COLLATE "C" NOT NULL,
    channel text NOT NULL,
    state text NOT NULL CHECK (state IN ('claimed', 'released', 'sent', 'failed', 'withheld', 'unknown')),
    message_id text NOT NULL,
    claimed_at timestamptz NOT NULL,
    finished_at timestamptz,
    detail text,
    PRIMARY KEY (agency, effect_id, attempt)
);

CREATE INDEX effects_by_stream ON rapport.effects (agency, stream);

CREATE TABLE rapport.policies (
    agency text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    body text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (agency, digest)
);

-- A destroyed key leaves its row without the secret, so that it cannot come back unnoticed.
CREATE TABLE rapport.keys (
    agency text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    key_id uuid NOT NULL UNIQUE,
    kek_id text,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    PRIMARY KEY (agency, subject)
);
RESET ROLE;
