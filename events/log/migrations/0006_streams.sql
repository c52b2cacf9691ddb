-- What a writer, an import and the sweep note on a stream's row.
SET LOCAL ROLE rapport_owner;

-- Returns the new epoch, or null while the stream is being imported.
CREATE FUNCTION rapport.open_writer(p_agency text, p_stream text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    INSERT INTO streams AS s (agency, stream, category, run_epoch)
    VALUES (p_agency, p_stream, split_part(p_stream, ':', 1), 1)
    ON CONFLICT (agency, stream) DO UPDATE SET run_epoch = s.run_epoch + 1 WHERE s.phase <> 'importing'
    RETURNING run_epoch
$$;

CREATE FUNCTION rapport.acknowledge(p_agency text, p_stream text, p_version bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    UPDATE streams s SET acked_version = least(p_version, s.version)
    WHERE s.agency = p_agency AND s.stream = p_stream AND s.acked_version < least(p_version, s.version)
$$;

CREATE FUNCTION rapport.mark_poked(p_agency text, p_stream text, p_version bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    UPDATE streams s SET poked_version = least(p_version, s.version)
    WHERE s.agency = p_agency AND s.stream = p_stream AND s.poked_version < least(p_version, s.version)
$$;

-- True when the stream is in phase importing: new, or begun before and not yet live.
CREATE FUNCTION rapport.begin_import(p_agency text, p_stream text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
BEGIN
    INSERT INTO streams (agency, stream, category, phase)
    VALUES (p_agency, p_stream, split_part(p_stream, ':', 1), 'importing')
    ON CONFLICT DO NOTHING;
    RETURN (SELECT s.phase = 'importing' FROM streams s WHERE s.agency = p_agency AND s.stream = p_stream);
END
$$;

CREATE FUNCTION rapport.turn_live(p_agency text, p_stream text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    UPDATE streams s SET phase = 'live'
    WHERE s.agency = p_agency AND s.stream = p_stream AND s.phase = 'importing'
$$;

-- The names only: row-level security hides the rows of other agencies from the application.
CREATE FUNCTION rapport.list_agencies() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT h.agency FROM log_heads h WHERE h.position > 0 ORDER BY h.agency
$$;

-- True when the body under this digest is this one, now or before.
CREATE FUNCTION rapport.save_policy(p_agency text, p_digest text, p_body text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
BEGIN
    INSERT INTO policies (agency, digest, body) VALUES (p_agency, p_digest, p_body) ON CONFLICT DO NOTHING;
    RETURN (SELECT p.body = p_body FROM policies p WHERE p.agency = p_agency AND p.digest = p_digest);
END
$$;

REVOKE EXECUTE ON FUNCTION rapport.open_writer, rapport.acknowledge, rapport.mark_poked, rapport.begin_import,
    rapport.turn_live, rapport.list_agencies, rapport.save_policy FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.open_writer, rapport.acknowledge, rapport.mark_poked, rapport.begin_import,
    rapport.turn_live, rapport.list_agencies, rapport.save_policy TO rapport_app;
GRANT EXECUTE ON FUNCTION rapport.list_agencies TO rapport_projector;
RESET ROLE;
