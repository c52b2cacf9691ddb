-- Appends many streams' command groups in one transaction; DECISIONS.md beside this folder says why so.
SET LOCAL ROLE rapport_owner;

-- late: the first command of the request that comes after a closing one and may not.
CREATE TYPE rapport.append_request AS (
    agency text COLLATE "C", stream text COLLATE "C", expected bigint, acked bigint, run_epoch bigint, events integer, closes boolean,
    late text
);
-- needs_open: has an event that a closed stream may not have.
CREATE TYPE rapport.append_group AS (
    request integer, agency text COLLATE "C", stream text COLLATE "C", command_id text, digest bytea, first bigint, last bigint,
    outcome text, needs_open boolean, imported boolean, business boolean
);
CREATE TYPE rapport.append_event AS (
    request integer, agency text COLLATE "C", stream text COLLATE "C", version bigint, event_id uuid, type text, schema_version integer,
    command_id text, causation_id uuid, correlation_id text, actor_kind text, actor_id text, source text,
    origin text, policy_digest text, occurred_at timestamptz, decided_at timestamptz, body text, sealed text,
    content_hash bytea
);
CREATE TYPE rapport.append_claim AS (
    request integer, agency text COLLATE "C", stream text COLLATE "C", command_id text, release boolean, kind text COLLATE "C", key text COLLATE "C"
);
CREATE TYPE rapport.append_result AS (
    status text, version bigint, run_epoch bigint, command_id text, kind text, key text, holder text,
    position bigint, recorded_at timestamptz, chain_hashes bytea[],
    known text[], firsts bigint[], lasts bigint[], outcomes text[]
);

-- One row per request, in order.  Status: appended, known (every group has a receipt), reused, fenced,
-- conflict (the stream is ahead, or some groups have receipts), misplaced (import and phase do not fit),
-- closed, taken.
CREATE FUNCTION rapport.append_many(
    p_requests rapport.append_request[],
    p_groups rapport.append_group[],
    p_events rapport.append_event[],
    p_claims rapport.append_claim[]
) RETURNS SETOF rapport.append_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp
-- Plans are made once, while the tables may still be small, and must suit them when they are large.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    v record;
    r append_result;
    results append_result[];
    good boolean[];
    tips bytea[];
    chains bytea[];
    positions bigint[];
    owners integer[];
    agencies text[] COLLATE "C" := '{}';
    busy text[];
    name text;
    tip bytea;
    place bigint;
    moment timestamptz;
    total integer := 0;
    any_good boolean := false;
    leftovers boolean := false;
