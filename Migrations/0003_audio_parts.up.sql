-- Room for the parts of stored audio.
SELECT 1;
