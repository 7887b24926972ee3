ALTER TABLE audio_parts DROP COLUMN missing;
