-- Requests with windows of live audio: the log of attempts, and what workers must know to keep an endpoint's limits.

CREATE TABLE webhook_audio_attempts (
    -- The window's webhook-id, the same for each of its attempts.
    id        uuid NOT NULL,
    at        timestamptz NOT NULL,
    endpoint  uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    uid       text NOT NULL,
    session   uuid NOT NULL,
    sequence  bigint NOT NULL,
    millis    integer NOT NULL,
    delivered boolean NOT NULL,
    status    integer,
    error     text,
    remote    text,
    -- The first characters of the answer.
    response  text,
    PRIMARY KEY (id, at)
);
CREATE INDEX webhook_audio_attempts_newest ON webhook_audio_attempts (endpoint, at DESC, id);
CREATE INDEX webhook_audio_attempts_by_age ON webhook_audio_attempts (at);

-- As in 0004, with the times at which keys end, which nobody tells when they come, and with concurrency and rate.
CREATE OR REPLACE FUNCTION earshot_audio_endpoints(of_uid text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'url', e.url, 'headers', e.headers,
        'window_seconds', e.window_seconds, 'policy', e.audio_policy, 'concurrency', e.concurrency, 'rate', e.rate,
        'secrets', k.secrets, 'secret_expiries', k.expiries) ORDER BY e.created_at, e.id), '[]')
    FROM webhook_endpoints e CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(s.secret ORDER BY s.created_at DESC), '[]') AS secrets,
            coalesce(jsonb_agg((extract(epoch FROM s.expires_at) * 1000000)::bigint ORDER BY s.created_at DESC), '[]')
                AS expiries
        FROM webhook_secrets s WHERE s.endpoint = e.id AND (s.expires_at IS NULL OR s.expires_at > now())) AS k
    WHERE e.state = 'enabled' AND 'audio.bytes' = ANY (e.events)
        AND ((e.owner_kind = 'user' AND e.owner = of_uid)
            OR (e.owner_kind = 'app' AND e.owner IN (SELECT app FROM webhook_app_users u WHERE u.uid = of_uid)))
$$;
