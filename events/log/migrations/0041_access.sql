-- Who may come in: keys, links, codes and issuers.  Of a secret only its hash is here, and of an address or a
-- credential that failed only a keyed digest.  What must be found before the agency is known is found by its
-- whole opaque id, one row at a time; nothing lists across agencies.
SET LOCAL ROLE rapport_owner;

CREATE TABLE rapport.api_keys (
    key_id text COLLATE "C" PRIMARY KEY,
    agency text COLLATE "C" NOT NULL,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    role text NOT NULL CHECK (role IN (
        'recruiter', 'team-lead', 'director', 'compliance', 'operator', 'auditor', 'integration')),
    person_id text,
    connection text,
    label text,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz,
    CHECK ((role = 'integration') = (connection IS NOT NULL)),
    CHECK (role NOT IN ('recruiter', 'team-lead', 'director', 'compliance') OR person_id IS NOT NULL)
);
CREATE INDEX api_keys_by_agency ON rapport.api_keys (agency, made_at);

CREATE TABLE rapport.candidate_links (
    link_id text COLLATE "C" PRIMARY KEY,
    agency text COLLATE "C" NOT NULL,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    engagement text COLLATE "C" NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX candidate_links_by_engagement ON rapport.candidate_links (agency, engagement);

-- A code serves one purpose; the same purpose may show it again until it is over, so that a lost answer is no loss.
CREATE TABLE rapport.one_time_codes (
    agency text COLLATE "C" NOT NULL,
    code_id text COLLATE "C" NOT NULL,
    link_id text COLLATE "C" NOT NULL,
    engagement text COLLATE "C" NOT NULL,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    used_for text,
    PRIMARY KEY (agency, code_id)
);
CREATE INDEX one_time_codes_by_link ON rapport.one_time_codes (agency, link_id, made_at);

CREATE TABLE rapport.oidc_issuers (
    issuer text COLLATE "C" NOT NULL,
    audience text COLLATE "C" NOT NULL,
    agency text COLLATE "C" NOT NULL,
    jwks_uri text,
    algorithms text[] NOT NULL,
    person_claim text NOT NULL DEFAULT 'sub',
    role_claim text,
    roles jsonb NOT NULL DEFAULT '{}',
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at timestamptz,
    -- Two agencies that share an issuer tell their tokens apart by the audience.
    PRIMARY KEY (issuer, audience)
);

CREATE TABLE rapport.access_failures (
    who bytea PRIMARY KEY CHECK (octet_length(who) = 32),
    failures integer NOT NULL,
    last_at timestamptz NOT NULL,
    waits_until timestamptz NOT NULL
);
CREATE INDEX access_failures_by_age ON rapport.access_failures (last_at);

CREATE FUNCTION rapport.find_api_key(p_key_id text) RETURNS SETOF rapport.api_keys
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT k.* FROM api_keys k WHERE k.key_id = p_key_id
$$;

CREATE FUNCTION rapport.find_candidate_link(p_link_id text) RETURNS SETOF rapport.candidate_links
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT l.* FROM candidate_links l WHERE l.link_id = p_link_id
$$;

-- The token names issuer and audiences before anything of it is believed; its signature is checked afterwards.
CREATE FUNCTION rapport.find_oidc_issuer(p_issuer text, p_audiences text[]) RETURNS SETOF rapport.oidc_issuers
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT i.* FROM oidc_issuers i
    WHERE i.issuer = p_issuer AND i.audience = ANY (p_audiences) AND i.disabled_at IS NULL LIMIT 2
$$;

-- Seconds until whoever failed too often may try again; 0: now.
CREATE FUNCTION rapport.failures_wait(p_who bytea[]) RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT greatest(0, coalesce(max(extract(epoch FROM f.waits_until - clock_timestamp())), 0))::double precision
    FROM access_failures f WHERE f.who = ANY (p_who)
$$;

-- Beyond p_free failures the wait doubles, up to p_longest; an hour without one forgets them.
CREATE FUNCTION rapport.count_failures(p_who bytea[], p_free integer, p_longest interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
DECLARE
    one bytea;
BEGIN
    -- Sorted, so that two that count the same pair wait for each other in one order.
    FOR one IN SELECT DISTINCT u.w FROM unnest(p_who) AS u (w) ORDER BY u.w LOOP
        INSERT INTO access_failures AS f (who, failures, last_at, waits_until)
        VALUES (one, 1, clock_timestamp(), clock_timestamp())
        ON CONFLICT (who) DO UPDATE
        SET failures = CASE WHEN f.last_at < clock_timestamp() - interval '1 hour' THEN 1 ELSE f.failures + 1 END,
            last_at = clock_timestamp();
        UPDATE access_failures f
        SET waits_until = clock_timestamp()
            + least(p_longest, make_interval(secs => 2 ^ least(f.failures - p_free, 20)))
        WHERE f.who = one AND f.failures > p_free;
    END LOOP;
    DELETE FROM access_failures f WHERE f.who IN (
        SELECT g.who FROM access_failures g WHERE g.last_at < clock_timestamp() - interval '1 day'
        ORDER BY g.last_at LIMIT 20 FOR UPDATE SKIP LOCKED);
END
$$;

-- How often each failed within the last hour, in the order asked for.
CREATE FUNCTION rapport.failures_of(p_who bytea[]) RETURNS SETOF integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, rapport, pg_temp AS $$
    SELECT coalesce(f.failures, 0) FROM unnest(p_who) WITH ORDINALITY AS u (w, place)
    LEFT JOIN access_failures f ON f.who = u.w AND f.last_at > clock_timestamp() - interval '1 hour'
    ORDER BY u.place
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['api_keys', 'candidate_links', 'one_time_codes', 'oidc_issuers'] LOOP
        EXECUTE format('ALTER TABLE rapport.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY one_agency ON rapport.%I TO rapport_app '
            'USING (agency = current_setting(''rapport.agency'', true)) '
            'WITH CHECK (agency = current_setting(''rapport.agency'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT ON rapport.%I TO rapport_app', name);
    END LOOP;
END
$$;
GRANT UPDATE (revoked_at, last_used_at) ON rapport.api_keys, rapport.candidate_links TO rapport_app;
GRANT UPDATE (tries, used_for, expires_at) ON rapport.one_time_codes TO rapport_app;
GRANT UPDATE (disabled_at) ON rapport.oidc_issuers TO rapport_app;
ALTER TABLE rapport.access_failures ENABLE ROW LEVEL SECURITY;

REVOKE EXECUTE ON FUNCTION rapport.find_api_key, rapport.find_candidate_link, rapport.find_oidc_issuer,
    rapport.failures_wait, rapport.count_failures, rapport.failures_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport.find_api_key, rapport.find_candidate_link, rapport.find_oidc_issuer,
    rapport.failures_wait, rapport.count_failures, rapport.failures_of TO rapport_app;
RESET ROLE;
