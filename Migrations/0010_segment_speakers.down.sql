ALTER TABLE segments DROP COLUMN speaker_label_source, DROP COLUMN speaker_match_source,
    DROP COLUMN speaker_identity_status, DROP COLUMN speaker_id_scope;
