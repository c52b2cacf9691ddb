-- The ledger of what leaves the house: a row is committed before a message is.
SET LOCAL ROLE rapport_owner;

CREATE TYPE rapport.effect_claim AS (
    status text, attempt integer, state text, message_id text, detail text
);

-- Status: go (the caller sends, as this attempt), done (an outcome is known), busy (another attempt is
-- under way), exhausted (unknown after the last attempt).
CREATE FUNCTION rapport.claim_effect(
    p_agency text, p_effect text, p_stream text, p_channel text, p_message text, p_max integer, p_stale interval
) RETURNS rapport.effect_claim
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
DECLARE
    e effects;
BEGIN
    INSERT INTO effects (agency, effect_id, attempt, stream, channel, state, message_id, claimed_at)
    VALUES (p_agency, p_effect, 1, p_stream, p_channel, 'claimed', p_message, clock_timestamp())
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN ROW('go', 1, 'claimed', p_message, NULL)::effect_claim;
    END IF;
    -- Two claims of one effect queue here.
    PERFORM 1 FROM effects x WHERE x.agency = p_agency AND x.effect_id = p_effect AND x.attempt = 1 FOR UPDATE;
    SELECT x.* INTO e FROM effects x
    WHERE x.agency = p_agency AND x.effect_id = p_effect AND x.state IN ('sent', 'failed', 'withheld')
    ORDER BY x.state = 'sent' DESC, x.attempt DESC LIMIT 1;
    IF FOUND THEN
        RETURN ROW('done', e.attempt, e.state, e.message_id, e.detail)::effect_claim;
    END IF;
    SELECT x.* INTO e FROM effects x
    WHERE x.agency = p_agency AND x.effect_id = p_effect ORDER BY x.attempt DESC LIMIT 1;
    IF e.state = 'released' THEN
        UPDATE effects x SET state = 'claimed', claimed_at = clock_timestamp(), finished_at = NULL, detail = NULL
        WHERE x.agency = p_agency AND x.effect_id = p_effect AND x.attempt = e.attempt;
        RETURN ROW('go', e.attempt, 'claimed', e.message_id, NULL)::effect_claim;
    END IF;
    IF e.state = 'claimed' THEN
        IF e.claimed_at + p_stale > clock_timestamp() THEN
            RETURN ROW('busy', e.attempt, e.state, e.message_id, NULL)::effect_claim;
        END IF;
        UPDATE effects x SET state = 'unknown'
        WHERE x.agency = p_agency AND x.effect_id = p_effect AND x.attempt = e.attempt;
    END IF;
    IF e.attempt >= p_max THEN
        RETURN ROW('exhausted', e.attempt, 'unknown', e.message_id, e.detail)::effect_claim;
    END IF;
    INSERT INTO effects (agency, effect_id, attempt, stream, channel, state, message_id, claimed_at)
    VALUES (p_agency, p_effect, e.attempt + 1, e.stream, e.channel, 'claimed', e.message_id, clock_timestamp());
    RETURN ROW('go', e.attempt + 1, 'claimed', e.message_id, NULL)::effect_claim;
END
$$;

-- Returns the state the attempt now has, or null if there is no such attempt.  The first known outcome stays.
CREATE FUNCTION rapport.finish_effect(
    p_agency text, p_effect text, p_attempt integer, p_state text, p_detail text
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
BEGIN
    UPDATE effects x SET state = p_state, finished_at = clock_timestamp(), detail = p_detail
    WHERE x.agency = p_agency AND x.effect_id = p_effect AND x.attempt = p_attempt
      AND (x.state = 'claimed' OR (x.state = 'unknown' AND p_state IN ('sent', 'failed', 'withheld')));
    RETURN (SELECT x.state FROM effects x
            WHERE x.agency = p_agency AND x.effect_id = p_effect AND x.attempt = p_attempt);
END
$$;

REVOKE EXECUTE ON FUNCTION rapport.claim_effect, rapport.finish_effect FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.claim_effect, rapport.finish_effect TO rapport_app;
RESET ROLE;
