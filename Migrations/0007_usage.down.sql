DROP VIEW usage_by_day;
DROP INDEX audio_parts_by_user;
DROP TABLE session_usage;
