-- append_onward with less to do a call: readers are told only where the caller wants it, requests come sorted, and no
-- constraint is made ready anew at each call.
SET LOCAL ROLE rapport_owner;

-- Where a chain ends once these links are added to it.
CREATE FUNCTION rapport.linked(tip bytea, links bytea[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    link bytea;
BEGIN
    FOREACH link IN ARRAY links LOOP
        tip := sha256(tip || link);
    END LOOP;
    RETURN tip;
END
$$;

-- p_requests: sorted by stream.  p_tell: whether to notify those who follow the log; if not, the caller does, later.
CREATE FUNCTION rapport.append_onward(
    p_agency text,
    p_requests rapport.onward_request[],
    p_groups rapport.onward_group[],
    p_events rapport.onward_event[],
    p_tell boolean
) RETURNS rapport.append_plain_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp
-- Plans are made once, while the tables may still be small, and must suit them when they are large.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    q onward_request;
    r append_plain_result;
    tip bytea;
    chains bytea[];
    total integer := cardinality(p_events);
BEGIN
    -- In the order given, which is sorted, as append_many locks.  Who finds no row as expected writes nothing at all.
    FOREACH q IN ARRAY p_requests LOOP
        IF length(q.hashes) = 32 THEN
            UPDATE streams s
            SET version = s.version + 1, acked_version = greatest(s.acked_version, least(q.acked, q.expected)),
                chain_hash = sha256(s.chain_hash || q.hashes)
            WHERE s.agency = p_agency AND s.stream = q.stream
              AND s.version = q.expected AND s.run_epoch = q.run_epoch AND s.phase = 'live'
            RETURNING s.chain_hash INTO tip;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'some request is not plain' USING ERRCODE = 'RP001';
            END IF;
            chains[q.place] := tip;
            CONTINUE;
        END IF;
        SELECT s.chain_hash INTO tip FROM streams s
        WHERE s.agency = p_agency AND s.stream = q.stream
          AND s.version = q.expected AND s.run_epoch = q.run_epoch AND s.phase = 'live' FOR UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'some request is not plain' USING ERRCODE = 'RP001';
        END IF;
        FOR i IN 0 .. length(q.hashes) / 32 - 1 LOOP
            tip := sha256(tip || substr(q.hashes, i * 32 + 1, 32));
            chains[q.place + i] := tip;
        END LOOP;
        UPDATE streams s
        SET version = q.expected + length(q.hashes) / 32,
            acked_version = greatest(s.acked_version, least(q.acked, q.expected)), chain_hash = tip
        WHERE s.agency = p_agency AND s.stream = q.stream;
    END LOOP;

    INSERT INTO receipts (agency, stream, command_id, digest, first, last, outcome)
    SELECT p_agency, n.stream, n.command_id, n.digest, n.first, n.last, n.outcome FROM unnest(p_groups) n;

    -- The last lock: from here to the commit the agency's positions are ours.
    UPDATE log_heads h SET position = h.position + total, head_hash = linked(h.head_hash, chains)
    WHERE h.agency = p_agency
    RETURNING h.position - total + 1 INTO r.position;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log has no head yet' USING ERRCODE = 'RP001';
    END IF;
    r.recorded_at := clock_timestamp();
    r.chain_hashes := chains;

    INSERT INTO events
    SELECT p_agency, r.position + n.ord - 1, n.stream, n.version, n.event_id, n.type, n.schema_version,
           n.command_id, n.causation_id, n.correlation_id, n.actor_kind, n.actor_id, n.source,
           -- Another word becomes null, which the column refuses.
           CASE WHEN n.origin IN ('business', 'engine') THEN n.origin END,
           n.policy_digest, n.occurred_at, n.decided_at, r.recorded_at, n.body, n.sealed, n.content_hash, chains[n.ord]
    FROM unnest(p_events) WITH ORDINALITY n (
        stream, version, event_id, type, schema_version, command_id, causation_id, correlation_id, actor_kind,
        actor_id, source, origin, policy_digest, occurred_at, decided_at, body, sealed, content_hash, ord);
    IF p_tell THEN
        PERFORM pg_notify('rapport_log', '');
    END IF;
    RETURN r;
END
$$;

-- What workers that still run call: the first goes on as the new one, the second sends them to append_many.
CREATE OR REPLACE FUNCTION rapport.append_onward(
    p_agency text,
    p_requests rapport.onward_request[],
    p_groups rapport.onward_group[],
    p_events rapport.onward_event[]
) RETURNS rapport.append_plain_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp
AS $$
BEGIN
    RETURN append_onward(
        p_agency, ARRAY(SELECT n FROM unnest(p_requests) n ORDER BY n.stream), p_groups, p_events, true);
END
$$;

CREATE OR REPLACE FUNCTION rapport.append_plain(
    p_agency text,
    p_requests rapport.append_request[],
    p_groups rapport.append_group[],
    p_events rapport.append_event[]
) RETURNS rapport.append_plain_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'this way is closed; append_many is open' USING ERRCODE = 'RP001';
END
$$;

-- Nobody calls it any more.
DROP FUNCTION rapport.chained(bytea, bytea);

ALTER FUNCTION rapport.append_many RENAME TO append_judged;

CREATE FUNCTION rapport.append_many(
    p_requests rapport.append_request[],
    p_groups rapport.append_group[],
    p_events rapport.append_event[],
    p_claims rapport.append_claim[]
) RETURNS SETOF rapport.append_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(p_events) n WHERE n.origin IS NULL OR n.origin NOT IN ('business', 'engine', 'imported')
    ) THEN
        RAISE EXCEPTION 'an event comes from business, engine or imported' USING ERRCODE = 'check_violation';
    END IF;
    RETURN QUERY SELECT * FROM append_judged(p_requests, p_groups, p_events, p_claims);
END
$$;

REVOKE EXECUTE ON FUNCTION rapport.linked, rapport.append_many FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION rapport.append_onward(
    text, rapport.onward_request[], rapport.onward_group[], rapport.onward_event[], boolean) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION rapport.append_judged FROM rapport_app;
GRANT EXECUTE ON FUNCTION rapport.append_many TO rapport_app;
GRANT EXECUTE ON FUNCTION rapport.append_onward(
    text, rapport.onward_request[], rapport.onward_group[], rapport.onward_event[], boolean) TO rapport_app;

-- PostgreSQL reads a CHECK's text again for every statement, which cost a twentieth of an append.  Phases are written by
-- these functions alone, as words of their own; origins come from outside and are checked where they come in.
-- Last of all: from here on nobody reads or appends until the commit.
ALTER TABLE rapport.streams DROP CONSTRAINT streams_phase_check;
ALTER TABLE rapport.events DROP CONSTRAINT events_origin_check;
RESET ROLE;
