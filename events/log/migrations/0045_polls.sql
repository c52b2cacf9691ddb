-- What polls of providers' APIs know: until when a connection was looked at, and which state of a thing was told.
-- Working tables and no log; emptied, a poll tells again what is told already, and nothing is applied twice.
SET LOCAL ROLE rapport_owner;

-- polled_until is when the last poll that went through began; last_polled_at is of any poll.
ALTER TABLE rapport.connections ADD COLUMN polled_until timestamptz, ADD COLUMN poll_failing_since timestamptz;
GRANT UPDATE (polled_until, poll_failing_since) ON rapport.connections TO rapport_app;

-- Keyed digests only: a foreign id may be a name, and a state somebody's words.
CREATE TABLE rapport.polled_states (
    agency text COLLATE "C" NOT NULL,
    connection_id text COLLATE "C" NOT NULL REFERENCES rapport.connections,
    thing bytea NOT NULL,
    state bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (agency, connection_id, thing)
);
ALTER TABLE rapport.polled_states ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_agency ON rapport.polled_states TO rapport_app
    USING (agency = current_setting('rapport.agency', true))
    WITH CHECK (agency = current_setting('rapport.agency', true));
GRANT SELECT, INSERT, UPDATE (state, at) ON rapport.polled_states TO rapport_app;

-- Every agency's connections whose poll is due; none of one without an API address, or that asks for no polls.
-- A poll ends a while after its tick, so what is due within a minute is due.
CREATE FUNCTION rapport.due_polls() RETURNS TABLE (agency text, connection_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT c.agency, c.connection_id
    FROM connections c, LATERAL (SELECT coalesce((c.settings ->> 'poll_minutes')::integer, 15) AS minutes) s
    WHERE c.disabled_at IS NULL AND c.api_base IS NOT NULL AND s.minutes > 0
      AND (c.last_polled_at IS NULL
           OR c.last_polled_at <= clock_timestamp() - make_interval(mins => s.minutes) + interval '1 minute')
    ORDER BY c.last_polled_at NULLS FIRST, c.connection_id
$$;

REVOKE EXECUTE ON FUNCTION rapport.due_polls FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.due_polls TO rapport_app;
RESET ROLE;
