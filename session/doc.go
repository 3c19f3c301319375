// Package session issues, checks and ends single sign-on tokens.
//
// A session says that a user has logged in. It is known by its token, which belongs to the
// whole server: whether the user may use the application that asks, package login decides.
//
//	Issue  → a live session of the same user, factors and lifetime? its token : a new one
//	Find   → the session of a token, as it is
//	Check  → the same, and its factors must be those it was made with
//	Renew  → it was used: its time starts again
//	End, EndAll
//
// A session is bound to the validation factors that the application gave when it was made,
// in practice the address of the person's browser (factors.go). One that our own pages made
// is unbound.
//
// Of a token only the hash is kept, by which it is found, and a sealed copy, since whoever
// logs in again from the same place is given the same token.
package session
