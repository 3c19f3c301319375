// Package entra reads Microsoft Entra ID through Microsoft Graph.
//
//	source.go     Source: users and groups, page by page
//	members.go    the members of groups, many groups at once
//	changes.go    what changed since a cursor: delta queries
//	told.go       memberships that the changes told, for copies of Graph that are behind
//	cursor.go     what a cursor holds, and when it no longer counts
//	lookup.go     single users, and the groups of users
//	check.go      what the credentials may do, and when they end
//	profile.go    Graph's fields → our words
//	attributes.go pages of users, with the attributes that the settings ask for
//	batch.go      twenty questions in one request
//	client.go     how Graph is asked, and what its errors mean
//	token.go      how a token is got; assertion.go with a certificate
//	refusal.go    Entra's AADSTS codes, and the way out of each
//
// Microsoft's own libraries are not used: azidentity refuses plain http on loopback, so that
// nobody could try a fake cloud, and the Graph SDK takes minutes to compile and merges no delta
// pages.
package entra
