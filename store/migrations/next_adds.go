//go:build nextadds

package migrations

// With the tag nextadds the program knows one step more, as the next release would: one that only
// adds. cmd/rollcall's tests of a rolling upgrade build it.
func init() {
	level := len(Steps)
	Steps = append(Steps, Step{
		Number:        level + 1,
		Name:          "give users a colour, which nobody has yet",
		OldestProgram: level,
		SQL: `
ALTER TABLE users ADD COLUMN colour text;
ALTER TABLE users ADD COLUMN shade {int} NOT NULL DEFAULT 0;
CREATE INDEX users_by_shade ON users (shade);
ALTER TABLE groups ADD COLUMN colour text;
ALTER TABLE memberships ADD COLUMN since {int};
ALTER TABLE changes ADD COLUMN colour text;
ALTER TABLE audit_entries ADD COLUMN colour text;

CREATE TABLE colours (
	user_id {int} PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	name {key} NOT NULL
);
`,
	})
}
