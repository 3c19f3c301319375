// Package models holds the project's words: stored types, kinds and error codes.
// It has no queries and does no I/O; everybody may import it.
//
// # Glossary
//
//	directory    a set of users and groups with one owner (its kind says who): staff, partners
//	user         a person or robot in one directory; names compare by Key
//	group        a named set of users and groups in one directory
//	membership   a user, or a group (then it is nested), belongs to a group
//	attribute    a named set of values of a user or a group
//	external id  the name that a user's source gave it for good; part of Crowd's "key"
//	identity     how a person proves who they are at one provider: (provider, subject)
//	application  a client with a name and passwords of its own: Jira, a script
//	mapping      the ordered link between an application and a directory, with permissions
//	alias        the name under which one application knows a user
//	permission   one kind of change that a mapping, and its directory, allow
//	credential   what Rollcall keeps of a password, and the bookkeeping of logins
//	session      a single sign-on token and whom it stands for
//	change       one line of the feed: what became different, in the order it did
//	actor        on whose behalf something is done, and from where
//	writer       which of the three ways of writing an actor stands for
//	audit entry  who did what to whom, before and after, from which address
//	call         one request of an application, as `rollcall app show` lists it
//	profile      what an outside source says of a user
//	source       an outside directory that is read
//	run          one reading of a source and what came of it
package models
