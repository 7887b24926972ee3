DROP TABLE user_settings;
DROP FUNCTION user_settings_changed();
DROP FUNCTION earshot_settings_changed(text);
DROP TABLE settings_changes;
DROP SEQUENCE settings_revision;
ALTER TABLE conversations DROP COLUMN ended_at, DROP COLUMN completed_at;
ALTER TABLE segments ALTER COLUMN conversation TYPE uuid USING conversation::uuid;
ALTER TABLE sessions ALTER COLUMN conversation TYPE uuid USING conversation::uuid;
ALTER TABLE conversations ALTER COLUMN id TYPE uuid USING id::uuid;
