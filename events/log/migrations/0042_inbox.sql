-- What integrations send: kept before it is acknowledged, understood afterwards.  These are working tables and
-- no log; what a message led to is in the log, under command ids made of the message's id.
SET LOCAL ROLE rapport_owner;

CREATE TABLE rapport.connections (
    connection_id text COLLATE "C" PRIMARY KEY,
    agency text COLLATE "C" NOT NULL,
    provider text NOT NULL,
    name text NOT NULL,
    mapping text,
    mapping_digest text,
    api_base text,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at timestamptz,
    last_polled_at timestamptz,
    last_poll_says text
);
CREATE INDEX connections_by_agency ON rapport.connections (agency);

-- Sealed under the connection's own key; during a rotation the old one stays valid until it expires.
CREATE TABLE rapport.connection_secrets (
    agency text COLLATE "C" NOT NULL,
    connection_id text COLLATE "C" NOT NULL REFERENCES rapport.connections,
    secret_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('signing', 'api', 'handshake')),
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    PRIMARY KEY (connection_id, secret_id)
);

-- A foreign id is found by its keyed digest only: a foreign system's ids may be names.
CREATE TABLE rapport.external_ids (
    agency text COLLATE "C" NOT NULL,
    connection_id text COLLATE "C" NOT NULL REFERENCES rapport.connections,
    kind text COLLATE "C" NOT NULL,
    external_digest bytea NOT NULL,
    external bytea NOT NULL,
    engagement text COLLATE "C",
    ours text COLLATE "C",
    job_order text COLLATE "C",
    how text NOT NULL CHECK (how IN ('learnt', 'confirmed')),
    by text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (agency, connection_id, kind, external_digest)
);
CREATE INDEX external_ids_by_engagement ON rapport.external_ids (agency, engagement);

-- Body and headers are in sealed, the commands that were decided to be given in plan; a purge empties both
-- and leaves hash and reason.  lacks: digests of the foreign ids that nobody knew, so that a new link finds
-- the messages that wait for it.  seq orders; it is shown to nobody, for it counts every agency's.
CREATE TABLE rapport.inbox (
    agency text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    connection_id text COLLATE "C" NOT NULL REFERENCES rapport.connections,
    dedupe_digest bytea NOT NULL,
    event text NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    delivered_at timestamptz NOT NULL,
    deliveries integer NOT NULL DEFAULT 1,
    body_hash bytea NOT NULL,
    sealed bytea,
    plan bytea,
    state text NOT NULL DEFAULT 'received' CHECK (state IN (
        'received', 'applied', 'ignored', 'waiting', 'unmatched', 'discarded', 'superseded')),
    says text,
    needs text,
    lacks bytea[] NOT NULL DEFAULT '{}',
    engagements text[] COLLATE "C" NOT NULL DEFAULT '{}',
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    settled_at timestamptz,
    purged_at timestamptz,
    outcome jsonb,
    PRIMARY KEY (agency, message_id),
    UNIQUE (agency, connection_id, dedupe_digest)
);
CREATE INDEX inbox_due ON rapport.inbox (next_at) WHERE state = 'received';
CREATE INDEX inbox_in_order ON rapport.inbox (agency, occurred_at, seq) WHERE state = 'received';
CREATE INDEX inbox_begun ON rapport.inbox (agency, occurred_at, seq)
    WHERE state = 'received' AND engagements <> '{}';
CREATE INDEX inbox_by_time ON rapport.inbox (agency, received_at, message_id);
CREATE INDEX inbox_by_connection ON rapport.inbox (agency, connection_id, received_at);
CREATE INDEX inbox_held_up ON rapport.inbox (agency, connection_id) WHERE state IN ('waiting', 'unmatched');
CREATE INDEX inbox_lacks ON rapport.inbox USING gin (lacks) WHERE state IN ('waiting', 'unmatched');
CREATE INDEX inbox_bodies ON rapport.inbox (received_at) WHERE sealed IS NOT NULL;

