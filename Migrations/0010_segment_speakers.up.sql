-- How a back end came to a segment's speaker, in its own words (omi.md section 3), and who named it.

ALTER TABLE segments ADD COLUMN speaker_label_source text, ADD COLUMN speaker_match_source text,
    ADD COLUMN speaker_identity_status text, ADD COLUMN speaker_id_scope text;
