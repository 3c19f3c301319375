// Package login decides whether this is that person, and keeps what follows from it: failed
// attempts, delays, sessions.
//
// A login goes through these steps, and ends at the first that refuses it:
//
//	the application's view  → who is meant, in the first directory that knows the name
//	active?                 → with whatever password
//	delayed?                → after failed attempts, the right password too (delay.go)
//	the password            → package directory
//	expired?                → only ever told to who knows the password
//	the access groups       → the application's view
//
// Each end has an Outcome, which is counted and, where it refuses, audited. Whoever comes with
// a session instead of a password is looked up in sessions.go.
package login
