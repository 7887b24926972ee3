-- The numbers between a part's first and last frame that are not in it: the ledger looks for them elsewhere.
ALTER TABLE audio_parts ADD COLUMN missing int8multirange NOT NULL DEFAULT '{}';
