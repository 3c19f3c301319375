// Package sync keeps a directory equal to its source.
//
// A run goes one way:
//
//	lease → read the source into staging → compare with our rows → plan → guard
//	      → apply in one transaction → record
//
// A full read is the truth. A run that reads only what changed may give up at any time and
// ask for a full one. Only what a source was read completely may remove; what could not be
// read stays as it is. The plan that is shown and the plan that is applied are made by the
// same code.
//
// How one outside system is spoken to is the question of the folders below (entra, google,
// okta), each a Source. Inside this package "sync" is the standard one; everywhere else this
// package is imported as dirsync.
package sync