BEGIN
    -- Sorted, like every lock below: two batches never wait for each other in a circle.
    INSERT INTO streams (agency, stream, category)
    SELECT q.agency, q.stream, split_part(q.stream, ':', 1)
    FROM unnest(p_requests) q WHERE q.expected = 0
    ORDER BY q.agency, q.stream
    ON CONFLICT DO NOTHING;

    PERFORM l.one
    FROM (SELECT q.agency, q.stream FROM unnest(p_requests) q ORDER BY q.agency, q.stream) q
    CROSS JOIN LATERAL (
        SELECT 1 AS one FROM streams s WHERE s.agency = q.agency AND s.stream = q.stream FOR UPDATE
    ) l;

    IF cardinality(p_claims) > 0 THEN
        -- Claims are judged under the heads' locks, so that two of them never cross.
        INSERT INTO log_heads (agency)
        SELECT DISTINCT q.agency FROM unnest(p_requests) q ORDER BY q.agency
        ON CONFLICT DO NOTHING;
        PERFORM 1 FROM log_heads h
        WHERE h.agency IN (SELECT q.agency FROM unnest(p_requests) q)
        ORDER BY h.agency FOR UPDATE;
    END IF;

    -- A statement of its own, after the locks: it sees what the transactions we waited for have written.
    FOR v IN
        SELECT q.ord::integer AS request, q.agency, q.stream, q.expected, q.run_epoch AS epoch, q.events, q.late,
               coalesce(s.version, 0) AS version, coalesce(s.chain_hash, '') AS chain_hash,
               coalesce(s.run_epoch, 0) AS run_epoch, coalesce(s.phase, 'live') AS phase, g.*
        FROM unnest(p_requests) WITH ORDINALITY
            q (agency, stream, expected, acked, run_epoch, events, closes, late, ord)
        LEFT JOIN LATERAL (
            SELECT t.version, t.chain_hash, t.run_epoch, t.phase
            FROM streams t WHERE t.agency = q.agency AND t.stream = q.stream LIMIT 1
        ) s ON true
        LEFT JOIN (
            SELECT n.request AS of_request, count(*) AS group_count, count(c.first) AS known_count,
                   min(n.command_id) FILTER (WHERE c.digest <> n.digest) AS reused,
                   bool_or(n.imported) AS imported, bool_or(n.business) AS business,
                   (array_agg(n.command_id ORDER BY n.first) FILTER (WHERE n.needs_open))[1] AS needs_open,
                   array_agg(c.command_id) FILTER (WHERE c.first IS NOT NULL) AS known,
                   array_agg(c.first) FILTER (WHERE c.first IS NOT NULL) AS firsts,
                   array_agg(c.last) FILTER (WHERE c.first IS NOT NULL) AS lasts,
                   array_agg(c.outcome) FILTER (WHERE c.first IS NOT NULL) AS outcomes
            FROM unnest(p_groups) n
            LEFT JOIN LATERAL (
                SELECT p.command_id, p.digest, p.first, p.last, p.outcome FROM receipts p
                WHERE p.agency = n.agency AND p.stream = n.stream AND p.command_id = n.command_id LIMIT 1
            ) c ON true
            GROUP BY n.request
        ) g ON g.of_request = q.ord
        ORDER BY q.ord
    LOOP
        r := NULL;
        r.version := v.version;
        IF v.reused IS NOT NULL THEN
            r.status := 'reused';
            r.command_id := v.reused;
        ELSIF v.known_count = v.group_count AND v.group_count > 0 THEN
            r.status := 'known';
        ELSIF coalesce(v.epoch, 0) <> v.run_epoch THEN
            r.status := 'fenced';
            r.run_epoch := v.run_epoch;
        ELSIF v.version <> v.expected OR v.known_count > 0 THEN
            r.status := 'conflict';
        ELSIF (v.phase = 'importing' AND v.business) OR (v.phase <> 'importing' AND v.imported) THEN
            r.status := 'misplaced';
        ELSIF v.phase = 'closed' AND v.needs_open IS NOT NULL THEN
            r.status := 'closed';
            r.command_id := v.needs_open;
        ELSIF v.late IS NOT NULL THEN
            r.status := 'closed';
            r.command_id := v.late;
        ELSE
            r.status := 'appended';
            IF cardinality(p_claims) > 0 THEN
                r := claim_all(r, v.request, p_claims);
            END IF;
        END IF;
        IF v.known_count > 0 THEN
            r.known := v.known;
            r.firsts := v.firsts;
            r.lasts := v.lasts;
            r.outcomes := v.outcomes;
        END IF;
        good[v.request] := r.status = 'appended';
        tips[v.request] := v.chain_hash;
        any_good := any_good OR good[v.request];
        leftovers := leftovers OR (v.expected = 0 AND NOT good[v.request] AND r.status <> 'known');
        IF good[v.request] AND v.events > 0 THEN
            total := total + v.events;
            IF v.agency <> ALL (agencies) THEN
                agencies := agencies || v.agency;
            END IF;
        END IF;
        results[v.request] := r;
    END LOOP;

    IF any_good THEN
        FOR v IN
            SELECT e.ord::integer AS ordinal, e.request, e.agency, e.content_hash
            FROM unnest(p_events) WITH ORDINALITY e (
                request, agency, stream, version, event_id, type, schema_version, command_id, causation_id,
                correlation_id, actor_kind, actor_id, source, origin, policy_digest, occurred_at, decided_at,
                body, sealed, content_hash, ord)
            ORDER BY e.ord
        LOOP
            IF good[v.request] THEN
                tips[v.request] := sha256(tips[v.request] || v.content_hash);
                chains[v.ordinal] := tips[v.request];
                owners[v.ordinal] := v.request;
                busy[v.ordinal] := v.agency;
            ELSE
                chains[v.ordinal] := NULL;
                owners[v.ordinal] := NULL;
                busy[v.ordinal] := NULL;
            END IF;
        END LOOP;

        UPDATE streams s
        SET version = q.expected + q.events,
            acked_version = greatest(s.acked_version, least(q.acked, q.expected)),
            chain_hash = q.tip,
            phase = CASE WHEN q.closes THEN 'closed' ELSE s.phase END
        FROM unnest(p_requests, good, tips)
            q (agency, stream, expected, acked, run_epoch, events, closes, late, good, tip)
        WHERE q.good AND s.agency = q.agency AND s.stream = q.stream;

        INSERT INTO receipts (agency, stream, command_id, digest, first, last, outcome)
        SELECT n.agency, n.stream, n.command_id, n.digest, n.first, n.last, n.outcome
        FROM unnest(p_groups) n WHERE good[n.request];
    END IF;

    IF total > 0 THEN
        IF cardinality(agencies) > 1 THEN
            agencies := ARRAY(SELECT a FROM unnest(agencies) a ORDER BY a COLLATE "C");
        END IF;
        -- The last locks: from here to the commit the agency's positions are ours.
        FOREACH name IN ARRAY agencies LOOP
            SELECT h.position, h.head_hash INTO place, tip FROM log_heads h WHERE h.agency = name FOR UPDATE;
            IF NOT FOUND THEN
                INSERT INTO log_heads (agency) VALUES (name) ON CONFLICT DO NOTHING;
                SELECT h.position, h.head_hash INTO place, tip FROM log_heads h WHERE h.agency = name FOR UPDATE;
            END IF;
            FOR i IN 1 .. cardinality(owners) LOOP
                IF busy[i] = name THEN
                    place := place + 1;
                    positions[i] := place;
                    tip := sha256(tip || chains[i]);
                END IF;
            END LOOP;
            UPDATE log_heads h SET position = place, head_hash = tip WHERE h.agency = name;
        END LOOP;
        moment := clock_timestamp();

        INSERT INTO events
        SELECT e.agency, e.position, e.stream, e.version, e.event_id, e.type, e.schema_version, e.command_id,
               e.causation_id, e.correlation_id, e.actor_kind, e.actor_id, e.source, e.origin, e.policy_digest,
               e.occurred_at, e.decided_at, moment, e.body, e.sealed, e.content_hash, e.chain_hash
        FROM unnest(p_events, positions, chains) e (
            request, agency, stream, version, event_id, type, schema_version, command_id, causation_id,
            correlation_id, actor_kind, actor_id, source, origin, policy_digest, occurred_at, decided_at,
            body, sealed, content_hash, position, chain_hash)
        WHERE e.chain_hash IS NOT NULL;
        PERFORM pg_notify('rapport_log', '');
    END IF;

    IF leftovers THEN
        -- A refused first append leaves no trace of its stream.
        DELETE FROM streams s USING unnest(p_requests) q
        WHERE q.expected = 0 AND s.agency = q.agency AND s.stream = q.stream
          AND s.version = 0 AND s.run_epoch = 0 AND s.phase = 'live'
          AND NOT EXISTS (SELECT FROM receipts c WHERE c.agency = s.agency AND c.stream = s.stream);
    END IF;

    FOR i IN 1 .. coalesce(cardinality(owners), 0) LOOP
        IF owners[i] IS NOT NULL THEN
            r := results[owners[i]];
            r.position := coalesce(r.position, positions[i]);
            r.recorded_at := moment;
            r.chain_hashes := r.chain_hashes || chains[i];
            results[owners[i]] := r;
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM unnest(results);
END
$$;

