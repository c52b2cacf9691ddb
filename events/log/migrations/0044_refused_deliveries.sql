-- How often a connection was sent something whose signature did not hold; nothing of what was sent is kept.
SET LOCAL ROLE rapport_owner;

CREATE TABLE rapport.refused_deliveries (
    connection_id text COLLATE "C" PRIMARY KEY REFERENCES rapport.connections,
    agency text COLLATE "C" NOT NULL,
    refused bigint NOT NULL,
    last_at timestamptz NOT NULL
) WITH (fillfactor = 50);

ALTER TABLE rapport.refused_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_agency ON rapport.refused_deliveries TO rapport_app
    USING (agency = current_setting('rapport.agency', true))
    WITH CHECK (agency = current_setting('rapport.agency', true));
GRANT SELECT ON rapport.refused_deliveries TO rapport_app;

-- By the whole id, as a door knows it; an id that is none counts nothing.
CREATE FUNCTION rapport.count_refused(p_connection text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    INSERT INTO refused_deliveries AS r (connection_id, agency, refused, last_at)
    SELECT c.connection_id, c.agency, 1, clock_timestamp() FROM connections c WHERE c.connection_id = p_connection
    ON CONFLICT (connection_id) DO UPDATE SET refused = r.refused + 1, last_at = excluded.last_at
$$;

REVOKE EXECUTE ON FUNCTION rapport.count_refused FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.count_refused TO rapport_app;
RESET ROLE;
