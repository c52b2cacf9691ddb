-- The plain case of append_many in half the statements: all of it is written, or nothing and an error says so.
-- Whatever is not plain raises RP001, or unique_violation for a known command: append_many then judges the same.
SET LOCAL ROLE rapport_owner;

CREATE TYPE rapport.append_plain_result AS (
    position bigint, recorded_at timestamptz, chain_hashes bytea[]
);

-- One agency, streams that exist and stay open, nothing imported, no claims; as many events as there are hashes.
CREATE FUNCTION rapport.append_plain(
    p_agency text,
    p_requests rapport.append_request[],
    p_groups rapport.append_group[],
    p_events rapport.append_event[]
) RETURNS rapport.append_plain_result
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp
-- Plans are made once, while the tables may still be small, and must suit them when they are large.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    v record;
    e append_event;
    r append_plain_result;
    tips bytea[];
    chains bytea[];
    tip bytea;
    number integer := 0;
BEGIN
    -- Locked in sorted order, as append_many does; a row that another held is read as that one left it.
    FOR v IN
        SELECT n.ord::integer AS request, s.chain_hash
        FROM (
            SELECT a.* FROM unnest(p_requests) WITH ORDINALITY
                a (agency, stream, expected, acked, run_epoch, events, closes, late, ord)
            ORDER BY a.stream
        ) n
        CROSS JOIN LATERAL (
            SELECT t.version, t.run_epoch, t.phase, t.chain_hash
            FROM streams t WHERE t.agency = p_agency AND t.stream = n.stream FOR UPDATE
        ) s
        WHERE s.version = n.expected AND s.run_epoch = coalesce(n.run_epoch, 0) AND s.phase = 'live'
    LOOP
        tips[v.request] := v.chain_hash;
        number := number + 1;
    END LOOP;
    IF number <> cardinality(p_requests) THEN
        RAISE EXCEPTION 'some request is not plain' USING ERRCODE = 'RP001';
    END IF;

    number := 0;
    FOREACH e IN ARRAY p_events LOOP
        number := number + 1;
        tip := sha256(tips[e.request] || e.content_hash);
        tips[e.request] := tip;
        chains[number] := tip;
    END LOOP;

    UPDATE streams s
    SET version = n.expected + n.events,
        acked_version = greatest(s.acked_version, least(n.acked, n.expected)),
        chain_hash = n.tip
    FROM unnest(p_requests, tips) n (agency, stream, expected, acked, run_epoch, events, closes, late, tip)
    WHERE s.agency = p_agency AND s.stream = n.stream;

    INSERT INTO receipts (agency, stream, command_id, digest, first, last, outcome)
    SELECT p_agency, n.stream, n.command_id, n.digest, n.first, n.last, n.outcome FROM unnest(p_groups) n;

    -- The last lock: from here to the commit the agency's positions are ours.
    SELECT h.position, h.head_hash INTO r.position, tip FROM log_heads h WHERE h.agency = p_agency FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log has no head yet' USING ERRCODE = 'RP001';
    END IF;
    FOR i IN 1 .. number LOOP
        tip := sha256(tip || chains[i]);
    END LOOP;
    UPDATE log_heads h SET position = r.position + number, head_hash = tip WHERE h.agency = p_agency;
    r.recorded_at := clock_timestamp();

    INSERT INTO events
    SELECT p_agency, r.position + n.ord, n.stream, n.version, n.event_id, n.type, n.schema_version, n.command_id,
           n.causation_id, n.correlation_id, n.actor_kind, n.actor_id, n.source, n.origin, n.policy_digest,
           n.occurred_at, n.decided_at, r.recorded_at, n.body, n.sealed, n.content_hash, n.chain_hash
    FROM unnest(p_events, chains) WITH ORDINALITY n (
        request, agency, stream, version, event_id, type, schema_version, command_id, causation_id,
        correlation_id, actor_kind, actor_id, source, origin, policy_digest, occurred_at, decided_at,
        body, sealed, content_hash, chain_hash, ord);
    PERFORM pg_notify('rapport_log', '');

    r.position := r.position + 1;
    r.chain_hashes := chains;
    RETURN r;
END
$$;

REVOKE EXECUTE ON FUNCTION rapport.append_plain FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.append_plain TO rapport_app;
RESET ROLE;
