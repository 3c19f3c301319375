// Package okta reads an Okta org through Okta's management API.
//
//	source.go   Source: users and groups, page by page
//	members.go  the members of groups, several groups at once
//	changes.go  what changed since a cursor: by timestamps, by the System Log
//	log.go      the System Log: which ids to look at again, and what was deleted
//	cursor.go   what a cursor holds, and when it no longer counts
//	lookup.go   single users, and the groups of users
//	check.go    what the credentials may do
//	profile.go  Okta's fields and statuses → our words
//	attributes.go  those that the settings ask for
//	client.go   how Okta is asked, and what its errors and rate limits mean
//	page.go     lists and their Link headers
//	token.go    how an access token is got; key.go signs for it
//
// Okta's own library is not used: the version that can be had cannot talk to a port of this
// machine, so that nobody could try a fake cloud, hides the rate limits, and takes a minute and
// gigabytes to compile.
package okta
