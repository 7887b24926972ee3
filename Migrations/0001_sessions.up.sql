-- The record of sessions, conversations and transcripts. Written by the coordinator from the event streams; every write
-- is an upsert guarded by an ordinal, so that a replay or a late writer changes nothing that is newer.

CREATE TABLE conversations (
    id          uuid PRIMARY KEY,
    uid         text NOT NULL,
    started_at  timestamptz NOT NULL,
    source      text
);
-- A user's conversations, newest first, by keyset.
CREATE INDEX conversations_by_user ON conversations (uid, started_at DESC, id);

CREATE TABLE sessions (
    id              uuid PRIMARY KEY,
    uid             text NOT NULL,
    conversation    uuid NOT NULL,
    started_at      timestamptz,
    ended_at        timestamptz,
    sample_rate     integer,
    codec           text,
    language        text,
    source          text,
    gateway         text,
    end_reason      text,
    frames          bigint,
    audio_seconds   double precision,
    corrupt_frames  bigint
);
-- A user's sessions, newest first, by keyset.
CREATE INDEX sessions_by_user ON sessions (uid, started_at DESC, id);
CREATE INDEX sessions_by_start ON sessions (started_at DESC, id);
-- The few that are live among the many that were.
CREATE INDEX sessions_active ON sessions (started_at DESC, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_conversation ON sessions (conversation);

CREATE TABLE segments (
    id             uuid PRIMARY KEY,
    session        uuid NOT NULL,
    conversation   uuid NOT NULL,
    ordinal        bigint NOT NULL,
    start_seconds  double precision NOT NULL,
    end_seconds    double precision NOT NULL,
    -- The ordinal of the event that wrote the row: an older event never overwrites a newer one.
    revision       bigint NOT NULL,
    speaker_id     integer NOT NULL,
    channel        integer NOT NULL,
    is_user        boolean NOT NULL,
    uid            text NOT NULL,
    speaker        text NOT NULL,
    person         text,
    language       text,
    stt_provider   text,
    text           text NOT NULL,
    UNIQUE (session, ordinal)
);
CREATE INDEX segments_by_conversation ON segments (conversation, start_seconds, session, ordinal);
