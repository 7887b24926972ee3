-- Webhooks: endpoints, deliveries with their order, and replays. Bodies are kept as they were sent, so that a retry or
-- a replay sends the same bytes under the same id.

CREATE TABLE webhook_endpoints (
    id              uuid PRIMARY KEY,
    -- A user's id, or the name of an app whose users are in webhook_app_users.
    owner_kind      text NOT NULL CHECK (owner_kind IN ('user', 'app')),
    owner           text NOT NULL,
    url             text NOT NULL,
    events          text[] NOT NULL,
    dialect         text NOT NULL CHECK (dialect IN ('standard', 'omi')),
    is_strict       boolean NOT NULL,
    -- Requests at once and requests a second, in the whole fleet.
    concurrency     integer NOT NULL CHECK (concurrency > 0),
    rate            integer NOT NULL CHECK (rate > 0),
    headers         jsonb NOT NULL,
    window_seconds  integer NOT NULL CHECK (window_seconds > 0),
    audio_policy    text NOT NULL CHECK (audio_policy IN ('latest', 'all')),
    state           text NOT NULL CHECK (state IN ('enabled', 'disabled')),
    reason          text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_endpoints_by_owner ON webhook_endpoints (owner_kind, owner, created_at, id);

CREATE TABLE webhook_secrets (
    id          uuid PRIMARY KEY,
    endpoint    uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    secret      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL for the current keys.
    expires_at  timestamptz
);
CREATE INDEX webhook_secrets_by_endpoint ON webhook_secrets (endpoint, created_at DESC);

CREATE TABLE webhook_app_users (
    uid  text NOT NULL,
    app  text NOT NULL,
    PRIMARY KEY (uid, app)
);
CREATE INDEX webhook_app_users_by_app ON webhook_app_users (app, uid);

-- What changes with every request, apart from the settings.
CREATE TABLE webhook_health (
    endpoint       uuid PRIMARY KEY REFERENCES webhook_endpoints ON DELETE CASCADE,
    -- Before this the next request would exceed the rate.
    next_at        timestamptz NOT NULL DEFAULT 'epoch',
    -- A receiver asked to be left alone until then.
    paused_until   timestamptz NOT NULL DEFAULT 'epoch',
    -- The first failure since the last success.
    failing_since  timestamptz
) WITH (fillfactor = 70);

-- A lane is (endpoint, conversation). `holder` is the delivery the lane waits for.
CREATE TABLE webhook_lanes (
    endpoint       uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    conversation   text NOT NULL,
    next_sequence  bigint NOT NULL,
    holder         uuid,
    used_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (endpoint, conversation)
) WITH (fillfactor = 70);
CREATE INDEX webhook_lanes_by_use ON webhook_lanes (used_at);

CREATE TABLE webhook_deliveries (
    id            uuid PRIMARY KEY,
    endpoint      uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event         uuid NOT NULL,
    event_type    text NOT NULL,
    uid           text NOT NULL,
    conversation  text NOT NULL,
    sequence      bigint NOT NULL,
    body          text,
    -- The event, while the body waits for the record.
    source        text,
    -- waiting: behind its lane's holder. pending: due at due_at, or claimed until then.
    state         text NOT NULL CHECK (state IN ('waiting', 'pending', 'delivered', 'dead')),
    -- Attempts ever, and failures since the first attempt or the last retry by hand: these choose the next pause.
    attempts      integer NOT NULL DEFAULT 0,
    failures      integer NOT NULL DEFAULT 0,
    due_at        timestamptz NOT NULL DEFAULT now(),
    claim         uuid,
    status        integer,
    error         text,
    replay        uuid,
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, due_at, sequence) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_claimed ON webhook_deliveries (endpoint) WHERE claim IS NOT NULL;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (endpoint, conversation, sequence)
    WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (state, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (created_at, id) WHERE state = 'dead';
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (created_at DESC, id);
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (endpoint, created_at DESC, id);
CREATE INDEX webhook_deliveries_replayed ON webhook_deliveries (replay, state) WHERE replay IS NOT NULL;

CREATE TABLE webhook_attempts (
    delivery  uuid NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
    number    integer NOT NULL,
    at        timestamptz NOT NULL,
    millis    integer NOT NULL,
    status    integer,
    error     text,
    remote    text,
    -- The first characters of the answer.
    response  text,
    PRIMARY KEY (delivery, number)
);

CREATE TABLE webhook_replays (
    id           uuid PRIMARY KEY,
    -- NULL for all endpoints.
    endpoint     uuid REFERENCES webhook_endpoints ON DELETE CASCADE,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL DEFAULT now(),
    -- Where it stands: everything up to here was taken.
    taken_at     timestamptz NOT NULL,
    taken_id     uuid NOT NULL,
    taken        bigint NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz
);
CREATE INDEX webhook_replays_running ON webhook_replays (created_at) WHERE finished_at IS NULL;

-- Everybody who keeps an owner's endpoints is told that they changed.
CREATE FUNCTION earshot_webhook_owner_changed(kind text, name text) RETURNS void LANGUAGE sql AS $$
    SELECT earshot_settings_changed(name) WHERE kind = 'user';
    SELECT earshot_settings_changed(uid) FROM webhook_app_users WHERE kind = 'app' AND app = name;
$$;

CREATE FUNCTION earshot_webhook_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'webhook_app_users' THEN
        PERFORM earshot_settings_changed(coalesce(NEW.uid, OLD.uid));
    ELSIF TG_TABLE_NAME = 'webhook_secrets' THEN
        PERFORM earshot_webhook_owner_changed(owner_kind, owner) FROM webhook_endpoints
            WHERE id = coalesce(NEW.endpoint, OLD.endpoint);
    ELSE
        PERFORM earshot_webhook_owner_changed(coalesce(NEW.owner_kind, OLD.owner_kind), coalesce(NEW.owner, OLD.owner));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER webhook_endpoints_changed AFTER INSERT OR UPDATE OR DELETE ON webhook_endpoints
    FOR EACH ROW EXECUTE FUNCTION earshot_webhook_changed();
CREATE TRIGGER webhook_secrets_changed AFTER INSERT OR UPDATE OR DELETE ON webhook_secrets
    FOR EACH ROW EXECUTE FUNCTION earshot_webhook_changed();
CREATE TRIGGER webhook_app_users_changed AFTER INSERT OR DELETE ON webhook_app_users
    FOR EACH ROW EXECUTE FUNCTION earshot_webhook_changed();

-- The enabled endpoints a user's live audio goes to, with their valid keys, newest first, as they stand in the user's
-- projected settings.
CREATE FUNCTION earshot_audio_endpoints(of_uid text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'url', e.url, 'headers', e.headers,
        'window_seconds', e.window_seconds, 'policy', e.audio_policy, 'secrets', (
            SELECT coalesce(jsonb_agg(s.secret ORDER BY s.created_at DESC), '[]') FROM webhook_secrets s
            WHERE s.endpoint = e.id AND (s.expires_at IS NULL OR s.expires_at > now()))
        ) ORDER BY e.created_at, e.id), '[]')
    FROM webhook_endpoints e
    WHERE e.state = 'enabled' AND 'audio.bytes' = ANY (e.events)
        AND ((e.owner_kind = 'user' AND e.owner = of_uid)
            OR (e.owner_kind = 'app' AND e.owner IN (SELECT app FROM webhook_app_users u WHERE u.uid = of_uid)))
$$;
