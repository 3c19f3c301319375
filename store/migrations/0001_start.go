package migrations

var start = Step{
	Number:        1,
	Name:          "make the tables of directories, applications, sessions, feed, audit log and outbox",
	OldestProgram: 1,
	SQL: `
CREATE TABLE installations (
	id text PRIMARY KEY,
	key_fingerprint text NOT NULL,
	created_at {int} NOT NULL
);

CREATE TABLE directories (
	id {id},
	name text NOT NULL,
	key {key} NOT NULL,
	kind text NOT NULL,
	description text NOT NULL DEFAULT '',
	active {bool} NOT NULL,
	permissions text NOT NULL,
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL
);
CREATE UNIQUE INDEX directories_by_key ON directories (key);

CREATE TABLE directory_settings (
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	name text NOT NULL,
	value text NOT NULL,
	sealed {bool} NOT NULL DEFAULT false,
	PRIMARY KEY (directory_id, name)
);

CREATE TABLE users (
	id {id},
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	name text NOT NULL,
	name_key {key} NOT NULL,
	first_name text NOT NULL DEFAULT '',
	first_key {key} NOT NULL DEFAULT '',
	last_name text NOT NULL DEFAULT '',
	last_key {key} NOT NULL DEFAULT '',
	display_name text NOT NULL DEFAULT '',
	display_key {key} NOT NULL DEFAULT '',
	email text NOT NULL DEFAULT '',
	email_key {key} NOT NULL DEFAULT '',
	active {bool} NOT NULL,
	external_id {key} NOT NULL,
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL
);
CREATE UNIQUE INDEX users_by_name ON users (directory_id, name_key);
CREATE UNIQUE INDEX users_by_external_id ON users (directory_id, external_id);
CREATE INDEX users_by_email ON users (directory_id, email_key);

CREATE TABLE user_attributes (
	user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name {key} NOT NULL,
	position {int} NOT NULL,
	value text NOT NULL,
	value_key {key} NOT NULL,
	writer {int} NOT NULL DEFAULT 0,
	PRIMARY KEY (user_id, name, position)
);
CREATE INDEX user_attributes_by_value ON user_attributes (name, substr(value_key, 1, 200));

CREATE TABLE identities (
	provider {key} NOT NULL,
	subject {key} NOT NULL,
	user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	PRIMARY KEY (provider, subject)
);
CREATE INDEX identities_by_user ON identities (user_id);

CREATE TABLE credentials (
	user_id {int} PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	hash text NOT NULL DEFAULT '',
	changed_at {int} NOT NULL DEFAULT 0,
	must_change {bool} NOT NULL DEFAULT false,
	failures {int} NOT NULL DEFAULT 0,
	last_authenticated {int} NOT NULL DEFAULT 0,
	last_active {int} NOT NULL DEFAULT 0
);

CREATE TABLE old_passwords (
	id {id},
	user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	hash text NOT NULL
);
CREATE INDEX old_passwords_by_user ON old_passwords (user_id, id);

CREATE TABLE groups (
	id {id},
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	name text NOT NULL,
	name_key {key} NOT NULL,
	description text NOT NULL DEFAULT '',
	description_key {key} NOT NULL DEFAULT '',
	active {bool} NOT NULL,
	external_id {key} NOT NULL,
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL
);
CREATE UNIQUE INDEX groups_by_name ON groups (directory_id, name_key);
CREATE UNIQUE INDEX groups_by_external_id ON groups (directory_id, external_id);

CREATE TABLE group_attributes (
	group_id {int} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	name {key} NOT NULL,
	position {int} NOT NULL,
	value text NOT NULL,
	value_key {key} NOT NULL,
	writer {int} NOT NULL DEFAULT 0,
	PRIMARY KEY (group_id, name, position)
);
CREATE INDEX group_attributes_by_value ON group_attributes (name, substr(value_key, 1, 200));

CREATE TABLE memberships (
	group_id {int} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	writer {int} NOT NULL DEFAULT 0,
	PRIMARY KEY (group_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, group_id);
CREATE INDEX memberships_by_directory ON memberships (directory_id);

CREATE TABLE nestings (
	parent_id {int} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	child_id {int} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	writer {int} NOT NULL DEFAULT 0,
	PRIMARY KEY (parent_id, child_id)
);
CREATE INDEX nestings_by_child ON nestings (child_id, parent_id);
CREATE INDEX nestings_by_directory ON nestings (directory_id);

CREATE TABLE applications (
	id {id},
	name text NOT NULL,
	key {key} NOT NULL,
	description text NOT NULL DEFAULT '',
	active {bool} NOT NULL,
	aggregate {bool} NOT NULL DEFAULT false,
	lower_case {bool} NOT NULL DEFAULT false,
	nested {bool} NOT NULL DEFAULT true,
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL
);
CREATE UNIQUE INDEX applications_by_key ON applications (key);

CREATE TABLE application_passwords (
	id {id},
	application_id {int} NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	hash text NOT NULL,
	hint text NOT NULL DEFAULT '',
	created_at {int} NOT NULL,
	expires_at {int} NOT NULL DEFAULT 0
);
CREATE INDEX application_passwords_by_application ON application_passwords (application_id);

CREATE TABLE application_addresses (
	application_id {int} NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	address {key} NOT NULL,
	PRIMARY KEY (application_id, address)
);

CREATE TABLE mappings (
	id {id},
	application_id {int} NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	directory_id {int} NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	position {int} NOT NULL,
	permissions text NOT NULL,
	allow_all {bool} NOT NULL
);
CREATE UNIQUE INDEX mappings_by_directory ON mappings (application_id, directory_id);
CREATE UNIQUE INDEX mappings_by_position ON mappings (application_id, position);
CREATE INDEX mappings_of_directory ON mappings (directory_id);

CREATE TABLE mapping_groups (
	mapping_id {int} NOT NULL REFERENCES mappings (id) ON DELETE CASCADE,
	group_key {key} NOT NULL,
	group_name text NOT NULL,
	PRIMARY KEY (mapping_id, group_key)
);

CREATE TABLE aliases (
	application_id {int} NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name text NOT NULL,
	name_key {key} NOT NULL,
	PRIMARY KEY (application_id, user_id)
);
CREATE UNIQUE INDEX aliases_by_name ON aliases (application_id, name_key);
CREATE INDEX aliases_by_user ON aliases (user_id);

CREATE TABLE calls (
	id {id},
	application_id {int} NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	at {int} NOT NULL,
	address text NOT NULL,
	method text NOT NULL,
	path text NOT NULL,
	status {int} NOT NULL,
	reason text NOT NULL DEFAULT ''
);
CREATE INDEX calls_by_application ON calls (application_id, id);

CREATE TABLE sessions (
	id {id},
	user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	token_hash {bytes} NOT NULL,
	sealed {bytes} NOT NULL,
	factors {bytes} NOT NULL,
	unbound {bool} NOT NULL DEFAULT false,
	lifetime {int} NOT NULL,
	created_at {int} NOT NULL,
	last_used_at {int} NOT NULL,
	expires_at {int} NOT NULL
);
CREATE UNIQUE INDEX sessions_by_token ON sessions (token_hash);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE delays (
	application_id {int} NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	user_id {int} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	failures {int} NOT NULL,
	last_at {int} NOT NULL,
	PRIMARY KEY (application_id, user_id)
);
CREATE INDEX delays_by_user ON delays (user_id);

CREATE TABLE changes (
	seq {id},
	tx {tx},
	at {int} NOT NULL,
	kind text NOT NULL,
	writer {int} NOT NULL,
	directory_id {int} NOT NULL DEFAULT 0,
	row_id {int} NOT NULL DEFAULT 0,
	member_id {int} NOT NULL DEFAULT 0,
	name text NOT NULL DEFAULT '',
	member text NOT NULL DEFAULT '',
	data {bytes}
);
CREATE INDEX changes_by_tx ON changes (tx, seq);

CREATE TABLE audit_entries (
	id {id},
	at {int} NOT NULL,
	actor_kind text NOT NULL,
	actor text NOT NULL,
	address text NOT NULL DEFAULT '',
	request text NOT NULL DEFAULT '',
	action text NOT NULL,
	outcome text NOT NULL,
	subject text NOT NULL DEFAULT '',
	directory text NOT NULL DEFAULT '',
	before text NOT NULL DEFAULT '',
	after text NOT NULL DEFAULT '',
	count {int} NOT NULL DEFAULT 1
);
CREATE INDEX audit_entries_by_time ON audit_entries (at);

CREATE TABLE outbox_items (
	id {id},
	kind text NOT NULL,
	recipient text NOT NULL,
	payload {bytes} NOT NULL,
	created_at {int} NOT NULL,
	next_attempt_at {int} NOT NULL,
	attempts {int} NOT NULL DEFAULT 0,
	last_error text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_items_by_turn ON outbox_items (next_attempt_at);
`,
}
