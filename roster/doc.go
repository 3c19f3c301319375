// Package roster answers who and in which groups from memory.
//
// It holds the standard fields of users and groups, direct memberships both ways and nested
// groups; never a credential, never an attribute. The store is the truth, and the roster can
// be thrown away at any time:
//
//	store.Load ── build ──► base (immutable, no pointers) ─┐
//	                                                       ├─► Snapshot ──► readers
//	the feed ──── apply ──► overlay (small, copied on write)┘
//	                            └── fold, at one per cent of churn ──► a new base
//
// A reader takes one Snapshot per request, locks nothing, and sees one moment. Until the first
// base is built, and when the feed can't be followed, there is no Snapshot, and package
// application asks the store instead: both have the same answers.
package roster