-- The newest source time at which something was told about a thing.
CREATE TABLE rapport.inbox_aspects (
    agency text COLLATE "C" NOT NULL,
    aspect text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL,
    message_id uuid NOT NULL,
    PRIMARY KEY (agency, aspect)
);

-- Which process works on an agency's messages: one at a time, so that their order is one.
CREATE TABLE rapport.inbox_turns (
    agency text COLLATE "C" PRIMARY KEY,
    holder uuid NOT NULL,
    until timestamptz NOT NULL
) WITH (fillfactor = 50);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'connections', 'connection_secrets', 'external_ids', 'inbox', 'inbox_aspects', 'inbox_turns'
    ] LOOP
        EXECUTE format('ALTER TABLE rapport.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_agency ON rapport.%I TO rapport_app '
            'USING (agency = current_setting(''rapport.agency'', true)) '
            'WITH CHECK (agency = current_setting(''rapport.agency'', true))', name);
        EXECUTE format('GRANT SELECT ON rapport.%I TO rapport_app', name);
    END LOOP;
END
$$;

GRANT INSERT ON rapport.connections, rapport.connection_secrets, rapport.external_ids, rapport.inbox_aspects
    TO rapport_app;
GRANT UPDATE (name, mapping, mapping_digest, api_base, settings, disabled_at, last_polled_at, last_poll_says)
    ON rapport.connections TO rapport_app;
GRANT UPDATE (expires_at) ON rapport.connection_secrets TO rapport_app;
GRANT UPDATE (external, engagement, ours, job_order, how, by, at) ON rapport.external_ids TO rapport_app;
-- A message is inserted by receive_message alone, and nothing deletes one.
GRANT UPDATE (plan, state, says, needs, lacks, engagements, attempts, next_at, settled_at, outcome)
    ON rapport.inbox TO rapport_app;
GRANT UPDATE (occurred_at, message_id) ON rapport.inbox_aspects TO rapport_app;

