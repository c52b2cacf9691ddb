-- The past is not open to change, not even for the owner.
SET LOCAL ROLE rapport_owner;

CREATE FUNCTION rapport.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: the log is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['events', 'receipts', 'policies'] LOOP
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rapport.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION rapport.refuse_change()', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON rapport.%I FROM rapport_owner, PUBLIC', name);
    END LOOP;
END
$$;
RESET ROLE;
