-- When a stream's last poke went, and to which run of its workflow: a version is poked once in each run.
SET LOCAL ROLE rapport_owner;

ALTER TABLE rapport.streams ADD COLUMN poked_at timestamptz, ADD COLUMN poked_run text COLLATE "C";

-- True for one of those who saw the same row; a claim that led to no poke lapses after the lease.
CREATE FUNCTION rapport.claim_poke(
    p_agency text, p_stream text, p_version bigint, p_seen timestamptz, p_lease interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
BEGIN
    UPDATE streams s SET poked_version = p_version, poked_run = NULL, poked_at = clock_timestamp()
    WHERE s.agency = p_agency AND s.stream = p_stream AND s.version >= p_version
      AND s.poked_version <= p_version AND s.poked_at IS NOT DISTINCT FROM p_seen
      AND (s.poked_at IS NULL OR s.poked_run IS NOT NULL OR s.poked_at <= clock_timestamp() - p_lease);
    RETURN FOUND;
END
$$;

DROP FUNCTION rapport.mark_poked(text, text, bigint);

CREATE FUNCTION rapport.mark_poked(p_agency text, p_stream text, p_version bigint, p_run text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    UPDATE streams s
    SET poked_version = least(p_version, s.version), poked_run = p_run, poked_at = clock_timestamp()
    WHERE s.agency = p_agency AND s.stream = p_stream AND s.poked_version <= least(p_version, s.version)
$$;

REVOKE EXECUTE ON FUNCTION rapport.claim_poke, rapport.mark_poked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.claim_poke, rapport.mark_poked TO rapport_app;
RESET ROLE;
