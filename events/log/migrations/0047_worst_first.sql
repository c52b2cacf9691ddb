-- A page of open promises, the worst first, begins where the last one ended.  What they are ordered by runs one way, as
-- an index does; a minus in the query would not do, because row-level security keeps it out of the index.
SET LOCAL ROLE rapport_projector;
ALTER TABLE rapport_read.obligations ADD COLUMN worst_first integer NOT NULL GENERATED ALWAYS AS (-level) STORED;
-- By code point, as everybody else sorts.
CREATE INDEX ON rapport_read.obligations (agency, worst_first, due_at, stream, rule COLLATE "C", obligation_id)
    WHERE outcome IN ('open', 'overdue');
-- For whoever owes few of very many.
CREATE INDEX ON rapport_read.obligations (agency, owner) WHERE outcome IN ('open', 'overdue');
RESET ROLE;
