-- Voices a user has taught: one a person, replaced as a whole by a newer sample. Part of the user's settings.

CREATE TABLE voices (
    uid         text NOT NULL,
    -- 'user' is the owner of the device.
    person      text NOT NULL,
    name        text NOT NULL,
    -- Of unit length; vectors of another engine cannot be compared.
    embedding   real[] NOT NULL,
    engine      text NOT NULL,
    -- The key of the WAV in the object store, and its length.
    sample      text NOT NULL,
    seconds     double precision NOT NULL,
    -- The request that the sample answers, and when it was made: an older one never replaces a newer one.
    request     text NOT NULL,
    requested_at timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (uid, person)
);

CREATE FUNCTION voices_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM earshot_settings_changed(CASE TG_OP WHEN 'DELETE' THEN OLD.uid ELSE NEW.uid END);
    RETURN NULL;
END
$$;
CREATE TRIGGER voices_changed AFTER INSERT OR UPDATE OR DELETE ON voices
    FOR EACH ROW EXECUTE FUNCTION voices_changed();

-- The voices a user's segments are compared with, as they stand in the user's projected settings: those learnt last, as
-- many as a document should carry.
CREATE FUNCTION earshot_known_voices(of_uid text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('person_id', v.person, 'name', v.name, 'embedding', v.embedding,
        'engine', v.engine) ORDER BY v.person), '[]')
    FROM (SELECT * FROM voices WHERE uid = of_uid ORDER BY updated_at DESC, person LIMIT 100) AS v
$$;
