package migrations

var syncs = Step{
	Number:        3,
	Name:          "make the tables of synchronisation",
	OldestProgram: 1,
	SQL: `
CREATE TABLE sync_states (
	directory_id {int} PRIMARY KEY REFERENCES directories (id) ON DELETE CASCADE,
	owner text NOT NULL DEFAULT '',
	epoch {int} NOT NULL DEFAULT 0,
	held_until {int} NOT NULL DEFAULT 0,
	cancel {bool} NOT NULL DEFAULT false,
	scheduled {bool} NOT NULL DEFAULT false,
	next_run_at {int} NOT NULL DEFAULT 0,
	cursor text NOT NULL DEFAULT '',
	cursor_at {int} NOT NULL DEFAULT 0,
	full_at {int} NOT NULL DEFAULT 0,
	completed_at {int} NOT NULL DEFAULT 0,
	settings text NOT NULL DEFAULT '',
	failures {int} NOT NULL DEFAULT 0,
	alarmed_at {int} NOT NULL DEFAULT 0,
	held_run {int} NOT NULL DEFAULT 0,
	held_hash text NOT NULL DEFAULT ''
);

CREATE TABLE sync_runs (
	id {id},
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	started_at {int} NOT NULL,
	ended_at {int} NOT NULL DEFAULT 0,
	heartbeat_at {int} NOT NULL DEFAULT 0,
	outcome text NOT NULL,
	hash text NOT NULL DEFAULT '',
	report text NOT NULL
);
CREATE INDEX sync_runs_by_directory ON sync_runs (directory_id, id);

CREATE TABLE user_departures (
	user_id {int} PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	since {int} NOT NULL
);
CREATE INDEX user_departures_by_directory ON user_departures (directory_id);

CREATE TABLE group_departures (
	group_id {int} PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE,
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	since {int} NOT NULL
);
CREATE INDEX group_departures_by_directory ON group_departures (directory_id);

CREATE TABLE staged_pages (
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	seq {int} NOT NULL,
	label text NOT NULL,
	at {int} NOT NULL,
	kind {int} NOT NULL,
	rows {int} NOT NULL,
	data {bytes} NOT NULL,
	PRIMARY KEY (directory_id, seq)
);
`,
	// Pages live for minutes: compressing them costs more than their place.
	PostgreSQL: `
ALTER TABLE staged_pages ALTER COLUMN data SET STORAGE EXTERNAL;
`,
}
