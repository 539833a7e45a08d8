-- The first schema. Append-only: a change is a new numbered file, this one is checksummed.
-- Portable subset; {{...}} stands for what the two engines spell differently (crates/catalog/src/engine/dialect.rs).
-- Ids are TEXT (UUIDv7), digests TEXT (hex), times BIGINT microseconds UTC, lists TEXT (JSON).

CREATE TABLE units (
    id            TEXT PRIMARY KEY,
    parent_id     TEXT REFERENCES units (id),
    code          TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    version       BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL
);
CREATE INDEX units_parent ON units (parent_id);

-- The tree's closure: every unit is its own ancestor at depth 0. Scope checks are one join.
CREATE TABLE unit_ancestors (
    unit_id     TEXT NOT NULL REFERENCES units (id),
    ancestor_id TEXT NOT NULL REFERENCES units (id),
    depth       BIGINT NOT NULL,
    PRIMARY KEY (unit_id, ancestor_id)
);
CREATE INDEX unit_ancestors_down ON unit_ancestors (ancestor_id, unit_id);

CREATE TABLE officers (
    id                 TEXT PRIMARY KEY,
    name               TEXT NOT NULL,
    certificate_number TEXT NOT NULL UNIQUE,
    unit_id            TEXT NOT NULL REFERENCES units (id),
    category           TEXT NOT NULL,
    area               TEXT NOT NULL,
    version            BIGINT NOT NULL,
    created_at_us      BIGINT NOT NULL
);
CREATE INDEX officers_unit ON officers (unit_id, id);

CREATE TABLE recorders (
    id            TEXT PRIMARY KEY,
    serial        TEXT NOT NULL UNIQUE,
    model         TEXT NOT NULL,
    unit_id       TEXT NOT NULL REFERENCES units (id),
    version       BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL
);
CREATE INDEX recorders_unit ON recorders (unit_id, id);

-- Half-open intervals [from, until); no two of one recorder overlap.
CREATE TABLE assignments (
    id          TEXT PRIMARY KEY,
    recorder_id TEXT NOT NULL REFERENCES recorders (id),
    officer_id  TEXT NOT NULL REFERENCES officers (id),
    from_at_us  BIGINT NOT NULL,
    until_at_us BIGINT
);
CREATE INDEX assignments_recorder ON assignments (recorder_id, from_at_us);
CREATE INDEX assignments_officer ON assignments (officer_id);

CREATE TABLE tokens (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL,
    secret_sha256   TEXT NOT NULL UNIQUE,
    scopes          TEXT NOT NULL,
    unit_id         TEXT NOT NULL REFERENCES units (id),
    station_id      TEXT,
    created_at_us   BIGINT NOT NULL,
    revoked_at_us   BIGINT,
    last_used_at_us BIGINT
);

CREATE TABLE stations (
    id               TEXT PRIMARY KEY,
    name             TEXT NOT NULL,
    unit_id          TEXT NOT NULL REFERENCES units (id),
    token_id         TEXT UNIQUE,
    software_version TEXT NOT NULL,
    status           TEXT NOT NULL,
    last_seen_at_us  BIGINT,
    version          BIGINT NOT NULL,
    created_at_us    BIGINT NOT NULL
);
CREATE INDEX stations_unit ON stations (unit_id, id);

CREATE TABLE dockings (
    id                       TEXT PRIMARY KEY,
    station_id               TEXT NOT NULL REFERENCES stations (id),
    unit_id                  TEXT NOT NULL REFERENCES units (id),
    bay                      TEXT NOT NULL,
    recorder_id              TEXT REFERENCES recorders (id),
    recorder_serial          TEXT NOT NULL,
    recorder_clock_offset_ms BIGINT,
    started_at_us            BIGINT NOT NULL,
    finished_at_us           BIGINT,
    outcome                  TEXT,
    created_at_us            BIGINT NOT NULL
);
CREATE INDEX dockings_station ON dockings (station_id, id);
CREATE INDEX dockings_unit ON dockings (unit_id, id);

CREATE TABLE docking_files (
    id             TEXT PRIMARY KEY,
    docking_id     TEXT NOT NULL REFERENCES dockings (id),
    path           TEXT NOT NULL,
    size_bytes     BIGINT NOT NULL,
    modified_at_us BIGINT,
    recording_id   TEXT,
    UNIQUE (docking_id, path)
);

