-- A replay of all endpoints is one of each: none of them waits for another that takes nothing.

ALTER TABLE webhook_replays ADD COLUMN part_of uuid REFERENCES webhook_replays ON DELETE CASCADE;
CREATE INDEX webhook_replays_parts ON webhook_replays (part_of) WHERE part_of IS NOT NULL;