-- Gives a request what it claims and frees what it releases, or says who holds it.
CREATE FUNCTION rapport.claim_all(r rapport.append_result, p_request integer, p_claims rapport.append_claim[])
RETURNS rapport.append_result
LANGUAGE plpgsql SET search_path = pg_catalog, rapport, pg_temp AS $$
DECLARE
    c record;
BEGIN
    SELECT w.command_id, w.kind, w.key, h.stream AS holder INTO c
    FROM unnest(p_claims) WITH ORDINALITY w (request, agency, stream, command_id, release, kind, key, ord)
    JOIN reservations h ON h.agency = w.agency AND h.kind = w.kind AND h.key = w.key
    WHERE w.request = p_request AND NOT w.release AND h.stream <> w.stream
    ORDER BY w.ord LIMIT 1;
    IF FOUND THEN
        r.status := 'taken';
        r.command_id := c.command_id;
        r.kind := c.kind;
        r.key := c.key;
        r.holder := c.holder;
        RETURN r;
    END IF;
    FOR c IN
        SELECT w.* FROM unnest(p_claims) WITH ORDINALITY
            w (request, agency, stream, command_id, release, kind, key, ord)
        WHERE w.request = p_request ORDER BY w.ord
    LOOP
        IF c.release THEN
            DELETE FROM reservations h
            WHERE h.agency = c.agency AND h.kind = c.kind AND h.key = c.key AND h.stream = c.stream;
        ELSE
            INSERT INTO reservations (agency, kind, key, stream) VALUES (c.agency, c.kind, c.key, c.stream)
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
    RETURN r;
END
$$;

REVOKE EXECUTE ON FUNCTION rapport.append_many, rapport.claim_all FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.append_many TO rapport_app;
RESET ROLE;
