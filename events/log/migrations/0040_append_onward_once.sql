-- append_onward as before, but a single event's link is computed once: the update of its stream hands it back.
SET LOCAL ROLE rapport_owner;

CREATE OR REPLACE FUNCTION rapport.append_onward(
    p_agency text,
    p_requests rapport.onward_request[],
    p_groups rapport.onward_group[],
    p_events rapport.onward_event[]
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
    v record;
    r append_plain_result;
    tip bytea;
    chains bytea[];
    links bytea := '';
    number integer := 0;
    total integer := cardinality(p_events);
BEGIN
    -- In sorted order, as append_many locks.  Found by name, updated by place: a join of the two by name may read
    -- every stream of the agency.  Who changed a row meanwhile has moved it, and then it is not found.
    FOR v IN
        UPDATE streams s
        SET version = n.expected + length(n.hashes) / 32,
            acked_version = greatest(s.acked_version, least(n.acked, n.expected)),
            -- Nearly always one: spares the call of a function.
            chain_hash = CASE length(n.hashes)
                WHEN 32 THEN sha256(n.chain_hash || n.hashes) ELSE chained(n.chain_hash, n.hashes)
            END
        FROM (
            SELECT a.*, l.ctid AS at, l.chain_hash
            FROM unnest(p_requests) a
            CROSS JOIN LATERAL (
                SELECT t.ctid, t.chain_hash FROM streams t
                WHERE t.agency = p_agency AND t.stream = a.stream AND t.version = a.expected LIMIT 1
            ) l
            ORDER BY a.stream
        ) n
        WHERE s.ctid = n.at AND s.version = n.expected AND s.run_epoch = n.run_epoch AND s.phase = 'live'
        RETURNING n.place, n.chain_hash, n.hashes, s.chain_hash AS moved
    LOOP
        number := number + 1;
        IF length(v.hashes) = 32 THEN
            chains[v.place] := v.moved;
            CONTINUE;
        END IF;
        tip := v.chain_hash;
        FOR i IN 0 .. length(v.hashes) / 32 - 1 LOOP
            tip := sha256(tip || substr(v.hashes, i * 32 + 1, 32));
            chains[v.place + i] := tip;
        END LOOP;
    END LOOP;
    IF number <> cardinality(p_requests) THEN
        RAISE EXCEPTION 'some request is not plain' USING ERRCODE = 'RP001';
    END IF;

    INSERT INTO receipts (agency, stream, command_id, digest, first, last, outcome)
    SELECT p_agency, n.stream, n.command_id, n.digest, n.first, n.last, n.outcome FROM unnest(p_groups) n;

    FOR i IN 1 .. total LOOP
        links := links || chains[i];
    END LOOP;
    -- The last lock: from here to the commit the agency's positions are ours.
    UPDATE log_heads h SET position = h.position + total, head_hash = chained(h.head_hash, links)
    WHERE h.agency = p_agency
    RETURNING h.position - total + 1 INTO r.position;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the log has no head yet' USING ERRCODE = 'RP001';
    END IF;
    r.recorded_at := clock_timestamp();
    r.chain_hashes := chains;

    INSERT INTO events
    SELECT p_agency, r.position + n.ord - 1, n.stream, n.version, n.event_id, n.type, n.schema_version,
           n.command_id, n.causation_id, n.correlation_id, n.actor_kind, n.actor_id, n.source, n.origin,
           n.policy_digest, n.occurred_at, n.decided_at, r.recorded_at, n.body, n.sealed, n.content_hash, n.chain_hash
    FROM unnest(p_events, chains) WITH ORDINALITY n (
        stream, version, event_id, type, schema_version, command_id, causation_id, correlation_id, actor_kind,
        actor_id, source, origin, policy_digest, occurred_at, decided_at, body, sealed, content_hash,
        chain_hash, ord);
    PERFORM pg_notify('rapport_log', '');
    RETURN r;
END
$$;
RESET ROLE;
