-- A recording of kind clip is a stretch of another one: of which, from where to where, and for what.
-- Times are microseconds of what a player shows of the source. No foreign key to the source: the fact
-- outlives it.
CREATE TABLE clips (
    id            TEXT PRIMARY KEY REFERENCES recordings (id),
    source_id     TEXT NOT NULL,
    source_sha256 TEXT NOT NULL,
    from_us       BIGINT NOT NULL,
    until_us      BIGINT NOT NULL,
    transcoded    BOOLEAN NOT NULL,
    reason        TEXT NOT NULL
);
CREATE INDEX clips_source ON clips (source_id, id);

-- Marked times. A withdrawn one stays as a row.
CREATE TABLE markers (
    id                TEXT PRIMARY KEY,
    recording_id      TEXT NOT NULL REFERENCES recordings (id),
    at_ms             BIGINT NOT NULL,
    until_ms          BIGINT,
    text              TEXT NOT NULL,
    placed_at_us      BIGINT NOT NULL,
    placed_by_kind    TEXT NOT NULL,
    placed_by_id      TEXT NOT NULL,
    withdrawn_at_us   BIGINT,
    withdrawn_by_kind TEXT,
    withdrawn_by_id   TEXT
);
CREATE INDEX markers_recording ON markers (recording_id, at_ms);
