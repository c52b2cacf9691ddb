-- Who may see what: the application one agency at a time, the projector all, the eraser keys only.
SET LOCAL ROLE rapport_owner;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'log_heads', 'streams', 'events', 'receipts', 'reservations', 'effects', 'policies', 'keys'
    ] LOOP
        EXECUTE format('ALTER TABLE rapport.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_agency ON rapport.%I TO rapport_app '
            'USING (agency = current_setting(''rapport.agency'', true)) '
            'WITH CHECK (agency = current_setting(''rapport.agency'', true))', name);
        EXECUTE format('GRANT SELECT ON rapport.%I TO rapport_app', name);
        IF name <> 'keys' THEN
            EXECUTE format('CREATE POLICY all_agencies ON rapport.%I FOR SELECT TO rapport_projector USING (true)', name);
            EXECUTE format('GRANT SELECT ON rapport.%I TO rapport_projector', name);
        END IF;
    END LOOP;
END
$$;

CREATE POLICY all_agencies ON rapport.keys TO rapport_eraser USING (true) WITH CHECK (true);
GRANT INSERT ON rapport.keys TO rapport_app;
GRANT SELECT, INSERT, UPDATE (kek_id, wrapped, destroyed_at) ON rapport.keys TO rapport_eraser;
RESET ROLE;
