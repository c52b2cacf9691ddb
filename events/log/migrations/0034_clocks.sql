-- The clock that a stream's writer goes by: who starts it anew, after Temporal's data was lost, cannot know.
SET LOCAL ROLE rapport_owner;

ALTER TABLE rapport.streams ADD COLUMN clock text;

-- As open_writer with two arguments; the first clock that a writer brings stays.
CREATE FUNCTION rapport.open_writer(p_agency text, p_stream text, p_clock text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    INSERT INTO streams AS s (agency, stream, category, run_epoch, clock)
    VALUES (p_agency, p_stream, split_part(p_stream, ':', 1), 1, p_clock)
    ON CONFLICT (agency, stream) DO UPDATE
    SET run_epoch = s.run_epoch + 1, clock = coalesce(s.clock, excluded.clock)
    WHERE s.phase <> 'importing'
    RETURNING run_epoch
$$;

REVOKE EXECUTE ON FUNCTION rapport.open_writer(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.open_writer(text, text, text) TO rapport_app;
RESET ROLE;
