// Package google reads a Google Workspace account, through the Directory API of the Admin SDK.
//
//	source.go       Options and New; the list of users
//	groups.go       the list of groups, the groups of a user
//	members.go      the direct members of groups
//	lookup.go       single users: by id, by what somebody typed
//	profile.go      Google's fields in our words
//	attribute.go    further attributes, by Google's names
//	check.go        what the service account may do
//	credentials.go  the service account's key file
//	token.go        access tokens by domain-wide delegation
//	client.go       what Google's answers mean; pages
//
// Google can't tell what changed: no list has a date or a cursor, and its audit log may lose
// events. So every run reads everything, as cheaply as it can be had: 500 users or 200 groups a
// page, one request for each group's members, and of each object only the fields that we use.
package google
