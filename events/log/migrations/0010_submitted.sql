-- Who was presented for a job order that is opened only now: found without reading the whole log.
-- Of one type only, so that no other event pays for it when it is appended.
SET LOCAL ROLE rapport_owner;
CREATE INDEX events_submitted ON rapport.events (agency, position) WHERE type = 'submitted';
RESET ROLE;
