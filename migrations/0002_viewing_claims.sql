-- What a player says it showed, beside what the daemon sent.
ALTER TABLE viewings ADD COLUMN claimed TEXT NOT NULL DEFAULT '[]';
