ALTER TABLE segments DROP COLUMN speech_profile_processed;
