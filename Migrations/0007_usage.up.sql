-- Usage: absolute totals of a session and UTC day of capture, as `session.usage` events carry them. A replay, or an older
-- event that comes late, changes nothing; days of users are sums over their sessions.

CREATE TABLE session_usage (
    session              uuid NOT NULL,
    day                  date NOT NULL,
    uid                  text NOT NULL,
    -- Seconds of audio that came in, and of speech in it that became text.
    received_seconds     double precision NOT NULL,
    transcribed_seconds  double precision NOT NULL,
    -- The ordinal of the event that wrote the row.
    revision             bigint NOT NULL,
    PRIMARY KEY (session, day)
);
CREATE INDEX session_usage_by_user ON session_usage (uid, day);
CREATE INDEX audio_parts_by_user ON audio_parts (uid, capture_start);

-- A user's days. Stored seconds come from the stored parts; one that midnight falls into counts for each day as long as
-- it lies in it.
CREATE VIEW usage_by_day AS
SELECT uid, day, sum(received) AS received_seconds, sum(transcribed) AS transcribed_seconds,
    sum(stored) AS stored_seconds
FROM (
    SELECT uid, day, received_seconds AS received, transcribed_seconds AS transcribed, 0::double precision AS stored
    FROM session_usage
    UNION ALL
    SELECT p.uid, d.day::date, 0, 0,
        CASE WHEN p.capture_end <= p.capture_start THEN p.seconds
        ELSE p.seconds * extract(epoch FROM
                least(p.capture_end, (d.day + interval '1 day') AT TIME ZONE 'UTC')
                - greatest(p.capture_start, d.day AT TIME ZONE 'UTC'))::double precision
            / extract(epoch FROM p.capture_end - p.capture_start)::double precision
        END
    FROM audio_parts AS p
    CROSS JOIN LATERAL generate_series(
        date_trunc('day', p.capture_start AT TIME ZONE 'UTC'),
        date_trunc('day', greatest(p.capture_start, p.capture_end - interval '1 microsecond') AT TIME ZONE 'UTC'),
        interval '1 day') AS d (day)
) AS parts
GROUP BY uid, day;
