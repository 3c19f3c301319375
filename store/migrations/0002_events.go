package migrations

var events = Step{
	Number:        2,
	Name:          "make the tables of event tokens, webhooks and letters",
	OldestProgram: 1,
	SQL: `
CREATE TABLE event_starts (
	application_id {int} PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
	place {int} NOT NULL,
	given_at {int} NOT NULL,
	read_at {int} NOT NULL DEFAULT 0
);

CREATE TABLE feed_floors (
	id integer PRIMARY KEY,
	place {int} NOT NULL
);
INSERT INTO feed_floors (id, place) VALUES (1, 0);
CREATE INDEX changes_by_time ON changes (at);

CREATE TABLE webhooks (
	id {id},
	application_id {int} NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	endpoint_url {key} NOT NULL,
	token {bytes} NOT NULL,
	place {int} NOT NULL,
	next_attempt_at {int} NOT NULL DEFAULT 0,
	failures {int} NOT NULL DEFAULT 0,
	oldest_failure_at {int} NOT NULL DEFAULT 0,
	last_error text NOT NULL DEFAULT '',
	created_at {int} NOT NULL
);
CREATE UNIQUE INDEX webhooks_by_address ON webhooks (application_id, endpoint_url);

CREATE TABLE webhook_networks (
	application_id {int} NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	network {key} NOT NULL,
	PRIMARY KEY (application_id, network)
);

CREATE TABLE reset_tokens (
	user_id {int} PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	token_hash {bytes} NOT NULL,
	email {key} NOT NULL,
	password_changed_at {int} NOT NULL,
	expires_at {int} NOT NULL
);
CREATE UNIQUE INDEX reset_tokens_by_hash ON reset_tokens (token_hash);

CREATE TABLE letter_requests (
	id {id},
	subject {key} NOT NULL,
	at {int} NOT NULL
);
CREATE INDEX letter_requests_by_subject ON letter_requests (subject, at);
CREATE INDEX letter_requests_by_time ON letter_requests (at);
`,
}
