-- What waits for a rule and is older than its connection's days is read again now and then: what no mapping names and
-- is about nobody of ours ends there.  All else waits on.
SET LOCAL ROLE rapport_owner;

CREATE FUNCTION rapport.look_at_old(p_again interval) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    WITH asked AS (
        UPDATE inbox i SET state = 'received', settled_at = NULL, attempts = 0, next_at = clock_timestamp()
        FROM connections c
        WHERE c.agency = i.agency AND c.connection_id = i.connection_id
          AND i.state = 'waiting' AND i.needs = 'mapping' AND i.purged_at IS NULL
          AND i.settled_at <= clock_timestamp() - p_again
          AND i.received_at <= clock_timestamp() - make_interval(days => (c.settings ->> 'keep_days')::integer)
        RETURNING 1
    )
    SELECT count(*) FROM asked
$$;

REVOKE EXECUTE ON FUNCTION rapport.look_at_old FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.look_at_old TO rapport_app;
RESET ROLE;
