-- The stored parts of recordings, as `audio.stored` events name them. An object counts once it has a row here; a part is
-- stored once, so that a replayed event changes nothing.

CREATE TABLE audio_parts (
    -- The event's id.
    id              uuid PRIMARY KEY,
    session         uuid NOT NULL,
    conversation    text NOT NULL,
    part            bigint NOT NULL,
    first_sequence  bigint NOT NULL,
    last_sequence   bigint NOT NULL,
    bytes           bigint NOT NULL,
    seconds         double precision NOT NULL,
    capture_start   timestamptz NOT NULL,
    capture_end     timestamptz NOT NULL,
    stored_at       timestamptz NOT NULL,
    sample_rate     integer NOT NULL,
    encrypted       boolean NOT NULL,
    uid             text NOT NULL,
    object          text NOT NULL,
    format          text NOT NULL,
    sha256          text NOT NULL,
    UNIQUE (session, part)
);
CREATE INDEX audio_parts_by_conversation ON audio_parts (conversation, capture_start, session, part);
