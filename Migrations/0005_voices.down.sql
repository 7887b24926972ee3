DROP FUNCTION earshot_voices(text);
DROP TABLE voices;
DROP FUNCTION voices_changed();
