DELETE FROM webhook_replays WHERE part_of IS NOT NULL;
ALTER TABLE webhook_replays DROP COLUMN part_of;
