-- For reports: when nobody waited for a promise any more, and the placements that a verdict is about.
SET LOCAL ROLE rapport_projector;
ALTER TABLE rapport_read.obligations ADD COLUMN ended_at timestamptz;
ALTER TABLE rapport_read.contacts ADD COLUMN placements text[] NOT NULL DEFAULT '{}';
RESET ROLE;
