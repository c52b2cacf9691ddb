-- Group roles, and the schema that one of them owns.  Roles belong to the whole cluster, so another
-- database's migration may be creating them at this very moment.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rapport_owner', 'rapport_app', 'rapport_projector', 'rapport_eraser'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', name);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        IF NOT (pg_has_role(current_user, name, 'SET') AND pg_has_role(current_user, name, 'USAGE')) THEN
            EXECUTE format('GRANT %I TO %I', name, current_user);
        END IF;
    END LOOP;
END
$$;

ALTER SCHEMA rapport OWNER TO rapport_owner;
ALTER TABLE rapport.migrations OWNER TO rapport_owner;
GRANT USAGE ON SCHEMA rapport TO rapport_app, rapport_projector, rapport_eraser;
GRANT SELECT ON rapport.migrations TO rapport_app, rapport_projector, rapport_eraser;
