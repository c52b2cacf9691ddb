-- Who is told of an agency's events, and what became of each message.  No row holds an event's content:
-- it is read from the log when it is sent, so that what is erased meanwhile is told to nobody.
SET LOCAL ROLE rapport_owner;

-- Every event up to *position* has its row in deliveries, or is none that the subscription asks for.
-- An empty *types* asks for all.  *quiet_until*: the receiver itself asked for a pause.
CREATE TABLE rapport.subscriptions (
    agency text COLLATE "C" NOT NULL,
    subscription_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    types text[] NOT NULL,
    personal boolean NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'gone')),
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    quiet_until timestamptz,
    answered_at timestamptz,
    status integer,
    says text,
    PRIMARY KEY (agency, subscription_id)
);

-- The newest one signs, and so do those that have not expired.
CREATE TABLE rapport.subscription_secrets (
    agency text COLLATE "C" NOT NULL,
    subscription_id text COLLATE "C" NOT NULL,
    secret_id uuid NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (agency, subscription_id, secret_id),
    FOREIGN KEY (agency, subscription_id) REFERENCES rapport.subscriptions ON DELETE CASCADE
);

-- Of a stream's pending rows only the first has a *next_at*: the others wait until it is settled.
CREATE TABLE rapport.deliveries (
    agency text COLLATE "C" NOT NULL,
    subscription_id text COLLATE "C" NOT NULL,
    event_id uuid NOT NULL,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'parked')),
    next_at timestamptz,
    claim uuid,
    leased_until timestamptz,
    tried_at timestamptz,
    settled_at timestamptz,
    status integer,
    says text,
    PRIMARY KEY (agency, subscription_id, event_id),
    FOREIGN KEY (agency, subscription_id) REFERENCES rapport.subscriptions ON DELETE CASCADE
);
CREATE INDEX deliveries_due ON rapport.deliveries (agency, subscription_id, next_at)
    WHERE state = 'pending' AND next_at IS NOT NULL;
CREATE INDEX deliveries_in_order ON rapport.deliveries (agency, subscription_id, stream, position)
    WHERE state = 'pending';
CREATE INDEX deliveries_parked ON rapport.deliveries (agency, subscription_id, position)
    WHERE state = 'parked';
CREATE INDEX deliveries_settled ON rapport.deliveries (settled_at) WHERE state = 'delivered';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['subscriptions', 'subscription_secrets', 'deliveries'] LOOP
        EXECUTE format('ALTER TABLE rapport.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_agency ON rapport.%I TO rapport_app '
            'USING (agency = current_setting(''rapport.agency'', true)) '
            'WITH CHECK (agency = current_setting(''rapport.agency'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON rapport.%I TO rapport_app', name);
    END LOOP;
END
$$;

-- The background loop's one look across agencies: ids only, of subscriptions with something to do at p_now.
-- One with p_room rows pending or more reads no further until some are settled.
CREATE FUNCTION rapport.due_subscriptions(p_now timestamptz, p_room integer)
RETURNS TABLE (agency text, subscription_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT s.agency, s.subscription_id FROM subscriptions s
    WHERE s.state = 'active' AND coalesce(s.quiet_until <= p_now, true)
      AND (EXISTS (
              SELECT FROM deliveries d
              WHERE d.agency = s.agency AND d.subscription_id = s.subscription_id AND d.state = 'pending'
                AND d.next_at <= p_now AND coalesce(d.leased_until <= p_now, true))
           OR (EXISTS (
                   SELECT FROM log_heads h WHERE h.agency = s.agency AND h.position > s.position)
               AND p_room > (
                   SELECT count(*) FROM (
                       SELECT FROM deliveries d
                       WHERE d.agency = s.agency AND d.subscription_id = s.subscription_id
                         AND d.state = 'pending' LIMIT p_room) AS few)))
    ORDER BY s.agency, s.subscription_id
$$;

-- What was delivered long ago says nothing any more that the log does not.
CREATE FUNCTION rapport.forget_deliveries(p_before timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    WITH gone AS (
        DELETE FROM deliveries d WHERE d.state = 'delivered' AND d.settled_at < p_before RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

REVOKE EXECUTE ON FUNCTION rapport.due_subscriptions, rapport.forget_deliveries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.due_subscriptions, rapport.forget_deliveries TO rapport_app;
RESET ROLE;
