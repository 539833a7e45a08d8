-- A person wants a listed file now: its station sends it first.
ALTER TABLE docking_files ADD COLUMN first_at_us BIGINT;
CREATE INDEX docking_files_first ON docking_files (docking_id) WHERE first_at_us IS NOT NULL;

-- Short-lived secrets by which another player plays one recording; holder: on whose behalf.
CREATE TABLE playback_tokens (
    secret_sha256 TEXT PRIMARY KEY,
    recording_id  TEXT NOT NULL,
    holder_kind   TEXT NOT NULL,
    holder_id     TEXT NOT NULL,
    expires_at_us BIGINT NOT NULL
);
CREATE INDEX playback_tokens_expiry ON playback_tokens (expires_at_us);
