-- Whether a segment may be learnt from, as its source said it (omi.md section 3); segments from before may be.

ALTER TABLE segments ADD COLUMN speech_profile_processed boolean;
