DROP TABLE audio_parts;
