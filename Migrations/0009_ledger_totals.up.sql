-- The sessions that ended lately, whose messages are added up for the ledger's metrics.

CREATE INDEX sessions_by_end ON sessions (ended_at DESC) WHERE ended_at IS NOT NULL;
