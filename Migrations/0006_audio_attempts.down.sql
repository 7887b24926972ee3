CREATE OR REPLACE FUNCTION earshot_audio_endpoints(of_uid text) RETURNS jsonb LANGUAGE sql STABLE AS $$
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

DROP TABLE webhook_audio_attempts;
