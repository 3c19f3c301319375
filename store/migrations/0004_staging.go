package migrations

// What is staged can be read anew from its source, so that a crash of the database may lose it: then
// all of it goes, never a part. Its log would be half a gigabyte for each read of a million users.
var staging = Step{
	Number:        4,
	Name:          "stage pages without a log",
	OldestProgram: 1,
	PostgreSQL: `
ALTER TABLE staged_pages SET UNLOGGED;
`,
}
