// Package directory decides what may happen inside one directory, and on whose behalf.
//
//	kinds.go       who may write which part of which kind, and the kind's settings
//	admin.go       directories themselves: create, set, rename, delete
//	edit.go        one transaction of changes; users.go, groups.go, memberships.go, attributes.go
//	passwords.go   policy, hashes, the order of checks when somebody logs in
//	names.go       names that are derived where a caller gave none
//
// What an application may see and change is package application's question.
package directory
