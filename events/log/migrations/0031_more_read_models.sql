-- The rest of the read models; all hold ids, codes, times and the policy's words, nothing personal.
SET LOCAL ROLE rapport_projector;

-- One row for each time somebody spoke with, or tried to reach, the candidate or the client.
CREATE TABLE rapport_read.contacts (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    event_id uuid NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    contact_id text NOT NULL,
    by_person text NOT NULL,
    channel text NOT NULL,
    direction text,
    evidence text,
    evidence_ref text,
    purposes text[] NOT NULL,
    about text[] NOT NULL,
    at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    stage text NOT NULL,
    owner text,
    sentiment text,
    likes text,
    excels text,
    PRIMARY KEY (agency, stream, event_id)
);
CREATE INDEX ON rapport_read.contacts (agency, at);

-- One row for each thing that a person should look at, with its event.
CREATE TABLE rapport_read.findings (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    finding text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    event_id uuid NOT NULL,
    position bigint NOT NULL,
    type text NOT NULL,
    rule text,
    mode text,
    command text,
    detail text,
    subject text,
    at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    stage text NOT NULL,
    owner text,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    origin text NOT NULL,
    PRIMARY KEY (agency, stream, finding)
);
CREATE INDEX ON rapport_read.findings (agency, at);

-- What one engagement adds to one person's load; a person's load is the sum.
CREATE TABLE rapport_read.caseload (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    person text COLLATE "C" NOT NULL,
    owns boolean NOT NULL,
    stage text NOT NULL,
    open_obligations integer NOT NULL,
    overdue_obligations integer NOT NULL,
    level integer NOT NULL,
    waiting_since timestamptz,
    next_due_at timestamptz,
    PRIMARY KEY (agency, stream, person)
);
CREATE INDEX ON rapport_read.caseload (agency, person);

-- One row a placement, with the last word of either side on whether it is a good one.
CREATE TABLE rapport_read.placements (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    placement_id text COLLATE "C" NOT NULL,
    job_order_id text,
    owner text,
    kind text NOT NULL,
    starts_on timestamptz,
    started_on timestamptz,
    ends_on timestamptz,
    guarantee_until timestamptz,
    remedy text NOT NULL,
    invoked text,
    ended_on timestamptz,
    ended_how text,
    likes text,
    likes_at timestamptz,
    likes_position bigint,
    likes_event uuid,
    excels text,
    excels_at timestamptz,
    excels_position bigint,
    excels_event uuid,
    PRIMARY KEY (agency, stream, placement_id)
);

-- Who works at the agency and whom their duties climb to; names are in the log alone.
CREATE TABLE rapport_read.people (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    person_id text COLLATE "C" NOT NULL,
    role text NOT NULL,
    team_lead text,
    director text,
    team text,
    office text,
    works_here boolean NOT NULL,
    PRIMARY KEY (agency, stream, person_id)
);

-- One row for each message that was ever owed, and what became of it.
CREATE TABLE rapport_read.outreach (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    effect_id uuid NOT NULL,
    state text NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    owner text,
    person text,
    template text NOT NULL,
    rule text,
    obligation_id uuid,
    subject text,
    level integer NOT NULL,
    due_at timestamptz,
    not_before timestamptz,
    requested_at timestamptz NOT NULL,
    settled_at timestamptz,
    attempt integer NOT NULL,
    reason text,
    requested_position bigint NOT NULL,
    settled_position bigint,
    PRIMARY KEY (agency, stream, effect_id)
);
CREATE INDEX ON rapport_read.outreach (agency, requested_at);

-- Whatever plain words an engagement may be found by.
CREATE TABLE rapport_read.search (
    agency text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    entry text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    term text COLLATE "C" NOT NULL,
    PRIMARY KEY (agency, stream, entry)
);
CREATE INDEX ON rapport_read.search (agency, term);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'contacts', 'findings', 'caseload', 'placements', 'people', 'outreach', 'search'
    ] LOOP
        EXECUTE format('ALTER TABLE rapport_read.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_agency ON rapport_read.%I FOR SELECT TO rapport_app '
            'USING (agency = current_setting(''rapport.agency'', true))', name);
        EXECUTE format('GRANT SELECT ON rapport_read.%I TO rapport_app', name);
    END LOOP;
END
$$;
RESET ROLE;
