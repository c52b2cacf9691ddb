-- Read models: computed from the log, thrown away and built anew by whoever owns them, the projector.
-- A schema of its own, because the projector may create tables here and nowhere else.
CREATE SCHEMA rapport_read AUTHORIZATION rapport_projector;
SET LOCAL ROLE rapport_projector;
GRANT USAGE ON SCHEMA rapport_read TO rapport_app;

-- One row: which projector is at work.  A newer epoch fences an older one out of every table.
CREATE TABLE rapport_read.projector (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL DEFAULT 0,
    holder uuid,
    seen_at timestamptz
);
INSERT INTO rapport_read.projector DEFAULT VALUES;
GRANT SELECT ON rapport_read.projector TO rapport_app;

-- Written in the transaction that writes the rows: a table is always the fold up to its position.
CREATE TABLE rapport_read.checkpoints (
    projection text COLLATE "C" NOT NULL,
    agency text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    epoch bigint NOT NULL,
    edition integer NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, agency)
) WITH (fillfactor = 50);

-- A stream whose event cannot be projected: its rows stay as they were before it, the others go on.
CREATE TABLE rapport_read.parked (
    projection text COLLATE "C" NOT NULL,
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    version bigint NOT NULL,
    event_id uuid NOT NULL,
    says text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    retry boolean NOT NULL DEFAULT false,
    PRIMARY KEY (projection, agency, stream)
);

-- One row an engagement.
CREATE TABLE rapport_read.board (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    candidate_id text NOT NULL,
    stage text NOT NULL,
    moves text NOT NULL,
    paused_until timestamptz,
    owner text,
    team text[] NOT NULL,
    level integer NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    opened_at timestamptz,
    decided_at timestamptz NOT NULL,
    last_contact_at timestamptz,
    next_step_at timestamptz,
    next_due_at timestamptz,
    waiting_since timestamptz,
    open_obligations integer NOT NULL,
    overdue_obligations integer NOT NULL,
    attempts_since_contact integer NOT NULL,
    live_submissions integer NOT NULL,
    policy_digest text,
    PRIMARY KEY (agency, stream)
);
CREATE INDEX ON rapport_read.board (agency, owner);

-- One row an obligation: its whole life, and the events that tell it.
CREATE TABLE rapport_read.obligations (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    obligation_id uuid NOT NULL,
    rule text NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    mode text NOT NULL,
    owner_role text NOT NULL,
    awaits text NOT NULL,
    outcome text NOT NULL,
    stage text NOT NULL,
    opened_owner text,
    owner text,
    breach_owner text,
    since timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    calendar text,
    moves integer NOT NULL,
    level integer NOT NULL,
    raised uuid[] NOT NULL,
    met_at timestamptz,
    known_at timestamptz,
    timely boolean,
    late_seconds double precision,
    excused text,
    dropped text,
    superseded_by uuid,
    opening_position bigint NOT NULL,
    opening_event uuid NOT NULL,
    breach_position bigint,
    breach_event uuid,
    meeting_position bigint,
    meeting_event uuid,
    excusing_position bigint,
    excusing_event uuid,
    dropping_position bigint,
    dropping_event uuid,
    next_at timestamptz,
    next_rung integer,
    next_do text,
    next_level integer,
    next_to text,
    next_template text,
    steps_ahead integer NOT NULL,
    PRIMARY KEY (agency, stream, obligation_id)
);
CREATE INDEX ON rapport_read.obligations (agency, due_at) WHERE outcome IN ('open', 'overdue');
CREATE INDEX ON rapport_read.obligations (agency, opened_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['checkpoints', 'parked', 'board', 'obligations'] LOOP
        EXECUTE format('ALTER TABLE rapport_read.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_agency ON rapport_read.%I FOR SELECT TO rapport_app '
            'USING (agency = current_setting(''rapport.agency'', true))', name);
        EXECUTE format('GRANT SELECT ON rapport_read.%I TO rapport_app', name);
    END LOOP;
END
$$;

-- Asks the projector to try parked streams again; null asks for every stream, or every projection.
CREATE FUNCTION rapport_read.ask_retry(p_agency text, p_projection text, p_stream text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport_read, pg_temp AS $$
    WITH asked AS (
        UPDATE parked p SET retry = true
        WHERE p.agency = p_agency AND p.agency = current_setting('rapport.agency', true)
          AND (p_projection IS NULL OR p.projection = p_projection)
          AND (p_stream IS NULL OR p.stream = p_stream)
        RETURNING 1
    )
    SELECT count(*) FROM asked
$$;
REVOKE EXECUTE ON FUNCTION rapport_read.ask_retry FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_read.ask_retry TO rapport_app;
RESET ROLE;
