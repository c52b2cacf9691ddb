-- What waits to reach one person together: ids, times, codes and the policy's own words, nothing personal.
SET LOCAL ROLE rapport_owner;

-- A digest takes in newcomers until closed_at; taken_until is a sender's lease, and only saves work:
-- what may leave is decided by the ledger of effects.
CREATE TABLE rapport.digests (
    agency text COLLATE "C" NOT NULL,
    digest_id text COLLATE "C" NOT NULL,
    person_id text COLLATE "C" NOT NULL,
    opened_at timestamptz NOT NULL,
    ripe_at timestamptz NOT NULL,
    size integer NOT NULL DEFAULT 0,
    closed_at timestamptz,
    taken_until timestamptz,
    PRIMARY KEY (agency, digest_id)
);
CREATE UNIQUE INDEX digests_open ON rapport.digests (agency, person_id) WHERE closed_at IS NULL;

-- Gone once its effect has an outcome: the ledger keeps that.
CREATE TABLE rapport.digest_entries (
    agency text COLLATE "C" NOT NULL,
    effect_id text COLLATE "C" NOT NULL,
    digest_id text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (agency, effect_id)
);
CREATE INDEX digest_entries_by_digest ON rapport.digest_entries (agency, digest_id);

CREATE TYPE rapport.digest_place AS (digest_id text, person_id text, ripe_in interval);

