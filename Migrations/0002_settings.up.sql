-- What users want of Earshot. The coordinator projects it into Redis, where gateways and workers read it.

-- Ids of conversations and segments come from back ends too, in their own form.
ALTER TABLE conversations ALTER COLUMN id TYPE text;
ALTER TABLE sessions ALTER COLUMN conversation TYPE text;
ALTER TABLE segments ALTER COLUMN conversation TYPE text, ALTER COLUMN id TYPE text;
-- What a back end or a device names is its user's own: the same id of another user is another thing.
ALTER TABLE conversations DROP CONSTRAINT conversations_pkey, ADD PRIMARY KEY (uid, id);
ALTER TABLE segments DROP CONSTRAINT segments_pkey, ADD PRIMARY KEY (uid, id);
ALTER TABLE conversations ADD COLUMN ended_at timestamptz, ADD COLUMN completed_at timestamptz;

CREATE TABLE user_settings (
    uid         text PRIMARY KEY,
    storage     boolean NOT NULL DEFAULT false,
    protection  text NOT NULL DEFAULT 'standard' CHECK (protection IN ('standard', 'enhanced'))
);

-- Whose settings have changed since they were projected; every table that is part of a user's settings calls
-- earshot_settings_changed in a trigger.
CREATE SEQUENCE settings_revision;
CREATE TABLE settings_changes (
    uid        text PRIMARY KEY,
    revision   bigint NOT NULL,
    projected  bigint NOT NULL DEFAULT 0
);
CREATE INDEX settings_changes_pending ON settings_changes (revision) WHERE projected < revision;

CREATE FUNCTION earshot_settings_changed(changed_uid text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO settings_changes (uid, revision) VALUES (changed_uid, nextval('settings_revision'))
    ON CONFLICT (uid) DO UPDATE SET revision = excluded.revision
$$;

CREATE FUNCTION user_settings_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM earshot_settings_changed(CASE TG_OP WHEN 'DELETE' THEN OLD.uid ELSE NEW.uid END);
    RETURN NULL;
END
$$;
CREATE TRIGGER user_settings_changed AFTER INSERT OR UPDATE OR DELETE ON user_settings
    FOR EACH ROW EXECUTE FUNCTION user_settings_changed();
