-- What hangs on a connection is of the connection's own agency: by its id alone, a row of another agency's would hang
-- on it too, and a secret that is planted there would stop its door.
SET LOCAL ROLE rapport_owner;

ALTER TABLE rapport.connections ADD CONSTRAINT connections_of_agency UNIQUE (agency, connection_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['connection_secrets', 'external_ids', 'inbox', 'refused_deliveries'] LOOP
        EXECUTE format(
            'ALTER TABLE rapport.%I DROP CONSTRAINT %I, ADD CONSTRAINT %I '
            'FOREIGN KEY (agency, connection_id) REFERENCES rapport.connections (agency, connection_id)',
            name, name || '_connection_id_fkey', name || '_of_connection');
    END LOOP;
END
$$;
RESET ROLE;
