DROP FUNCTION IF EXISTS earshot_known_voices(text);
DROP TABLE voices;
DROP FUNCTION voices_changed();