CREATE TABLE recordings (
    id                      TEXT PRIMARY KEY,
    state                   TEXT NOT NULL,
    kind                    TEXT NOT NULL,
    file_name               TEXT NOT NULL,
    media_type              TEXT,
    size_bytes              BIGINT,
    received_bytes          BIGINT NOT NULL,
    sha256                  TEXT,
    sm3                     TEXT,
    claimed_sha256          TEXT,
    unit_id                 TEXT NOT NULL REFERENCES units (id),
    officer_id              TEXT REFERENCES officers (id),
    officer_claimed         TEXT,
    recorder_id             TEXT REFERENCES recorders (id),
    recorder_claimed        TEXT,
    station_id              TEXT REFERENCES stations (id),
    docking_id              TEXT REFERENCES dockings (id),
    device_path             TEXT,
    -- What the device said: never changed. A correction stands beside it.
    recorded_at_us          BIGINT,
    corrected_recorded_at_us BIGINT,
    created_at_us           BIGINT NOT NULL,
    sealed_at_us            BIGINT,
    verified_at_us          BIGINT,
    deleted_at_us           BIGINT,
    duplicate_of            TEXT REFERENCES recordings (id),
    incomplete_reason       TEXT,
    vault_key               TEXT,
    marks                   TEXT NOT NULL,
    notes                   TEXT NOT NULL,
    tags                    TEXT NOT NULL,
    held                    BOOLEAN NOT NULL,
    playback_state          TEXT NOT NULL,
    playback_reason         TEXT,
    duration_ms             BIGINT,
    width                   BIGINT,
    height                  BIGINT,
    created_by_kind         TEXT NOT NULL,
    created_by_id           TEXT NOT NULL,
    -- Milliseconds of the best known recording time, shifted left by 12, plus a counter: unique, so
    -- it alone is the cursor of every listing, and the key of the search index.
    sort_key                BIGINT NOT NULL UNIQUE,
    version                 BIGINT NOT NULL
);
CREATE UNIQUE INDEX recordings_vault_key ON recordings (vault_key) WHERE duplicate_of IS NULL;
CREATE INDEX recordings_content ON recordings (unit_id, sha256);
CREATE INDEX recordings_docking ON recordings (docking_id);
CREATE INDEX recordings_unfinished ON recordings (state, id) WHERE state IN ('receiving', 'sealing');
CREATE INDEX recordings_unverified ON recordings (id) WHERE verified_at_us IS NULL AND vault_key IS NOT NULL;

{{search_index}}

CREATE TABLE uploads (
    id              TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    unit_id         TEXT NOT NULL REFERENCES units (id),
    owner_kind      TEXT NOT NULL,
    owner_id        TEXT NOT NULL,
    length_bytes    BIGINT,
    offset_bytes    BIGINT NOT NULL,
    midstate_sha256 {{blob}},
    midstate_sm3    {{blob}},
    assembly_state  TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    created_at_us   BIGINT NOT NULL,
    updated_at_us   BIGINT NOT NULL,
    expires_at_us   BIGINT
);
CREATE INDEX uploads_expiry ON uploads (expires_at_us);

CREATE TABLE upload_parts (
    upload_id TEXT NOT NULL REFERENCES uploads (id),
    position  BIGINT NOT NULL,
    part_id   TEXT NOT NULL,
    PRIMARY KEY (upload_id, position)
);
CREATE INDEX upload_parts_part ON upload_parts (part_id);

-- Append-only: a field's present value is its last correction; predecessor makes the order explicit.
CREATE TABLE corrections (
    id             TEXT PRIMARY KEY,
    recording_id   TEXT NOT NULL REFERENCES recordings (id),
    field          TEXT NOT NULL,
    predecessor_id TEXT UNIQUE,
    old_value      TEXT,
    new_value      TEXT,
    reason         TEXT NOT NULL,
    at_us          BIGINT NOT NULL,
    by_kind        TEXT NOT NULL,
    by_id          TEXT NOT NULL
);
CREATE INDEX corrections_recording ON corrections (recording_id, field);

CREATE TABLE holds (
    id             TEXT PRIMARY KEY,
    recording_id   TEXT NOT NULL REFERENCES recordings (id),
    reason         TEXT NOT NULL,
    placed_at_us   BIGINT NOT NULL,
    placed_by_kind TEXT NOT NULL,
    placed_by_id   TEXT NOT NULL,
    lifted_at_us   BIGINT,
    lifted_by_kind TEXT,
    lifted_by_id   TEXT,
    lifted_reason  TEXT
);
CREATE INDEX holds_recording ON holds (recording_id);

CREATE TABLE retention_rules (
    id            TEXT PRIMARY KEY,
    unit_id       TEXT NOT NULL REFERENCES units (id),
    name          TEXT NOT NULL,
    kind          TEXT,
    tag           TEXT,
    keep_days     BIGINT,
    version       BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL
);
CREATE INDEX retention_rules_unit ON retention_rules (unit_id);

