// Package explain answers why a person can or can't log in to an application, or is or isn't in
// a group, step by step. Nothing is stored for it: it asks our rows first, then what the last
// runs of a synchronisation left out, then the source itself.
//
//	source object → filter → name rule → directory → order and shadowing
//	              → nested path (of a group that was asked for) → application's groups → active
//
// The first three are steps of directories that are kept equal to a source.
//
//	explain.go   the question and the answer
//	find.go      whom a word means
//	source.go    what the source and its settings say
//	access.go    what the application sees of somebody, and whether it lets them in
//	path.go      the way from a user to a group
package explain
