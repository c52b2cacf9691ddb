-- How far each follower of an agency's log has come; what it does is idempotent, so this may lag.
SET LOCAL ROLE rapport_owner;

CREATE TABLE rapport.followers (
    agency text COLLATE "C" NOT NULL,
    follower text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (agency, follower)
);

ALTER TABLE rapport.followers ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_agency ON rapport.followers TO rapport_app
    USING (agency = current_setting('rapport.agency', true))
    WITH CHECK (agency = current_setting('rapport.agency', true));
CREATE POLICY all_agencies ON rapport.followers FOR SELECT TO rapport_projector USING (true);
GRANT SELECT, INSERT, UPDATE ON rapport.followers TO rapport_app;
GRANT SELECT ON rapport.followers TO rapport_projector;
RESET ROLE;