-- Whoever holds a connection's whole id finds it, before its agency is known; its valid secrets come along.
CREATE FUNCTION rapport.find_connection(p_connection text)
RETURNS TABLE (
    connection_id text, agency text, provider text, name text, mapping text, mapping_digest text, api_base text,
    settings jsonb, created_at timestamptz, disabled_at timestamptz, last_polled_at timestamptz,
    last_poll_says text, kinds text[], secret_ids uuid[], sealed bytea[]
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT c.connection_id, c.agency, c.provider, c.name, c.mapping, c.mapping_digest, c.api_base, c.settings,
        c.created_at, c.disabled_at, c.last_polled_at, c.last_poll_says, s.kinds, s.secret_ids, s.sealed
    FROM connections c, LATERAL (
        SELECT array_agg(x.kind ORDER BY x.created_at DESC) AS kinds,
               array_agg(x.secret_id ORDER BY x.created_at DESC) AS secret_ids,
               array_agg(x.sealed ORDER BY x.created_at DESC) AS sealed
        FROM connection_secrets x
        WHERE x.connection_id = c.connection_id
          AND coalesce(x.expires_at > clock_timestamp(), true)
    ) s
    WHERE c.connection_id = p_connection
$$;

-- True for a message that was not there.  Told to the pump only if it does not look here soon anyway: a
-- notification makes commits wait for each other.
CREATE FUNCTION rapport.receive_message(
    p_agency text, p_connection text, p_message uuid, p_dedupe bytea, p_event text, p_occurred timestamptz,
    p_hash bytea, p_sealed bytea, p_settle interval
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    fresh boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM inbox x WHERE x.state = 'received'
                   AND x.next_at > moment AND x.next_at <= moment + p_settle) THEN
        PERFORM pg_notify('rapport_inbox', '');
    END IF;
    -- Any unique key: one and the same delivery that comes twice at once meets at the message's id too.
    INSERT INTO inbox (agency, message_id, connection_id, dedupe_digest, event, occurred_at, received_at,
        delivered_at, body_hash, sealed, next_at)
    VALUES (p_agency, p_message, p_connection, p_dedupe, p_event, coalesce(p_occurred, moment), moment, moment,
        p_hash, p_sealed, moment + p_settle)
    ON CONFLICT DO NOTHING;
    fresh := FOUND;
    IF NOT fresh THEN
        UPDATE inbox i SET deliveries = i.deliveries + 1, delivered_at = moment
        WHERE i.agency = p_agency AND i.connection_id = p_connection AND i.dedupe_digest = p_dedupe;
    END IF;
    RETURN fresh;
END
$$;

-- The agencies whose messages ask for work within so long, and which nobody works on.
CREATE FUNCTION rapport.due_inboxes(p_within interval) RETURNS TABLE (agency text, due_in interval)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT i.agency, greatest(min(i.next_at) - clock_timestamp(), '0'::interval)
    FROM inbox i
    WHERE i.state = 'received' AND i.next_at <= clock_timestamp() + p_within
      AND NOT EXISTS (SELECT FROM inbox_turns t WHERE t.agency = i.agency AND t.until > clock_timestamp())
    GROUP BY i.agency
$$;

-- True: the caller has the agency's messages for so long; called again by the same holder, it stays so.
CREATE FUNCTION rapport.take_inbox_turn(p_agency text, p_holder uuid, p_lease interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
BEGIN
    INSERT INTO inbox_turns AS t (agency, holder, until)
    VALUES (p_agency, p_holder, clock_timestamp() + p_lease)
    ON CONFLICT (agency) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE t.holder = excluded.holder OR t.until <= clock_timestamp();
    RETURN FOUND;
END
$$;

CREATE FUNCTION rapport.leave_inbox_turn(p_agency text, p_holder uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    DELETE FROM inbox_turns t WHERE t.agency = p_agency AND t.holder = p_holder
$$;

-- Empties the bodies of every agency's messages that ask for nothing more, after their connection's days;
-- returns how many.  What waits for a mapping keeps its body: it is still to be applied.
CREATE FUNCTION rapport.purge_inbox(p_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    WITH old AS (
        SELECT i.agency, i.message_id FROM inbox i JOIN connections c USING (agency, connection_id)
        WHERE i.sealed IS NOT NULL
          AND i.state IN ('applied', 'ignored', 'unmatched', 'discarded', 'superseded')
          AND i.received_at <= clock_timestamp() - make_interval(days => (c.settings ->> 'keep_days')::integer)
        ORDER BY i.received_at LIMIT p_limit FOR UPDATE OF i SKIP LOCKED
    ), purged AS (
        UPDATE inbox i SET sealed = NULL, plan = NULL, purged_at = clock_timestamp()
        FROM old WHERE i.agency = old.agency AND i.message_id = old.message_id RETURNING 1
    )
    SELECT count(*) FROM purged
$$;

-- What did not fit may fit by now: a person may have recorded what was missing.
CREATE FUNCTION rapport.look_again(p_younger interval) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    WITH asked AS (
        UPDATE inbox i SET state = 'received', settled_at = NULL, attempts = 0, next_at = clock_timestamp()
        WHERE i.state = 'waiting' AND i.needs = 'command' AND i.purged_at IS NULL
          AND i.received_at > clock_timestamp() - p_younger
        RETURNING 1
    )
    SELECT count(*) FROM asked
$$;

REVOKE EXECUTE ON FUNCTION rapport.find_connection, rapport.receive_message, rapport.due_inboxes,
    rapport.take_inbox_turn, rapport.leave_inbox_turn, rapport.purge_inbox, rapport.look_again FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.find_connection, rapport.receive_message, rapport.due_inboxes,
    rapport.take_inbox_turn, rapport.leave_inbox_turn, rapport.purge_inbox, rapport.look_again TO rapport_app;
RESET ROLE;
