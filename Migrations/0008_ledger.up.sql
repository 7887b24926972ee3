-- What the ledger adds up when the registry has forgotten a session: the session it continues, the messages that nobody
-- had when it did, and how far events said that it is stored.

ALTER TABLE sessions ADD COLUMN predecessor uuid, ADD COLUMN lost_frames bigint, ADD COLUMN stored_next bigint;
CREATE INDEX sessions_by_predecessor ON sessions (predecessor) WHERE predecessor IS NOT NULL;