-- number as given; number_key is what is compared (NFKC, brackets unified).
CREATE TABLE cases (
    id            TEXT PRIMARY KEY,
    unit_id       TEXT NOT NULL REFERENCES units (id),
    number        TEXT NOT NULL,
    number_key    TEXT NOT NULL,
    title         TEXT NOT NULL,
    state         TEXT NOT NULL,
    version       BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL,
    UNIQUE (unit_id, number_key)
);
CREATE INDEX cases_number ON cases (number_key);

CREATE TABLE links (
    id           TEXT PRIMARY KEY,
    case_id      TEXT NOT NULL REFERENCES cases (id),
    recording_id TEXT NOT NULL REFERENCES recordings (id),
    state        TEXT NOT NULL,
    note         TEXT NOT NULL,
    linked_at_us BIGINT NOT NULL,
    by_kind      TEXT NOT NULL,
    by_id        TEXT NOT NULL,
    UNIQUE (case_id, recording_id)
);
CREATE INDEX links_recording ON links (recording_id);

CREATE TABLE users (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL,
    name_key        TEXT NOT NULL UNIQUE,
    password_hash   TEXT NOT NULL,
    role            TEXT NOT NULL,
    unit_id         TEXT NOT NULL REFERENCES units (id),
    disabled        BOOLEAN NOT NULL,
    failed_count    BIGINT NOT NULL,
    locked_until_us BIGINT,
    version         BIGINT NOT NULL,
    created_at_us   BIGINT NOT NULL
);

CREATE TABLE sessions (
    id_sha256     TEXT PRIMARY KEY,
    csrf_sha256   TEXT NOT NULL,
    user_id       TEXT NOT NULL REFERENCES users (id),
    created_at_us BIGINT NOT NULL,
    expires_at_us BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at_us);

CREATE TABLE sign_in_throttle (
    key               TEXT PRIMARY KEY,
    failures          BIGINT NOT NULL,
    first_failed_at_us BIGINT NOT NULL,
    blocked_until_us  BIGINT
);

CREATE TABLE idempotency_keys (
    actor          TEXT NOT NULL,
    key            TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    status         BIGINT,
    response       {{blob}},
    created_at_us  BIGINT NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at_us);

-- The custody events in the order of their insertion. No foreign keys: an event outlives what it names.
CREATE TABLE custody_events (
    seq          {{sequence_key}},
    id           TEXT NOT NULL UNIQUE,
    leaf_index   BIGINT UNIQUE,
    kind         TEXT NOT NULL,
    at_us        BIGINT NOT NULL,
    unit_id      TEXT,
    recording_id TEXT,
    case_id      TEXT,
    station_id   TEXT,
    actor_kind   TEXT NOT NULL,
    actor_id     TEXT NOT NULL,
    entry        {{blob}} NOT NULL
);
CREATE INDEX custody_events_waiting ON custody_events (seq) WHERE leaf_index IS NULL;
CREATE INDEX custody_events_recording ON custody_events (recording_id, seq);
CREATE INDEX custody_events_case ON custody_events (case_id, seq);

-- One row: how many leaves have an index, how many are under the published checkpoint, and its digest.
CREATE TABLE tree_head (
    id                BIGINT PRIMARY KEY,
    sequenced_size    BIGINT NOT NULL,
    published_size    BIGINT NOT NULL,
    checkpoint_sha256 TEXT
);
INSERT INTO tree_head (id, sequenced_size, published_size, checkpoint_sha256) VALUES (1, 0, 0, NULL);

CREATE TABLE jobs (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    recording_id  TEXT NOT NULL,
    state         TEXT NOT NULL,
    attempts      BIGINT NOT NULL,
    run_after_us  BIGINT NOT NULL,
    claimed_at_us BIGINT,
    last_error    TEXT,
    UNIQUE (kind, recording_id)
);
CREATE INDEX jobs_waiting ON jobs (kind, run_after_us) WHERE state = 'waiting';
CREATE INDEX jobs_claimed ON jobs (claimed_at_us) WHERE state = 'claimed';

CREATE TABLE viewings (
    id              TEXT PRIMARY KEY,
    recording_id    TEXT NOT NULL REFERENCES recordings (id),
    viewer_kind     TEXT NOT NULL,
    viewer_id       TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    opened_at_us    BIGINT NOT NULL,
    last_seen_at_us BIGINT NOT NULL,
    closed_at_us    BIGINT,
    stretches       TEXT NOT NULL
);
CREATE UNIQUE INDEX viewings_open ON viewings (recording_id, viewer_kind, viewer_id, purpose) WHERE closed_at_us IS NULL;
CREATE INDEX viewings_idle ON viewings (last_seen_at_us) WHERE closed_at_us IS NULL;
