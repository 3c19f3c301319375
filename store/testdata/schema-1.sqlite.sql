CREATE TABLE schema_steps (number integer PRIMARY KEY, name text NOT NULL, oldest_program integer NOT NULL, taken_at bigint NOT NULL);
INSERT INTO schema_steps VALUES (1, 'make the tables of directories, applications, sessions, feed, audit log and outbox', 1, 1772452800000);
CREATE TABLE installations (
	id text PRIMARY KEY,
	key_fingerprint text NOT NULL,
	created_at integer NOT NULL
);
INSERT INTO installations VALUES ('481ac0fa-3150-40ef-9ffb-cf33a81e228d', 'DYyGVhtsGUCbxEq_lck1Ug', 1772452800000);
CREATE TABLE directories (
	id integer PRIMARY KEY AUTOINCREMENT,
	name text NOT NULL,
	key text NOT NULL,
	kind text NOT NULL,
	description text NOT NULL DEFAULT '',
	active boolean NOT NULL,
	permissions text NOT NULL,
	created_at integer NOT NULL,
	updated_at integer NOT NULL
);
INSERT INTO directories VALUES (1, 'staff', 'staff', 'internal', '', 1, 'all', 1772452800000, 1772452800000);
CREATE UNIQUE INDEX directories_by_key ON directories (key);
CREATE TABLE directory_settings (
	directory_id integer NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	name text NOT NULL,
	value text NOT NULL,
	sealed boolean NOT NULL DEFAULT false,
	PRIMARY KEY (directory_id, name)
);
INSERT INTO directory_settings VALUES (1, 'password', 'C/5yG3vdv4EKqL1wfsDrAu0YHz9AD8m5khn8LSlZyUgIKtM=', 1);
INSERT INTO directory_settings VALUES (1, 'host', 'ldap.test', 0);
CREATE TABLE users (
	id integer PRIMARY KEY AUTOINCREMENT,
	directory_id integer NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	name text NOT NULL,
	name_key text NOT NULL,
	first_name text NOT NULL DEFAULT '',
	first_key text NOT NULL DEFAULT '',
	last_name text NOT NULL DEFAULT '',
	last_key text NOT NULL DEFAULT '',
	display_name text NOT NULL DEFAULT '',
	display_key text NOT NULL DEFAULT '',
	email text NOT NULL DEFAULT '',
	email_key text NOT NULL DEFAULT '',
	active boolean NOT NULL,
	external_id text NOT NULL,
	created_at integer NOT NULL,
	updated_at integer NOT NULL
);
INSERT INTO users VALUES (1, 1, 'Ada', 'ada', 'Ada', 'ada', 'Lovelace', 'lovelace', '', '', 'Ada@Example.test', 'ada@example.test', 1, 'u-1', 1772452800000, 1772452800000);
CREATE UNIQUE INDEX users_by_name ON users (directory_id, name_key);
CREATE UNIQUE INDEX users_by_external_id ON users (directory_id, external_id);
CREATE INDEX users_by_email ON users (directory_id, email_key);
CREATE TABLE user_attributes (
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name text NOT NULL,
	position integer NOT NULL,
	value text NOT NULL,
	value_key text NOT NULL,
	writer integer NOT NULL DEFAULT 0,
	PRIMARY KEY (user_id, name, position)
);
INSERT INTO user_attributes VALUES (1, 'colour', 0, 'Blue', 'blue', 0);
INSERT INTO user_attributes VALUES (1, 'colour', 1, 'red', 'red', 0);
CREATE INDEX user_attributes_by_value ON user_attributes (name, substr(value_key, 1, 200));
CREATE TABLE identities (
	provider text NOT NULL,
	subject text NOT NULL,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	PRIMARY KEY (provider, subject)
);
INSERT INTO identities VALUES ('okta', '00u1', 1);
CREATE INDEX identities_by_user ON identities (user_id);
CREATE TABLE credentials (
	user_id integer PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	hash text NOT NULL DEFAULT '',
	changed_at integer NOT NULL DEFAULT 0,
	must_change boolean NOT NULL DEFAULT false,
	failures integer NOT NULL DEFAULT 0,
	last_authenticated integer NOT NULL DEFAULT 0,
	last_active integer NOT NULL DEFAULT 0
);
INSERT INTO credentials VALUES (1, 'hash', 1772452800000, 0, 1, 0, 0);
CREATE TABLE old_passwords (
	id integer PRIMARY KEY AUTOINCREMENT,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	hash text NOT NULL
);
INSERT INTO old_passwords VALUES (1, 1, 'old hash');
CREATE INDEX old_passwords_by_user ON old_passwords (user_id, id);
CREATE TABLE groups (
	id integer PRIMARY KEY AUTOINCREMENT,
	directory_id integer NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	name text NOT NULL,
	name_key text NOT NULL,
	description text NOT NULL DEFAULT '',
	description_key text NOT NULL DEFAULT '',
	active boolean NOT NULL,
	external_id text NOT NULL,
	created_at integer NOT NULL,
	updated_at integer NOT NULL
);
INSERT INTO groups VALUES (1, 1, 'All', 'all', 'everybody''s', 'everybody''s', 1, 'g-1', 1772452800000, 1772452800000);
INSERT INTO groups VALUES (2, 1, 'Some', 'some', '', '', 1, 'g-2', 1772452800000, 1772452800000);
CREATE UNIQUE INDEX groups_by_name ON groups (directory_id, name_key);
CREATE UNIQUE INDEX groups_by_external_id ON groups (directory_id, external_id);
CREATE TABLE group_attributes (
	group_id integer NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	name text NOT NULL,
	position integer NOT NULL,
	value text NOT NULL,
	value_key text NOT NULL,
	writer integer NOT NULL DEFAULT 0,
	PRIMARY KEY (group_id, name, position)
);
INSERT INTO group_attributes VALUES (2, 'colour', 0, 'Blue', 'blue', 0);
INSERT INTO group_attributes VALUES (2, 'colour', 1, 'red', 'red', 0);
CREATE INDEX group_attributes_by_value ON group_attributes (name, substr(value_key, 1, 200));
CREATE TABLE memberships (
	group_id integer NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	directory_id integer NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	writer integer NOT NULL DEFAULT 0,
	PRIMARY KEY (group_id, user_id)
);
INSERT INTO memberships VALUES (2, 1, 1, 0);
CREATE INDEX memberships_by_user ON memberships (user_id, group_id);
CREATE INDEX memberships_by_directory ON memberships (directory_id);
CREATE TABLE nestings (
	parent_id integer NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	child_id integer NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	directory_id integer NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	writer integer NOT NULL DEFAULT 0,
	PRIMARY KEY (parent_id, child_id)
);
INSERT INTO nestings VALUES (1, 2, 1, 0);
CREATE INDEX nestings_by_child ON nestings (child_id, parent_id);
CREATE INDEX nestings_by_directory ON nestings (directory_id);
CREATE TABLE applications (
	id integer PRIMARY KEY AUTOINCREMENT,
	name text NOT NULL,
	key text NOT NULL,
	description text NOT NULL DEFAULT '',
	active boolean NOT NULL,
	aggregate boolean NOT NULL DEFAULT false,
	lower_case boolean NOT NULL DEFAULT false,
	nested boolean NOT NULL DEFAULT true,
	created_at integer NOT NULL,
	updated_at integer NOT NULL
);
INSERT INTO applications VALUES (1, 'Jira', 'jira', '', 1, 0, 0, 1, 1772452800000, 1772452800000);
CREATE UNIQUE INDEX applications_by_key ON applications (key);
CREATE TABLE application_passwords (
	id integer PRIMARY KEY AUTOINCREMENT,
	application_id integer NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	hash text NOT NULL,
	hint text NOT NULL DEFAULT '',
	created_at integer NOT NULL,
	expires_at integer NOT NULL DEFAULT 0
);
INSERT INTO application_passwords VALUES (1, 1, 'hash', '', 1772452800000, 0);
CREATE INDEX application_passwords_by_application ON application_passwords (application_id);
CREATE TABLE application_addresses (
	application_id integer NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	address text NOT NULL,
	PRIMARY KEY (application_id, address)
);
INSERT INTO application_addresses VALUES (1, '127.0.0.1');
CREATE TABLE mappings (
	id integer PRIMARY KEY AUTOINCREMENT,
	application_id integer NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	directory_id integer NOT NULL REFERENCES directories (id) ON DELETE CASCADE,
	position integer NOT NULL,
	permissions text NOT NULL,
	allow_all boolean NOT NULL
);
INSERT INTO mappings VALUES (1, 1, 1, 1, 'create-user', 0);
CREATE UNIQUE INDEX mappings_by_directory ON mappings (application_id, directory_id);
CREATE UNIQUE INDEX mappings_by_position ON mappings (application_id, position);
CREATE INDEX mappings_of_directory ON mappings (directory_id);
CREATE TABLE mapping_groups (
	mapping_id integer NOT NULL REFERENCES mappings (id) ON DELETE CASCADE,
	group_key text NOT NULL,
	group_name text NOT NULL,
	PRIMARY KEY (mapping_id, group_key)
);
INSERT INTO mapping_groups VALUES (1, 'all', 'All');
CREATE TABLE aliases (
	application_id integer NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name text NOT NULL,
	name_key text NOT NULL,
	PRIMARY KEY (application_id, user_id)
);
INSERT INTO aliases VALUES (1, 1, 'Countess', 'countess');
CREATE UNIQUE INDEX aliases_by_name ON aliases (application_id, name_key);
CREATE INDEX aliases_by_user ON aliases (user_id);
CREATE TABLE calls (
	id integer PRIMARY KEY AUTOINCREMENT,
	application_id integer NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	at integer NOT NULL,
	address text NOT NULL,
	method text NOT NULL,
	path text NOT NULL,
	status integer NOT NULL,
	reason text NOT NULL DEFAULT ''
);
INSERT INTO calls VALUES (1, 1, 0, '', '', '/user', 200, '');
CREATE INDEX calls_by_application ON calls (application_id, id);
CREATE TABLE sessions (
	id integer PRIMARY KEY AUTOINCREMENT,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	token_hash blob NOT NULL,
	sealed blob NOT NULL,
	factors blob NOT NULL,
	unbound boolean NOT NULL DEFAULT false,
	lifetime integer NOT NULL,
	created_at integer NOT NULL,
	last_used_at integer NOT NULL,
	expires_at integer NOT NULL
);
INSERT INTO sessions VALUES (1, 1, X'746F6B656E', X'393B6C07B5B26BF87ABCC11D8B1E79F906BD3039BFAB38BF45C844FEB362F90BA7', X'', 0, 1800000, 1772452800000, 1772452800000, 1772454600000);
CREATE UNIQUE INDEX sessions_by_token ON sessions (token_hash);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE TABLE delays (
	application_id integer NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	failures integer NOT NULL,
	last_at integer NOT NULL,
	PRIMARY KEY (application_id, user_id)
);
INSERT INTO delays VALUES (1, 1, 1, 1772452800000);
CREATE INDEX delays_by_user ON delays (user_id);
CREATE TABLE changes (
	seq integer PRIMARY KEY AUTOINCREMENT,
	tx integer NOT NULL DEFAULT 0,
	at integer NOT NULL,
	kind text NOT NULL,
	writer integer NOT NULL,
	directory_id integer NOT NULL DEFAULT 0,
	row_id integer NOT NULL DEFAULT 0,
	member_id integer NOT NULL DEFAULT 0,
	name text NOT NULL DEFAULT '',
	member text NOT NULL DEFAULT '',
	data blob
);
INSERT INTO changes VALUES (1, 0, 1772452800000, 'directory-changed', 0, 1, 1, 0, 'staff', '', NULL);
INSERT INTO changes VALUES (2, 0, 1772452800000, 'user-created', 0, 1, 1, 0, 'Ada', '', X'7B226669727374223A22416461222C226C617374223A224C6F76656C616365222C22656D61696C223A22416461404578616D706C652E74657374222C22616374697665223A747275652C2265787465726E616C223A22752D31222C2263726561746564223A313737323435323830303030302C2275706461746564223A313737323435323830303030307D');
INSERT INTO changes VALUES (3, 0, 1772452800000, 'group-created', 0, 1, 1, 0, 'All', '', X'7B226465736372697074696F6E223A226576657279626F64792773222C22616374697665223A747275652C2265787465726E616C223A22672D31222C2263726561746564223A313737323435323830303030302C2275706461746564223A313737323435323830303030307D');
INSERT INTO changes VALUES (4, 0, 1772452800000, 'group-created', 0, 1, 2, 0, 'Some', '', X'7B22616374697665223A747275652C2265787465726E616C223A22672D32222C2263726561746564223A313737323435323830303030302C2275706461746564223A313737323435323830303030307D');
INSERT INTO changes VALUES (5, 0, 1772452800000, 'member-added', 0, 1, 2, 1, 'Some', 'Ada', NULL);
INSERT INTO changes VALUES (6, 0, 1772452800000, 'nesting-added', 0, 1, 1, 2, 'All', 'Some', NULL);
INSERT INTO changes VALUES (7, 0, 1772452800000, 'user-attributes', 0, 1, 1, 0, 'Ada', '', X'7B226669727374223A22416461222C226C617374223A224C6F76656C616365222C22656D61696C223A22416461404578616D706C652E74657374222C22616374697665223A747275652C2265787465726E616C223A22752D31222C2263726561746564223A313737323435323830303030302C2275706461746564223A313737323435323830303030302C2261747472696275746573223A7B22736574223A5B7B224E616D65223A22636F6C6F7572222C2256616C756573223A5B22426C7565222C22726564225D7D5D7D7D');
INSERT INTO changes VALUES (8, 0, 1772452800000, 'group-attributes', 0, 1, 2, 0, 'Some', '', X'7B22616374697665223A747275652C2265787465726E616C223A22672D32222C2263726561746564223A313737323435323830303030302C2275706461746564223A313737323435323830303030302C2261747472696275746573223A7B22736574223A5B7B224E616D65223A22636F6C6F7572222C2256616C756573223A5B22426C7565222C22726564225D7D5D7D7D');
INSERT INTO changes VALUES (9, 0, 1772452800000, 'user-updated', 0, 1, 1, 0, 'Ada', '', X'7B226669727374223A22416461222C226C617374223A224C6F76656C616365222C22656D61696C223A22416461404578616D706C652E74657374222C22616374697665223A747275652C2265787465726E616C223A22752D31222C2263726561746564223A313737323435323830303030302C2275706461746564223A313737323435323830303030307D');
INSERT INTO changes VALUES (10, 0, 1772452800000, 'credential-set', 0, 1, 1, 0, 'Ada', '', X'7B226669727374223A22416461222C226C617374223A224C6F76656C616365222C22656D61696C223A22416461404578616D706C652E74657374222C22616374697665223A747275652C2265787465726E616C223A22752D31222C2263726561746564223A313737323435323830303030302C2275706461746564223A313737323435323830303030307D');
INSERT INTO changes VALUES (11, 0, 1772452800000, 'credential-set', 0, 1, 1, 0, 'Ada', '', X'7B226669727374223A22416461222C226C617374223A224C6F76656C616365222C22656D61696C223A22416461404578616D706C652E74657374222C22616374697665223A747275652C2265787465726E616C223A22752D31222C2263726561746564223A313737323435323830303030302C2275706461746564223A313737323435323830303030307D');
INSERT INTO changes VALUES (12, 0, 1772452800000, 'application-changed', 0, 0, 1, 0, 'Jira', '', NULL);
INSERT INTO changes VALUES (13, 0, 1772452800000, 'application-door', 0, 0, 1, 0, 'Jira', '', NULL);
INSERT INTO changes VALUES (14, 0, 1772452800000, 'application-door', 0, 0, 1, 0, 'Jira', '', NULL);
INSERT INTO changes VALUES (15, 0, 1772452800000, 'application-changed', 0, 0, 1, 0, 'Jira', '', NULL);
INSERT INTO changes VALUES (16, 0, 1772452800000, 'alias-changed', 0, 1, 1, 1, 'Jira', 'Ada', NULL);
CREATE INDEX changes_by_tx ON changes (tx, seq);
CREATE TABLE audit_entries (
	id integer PRIMARY KEY AUTOINCREMENT,
	at integer NOT NULL,
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
	count integer NOT NULL DEFAULT 1
);
INSERT INTO audit_entries VALUES (1, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'directory.create', 'done', 'staff', 'staff', '', '{"active":true,"description":"","kind":"internal","name":"staff","permissions":"all","settings":{"host":"ldap.test","password":"[secret]"}}', 1);
INSERT INTO audit_entries VALUES (2, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'user.create', 'done', 'Ada', 'staff', '', '{"active":true,"display":"","email":"Ada@Example.test","external":"u-1","first":"Ada","last":"Lovelace","name":"Ada"}', 1);
INSERT INTO audit_entries VALUES (3, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'group.create', 'done', 'All', 'staff', '', '{"active":true,"description":"everybody''s","name":"All"}', 1);
INSERT INTO audit_entries VALUES (4, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'group.create', 'done', 'Some', 'staff', '', '{"active":true,"description":"","name":"Some"}', 1);
INSERT INTO audit_entries VALUES (5, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'group.add', 'done', 'Some', 'staff', '', '{"user":"Ada"}', 1);
INSERT INTO audit_entries VALUES (6, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'group.add', 'done', 'All', 'staff', '', '{"group":"Some"}', 1);
INSERT INTO audit_entries VALUES (7, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'user.attributes', 'done', 'Ada', 'staff', '', '{"colour":"red, Blue"}', 1);
INSERT INTO audit_entries VALUES (8, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'group.attributes', 'done', 'Some', 'staff', '', '{"colour":"red, Blue"}', 1);
INSERT INTO audit_entries VALUES (9, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'identity.add', 'done', 'Ada', 'staff', '', '{"provider":"okta","subject":"00u1"}', 1);
INSERT INTO audit_entries VALUES (10, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'user.password', 'done', 'Ada', 'staff', '', '', 1);
INSERT INTO audit_entries VALUES (11, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'user.password', 'done', 'Ada', 'staff', '', '', 1);
INSERT INTO audit_entries VALUES (12, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'app.create', 'done', 'Jira', '', '', '{"ID":1,"Name":"Jira","Key":"jira","Description":"","Active":true,"Aggregate":false,"LowerCase":false,"Nested":true,"CreatedAt":1772452800000,"UpdatedAt":1772452800000}', 1);
INSERT INTO audit_entries VALUES (13, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'app.password.add', 'done', 'Jira', '', '', '{"expires":0,"hint":"","password":1}', 1);
INSERT INTO audit_entries VALUES (14, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'app.addresses', 'done', 'Jira', '', '{"addresses":null}', '{"addresses":["127.0.0.1"]}', 1);
INSERT INTO audit_entries VALUES (15, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'app.map', 'done', 'Jira', '', '{"mappings":null}', '{"mappings":[{"ID":1,"ApplicationID":1,"DirectoryID":1,"Position":1,"Permissions":"create-user","AllowAll":false,"Groups":["All"]}]}', 1);
INSERT INTO audit_entries VALUES (16, 1772452800000, 'operator', 'jane', '192.0.2.7', 'r-1', 'alias.set', 'done', 'Jira', 'staff', '', '{"alias":"Countess","user":"Ada"}', 1);
CREATE INDEX audit_entries_by_time ON audit_entries (at);
CREATE TABLE outbox_items (
	id integer PRIMARY KEY AUTOINCREMENT,
	kind text NOT NULL,
	recipient text NOT NULL,
	payload blob NOT NULL,
	created_at integer NOT NULL,
	next_attempt_at integer NOT NULL,
	attempts integer NOT NULL DEFAULT 0,
	last_error text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_items_by_turn ON outbox_items (next_attempt_at);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('directories', 1);
INSERT INTO sqlite_sequence VALUES ('audit_entries', 16);
INSERT INTO sqlite_sequence VALUES ('changes', 16);
INSERT INTO sqlite_sequence VALUES ('users', 1);
INSERT INTO sqlite_sequence VALUES ('groups', 2);
INSERT INTO sqlite_sequence VALUES ('old_passwords', 1);
INSERT INTO sqlite_sequence VALUES ('applications', 1);
INSERT INTO sqlite_sequence VALUES ('application_passwords', 1);
INSERT INTO sqlite_sequence VALUES ('mappings', 1);
INSERT INTO sqlite_sequence VALUES ('sessions', 1);
INSERT INTO sqlite_sequence VALUES ('calls', 1);
