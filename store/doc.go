// Package store holds all SQL: one file per noun, on SQLite and PostgreSQL.
//
// Reads are methods of Reads, which a Store, a Tx and a Snapshot all have. Every write goes
// through one door, which commits rows, their lines of the feed and their audit entries
// together, and then tells the listeners of this process:
//
//	Write(ctx, actor, func(tx *Tx) error)  →  rows + changes + audit  →  commit  →  OnCommit
//
// Other processes learn of it by Follow. What a login merely wants to note (last seen, failed
// attempts, a used session, a call) is kept in memory and written in batches: notes.go.
//
// A caller gets models.Error for what it may act on; what may be written by whom is not
// decided here.
package store