CREATE FUNCTION rapport.is_settled(p_agency text, p_effect text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT EXISTS (SELECT FROM effects x WHERE x.agency = p_agency AND x.effect_id = p_effect
                   AND x.state IN ('sent', 'failed', 'withheld'))
$$;

CREATE FUNCTION rapport.leave_digest(p_agency text, p_effect text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
DECLARE
    d digests;
BEGIN
    SELECT h.* INTO d FROM digest_entries y JOIN digests h USING (agency, digest_id)
    WHERE y.agency = p_agency AND y.effect_id = p_effect FOR UPDATE OF h;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM digest_entries y WHERE y.agency = p_agency AND y.effect_id = p_effect;
    UPDATE digests h SET size = h.size - 1 WHERE h.agency = p_agency AND h.digest_id = d.digest_id;
    DELETE FROM digests h WHERE h.agency = p_agency AND h.digest_id = d.digest_id AND NOT EXISTS (
        SELECT FROM digest_entries y WHERE y.agency = h.agency AND y.digest_id = h.digest_id);
END
$$;

-- Null: the effect has been tried by itself, and goes on so.  An entry that nobody has tried to send moves
-- to the digest of whoever it reaches now.
CREATE FUNCTION rapport.join_digest(
    p_agency text, p_person text, p_effect text, p_stream text, p_note text, p_digest text,
    p_window interval, p_largest integer
) RETURNS rapport.digest_place
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
DECLARE
    d digests;
    entered boolean;
    tried boolean;
BEGIN
    SELECT h.* INTO d FROM digest_entries y JOIN digests h USING (agency, digest_id)
    WHERE y.agency = p_agency AND y.effect_id = p_effect FOR UPDATE OF h;
    entered := FOUND;
    tried := EXISTS (SELECT FROM effects x WHERE x.agency = p_agency AND x.effect_id = p_effect);
    IF tried AND NOT entered THEN
        RETURN NULL;
    END IF;
    IF entered AND (tried OR d.person_id = p_person OR d.taken_until > clock_timestamp()) THEN
        RETURN ROW(d.digest_id, d.person_id, greatest(d.ripe_at - clock_timestamp(), '0'::interval))::digest_place;
    END IF;
    IF entered THEN
        PERFORM leave_digest(p_agency, p_effect);
    END IF;
    LOOP
        SELECT h.* INTO d FROM digests h
        WHERE h.agency = p_agency AND h.person_id = p_person AND h.closed_at IS NULL FOR UPDATE;
        EXIT WHEN FOUND;
        IF EXISTS (SELECT FROM digests h WHERE h.agency = p_agency AND h.digest_id = p_digest) THEN
            p_digest := gen_random_uuid()::text;
        END IF;
        INSERT INTO digests (agency, digest_id, person_id, opened_at, ripe_at)
        VALUES (p_agency, p_digest, p_person, clock_timestamp(), clock_timestamp() + p_window)
        ON CONFLICT DO NOTHING;
    END LOOP;
    INSERT INTO digest_entries (agency, effect_id, digest_id, stream, note)
    VALUES (p_agency, p_effect, d.digest_id, p_stream, p_note) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        UPDATE digests h
        SET size = h.size + 1, closed_at = CASE WHEN h.size + 1 >= p_largest THEN clock_timestamp() END
        WHERE h.agency = p_agency AND h.digest_id = d.digest_id;
    END IF;
    RETURN ROW(d.digest_id, d.person_id, greatest(d.ripe_at - clock_timestamp(), '0'::interval))::digest_place;
END
$$;

-- True: the caller has it for so long, and nobody joins any more.
CREATE FUNCTION rapport.take_digest(p_agency text, p_digest text, p_lease interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
BEGIN
    UPDATE digests h
    SET closed_at = coalesce(h.closed_at, clock_timestamp()), taken_until = clock_timestamp() + p_lease
    WHERE h.agency = p_agency AND h.digest_id = p_digest AND h.ripe_at <= clock_timestamp()
      AND coalesce(h.taken_until <= clock_timestamp(), true);
    RETURN FOUND;
END
$$;

-- One claim for all: either every unsettled entry is claimed as the same attempt, or none is.
CREATE FUNCTION rapport.claim_digest(
    p_agency text, p_digest text, p_channel text, p_message text, p_max integer, p_stale interval
) RETURNS rapport.effect_claim
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
DECLARE
    y record;
    c effect_claim;
    whole effect_claim;
BEGIN
    PERFORM 1 FROM digests h WHERE h.agency = p_agency AND h.digest_id = p_digest FOR UPDATE;
    FOR y IN SELECT x.effect_id, x.stream FROM digest_entries x
             WHERE x.agency = p_agency AND x.digest_id = p_digest ORDER BY x.effect_id LOOP
        c := claim_effect(p_agency, y.effect_id, y.stream, p_channel, p_message, p_max, p_stale);
        CONTINUE WHEN c.status = 'done';
        IF whole.status IS NULL THEN
            whole := c;
        ELSIF (c.status, c.attempt) IS DISTINCT FROM (whole.status, whole.attempt) THEN
            RAISE EXCEPTION 'the entries are out of step' USING ERRCODE = 'RP010';
        END IF;
    END LOOP;
    IF whole.status IS NULL THEN
        RETURN ROW('done', 0, 'withheld', p_message, NULL)::effect_claim;
    END IF;
    RETURN whole;
EXCEPTION WHEN SQLSTATE 'RP010' THEN
    -- What was claimed here is undone; one that is sent by itself, or grows stale first, settles soon.
    RETURN ROW('busy', whole.attempt, 'claimed', p_message, NULL)::effect_claim;
END
$$;

-- Records what became of each entry, and lets nobody take what is left for so long.
CREATE FUNCTION rapport.finish_digest(
    p_agency text, p_digest text, p_attempt integer, p_effects text[], p_states text[], p_details text[],
    p_pause interval
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
BEGIN
    PERFORM 1 FROM digests h WHERE h.agency = p_agency AND h.digest_id = p_digest FOR UPDATE;
    PERFORM finish_effect(p_agency, u.effect, p_attempt, u.state, u.detail)
    FROM unnest(p_effects, p_states, p_details) AS u (effect, state, detail);
    DELETE FROM digest_entries y
    WHERE y.agency = p_agency AND y.digest_id = p_digest AND is_settled(p_agency, y.effect_id);
    UPDATE digests h SET taken_until = clock_timestamp() + p_pause
    WHERE h.agency = p_agency AND h.digest_id = p_digest;
    DELETE FROM digests h WHERE h.agency = p_agency AND h.digest_id = p_digest AND NOT EXISTS (
        SELECT FROM digest_entries y WHERE y.agency = h.agency AND y.digest_id = h.digest_id);
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['digests', 'digest_entries'] LOOP
        EXECUTE format('ALTER TABLE rapport.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_agency ON rapport.%I TO rapport_app '
            'USING (agency = current_setting(''rapport.agency'', true)) '
            'WITH CHECK (agency = current_setting(''rapport.agency'', true))', name);
        EXECUTE format('CREATE POLICY all_agencies ON rapport.%I FOR SELECT TO rapport_projector USING (true)', name);
        EXECUTE format('GRANT SELECT ON rapport.%I TO rapport_app, rapport_projector', name);
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION rapport.is_settled, rapport.leave_digest, rapport.join_digest, rapport.take_digest,
    rapport.claim_digest, rapport.finish_digest FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.leave_digest, rapport.join_digest, rapport.take_digest, rapport.claim_digest,
    rapport.finish_digest TO rapport_app;
RESET ROLE;
