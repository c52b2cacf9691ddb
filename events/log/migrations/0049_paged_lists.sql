-- A page of promises' next steps, or of messages, begins where the last one ended; by code point, as everybody else sorts.
SET LOCAL ROLE rapport_projector;
CREATE INDEX ON rapport_read.obligations
    (agency, next_at, stream, rule COLLATE "C", subject COLLATE "C", obligation_id)
    WHERE outcome IN ('open', 'overdue') AND next_at IS NOT NULL;
-- What falls due at one moment is owed at one moment: very many messages may be alike in when.
CREATE INDEX ON rapport_read.outreach (agency, requested_at, effect_id);
-- The one before it holds nothing more; a rebuild may have given it another name.
DO $$
DECLARE
    former regclass;
BEGIN
    FOR former IN
        SELECT indexrelid FROM pg_catalog.pg_index
        WHERE indrelid = 'rapport_read.outreach'::regclass
          AND pg_catalog.pg_get_indexdef(indexrelid) LIKE '%(agency, requested_at)'
    LOOP
        EXECUTE format('DROP INDEX %s', former);
    END LOOP;
END
$$;
RESET ROLE;
