DROP TABLE voices;
DROP FUNCTION voices_changed();
