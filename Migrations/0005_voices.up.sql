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

-- A user's voices as they stand in the settings: the owner's, then those taught last, at most 64, which are 200 KB.
CREATE FUNCTION earshot_voices(of_uid text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('person_id', v.person, 'name', v.name,
        'embedding', to_jsonb(v.embedding), 'engine', v.engine)), '[]')
    FROM (SELECT * FROM voices WHERE uid = of_uid
        ORDER BY person = 'user' DESC, updated_at DESC, person LIMIT 64) AS v
$$;
