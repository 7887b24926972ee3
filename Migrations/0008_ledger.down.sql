DROP INDEX sessions_by_predecessor;
ALTER TABLE sessions DROP COLUMN predecessor, DROP COLUMN lost_frames, DROP COLUMN stored_next;
