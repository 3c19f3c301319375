// Package roster answers who and in which groups from memory.
//
// It holds the standard fields of users and groups, direct memberships both ways and nested
// groups; never a credential, never an attribute. The store is the truth, and the roster can
// be thrown away at any time:
//
//	store.Load ── build ──► base (immutable, no pointers) ──┐
//	                                                        ├─► Snapshot ──► readers
//	the feed ──── apply ──► overlay (small, copied on write)┘
//	                            ├── fold, at one per cent of churn ──► a new base
//	                            └── reload, of a directory that was replaced ──► a new base
//
// A reader takes one Snapshot per request, locks nothing, and sees one moment. Until the first
// base is built, and when a change can't be applied, there is no Snapshot, and Reads gives the
// store's: both have the same answers.
//
// Where to look: table.go and csr.go are the base, overlay.go and put.go the overlay;
// directory.go and relation.go see the two as one; walk.go follows memberships through
// directories; apply.go says why changes may come in any order; renew.go gives directories a new
// base; search.go says which searches are answered here and which are left to SQL.
//
// In the base a user takes its texts and about 50 bytes more, a membership eight to nine bytes
// both ways together: a million users with 115 bytes of text, a hundred thousand groups and
// five million memberships are some 220 MB, in a few dozen objects for the garbage collector.
package roster
