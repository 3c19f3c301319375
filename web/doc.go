// Package web has the pages for people. Now there is one: choosing a new password with the link
// of a letter (reset.go).
//
// Pages are plain HTML that works without scripts. Every answer forbids browsers to keep it, to
// load anything from elsewhere, to be shown inside another page, and to tell anybody the
// address, which may hold a token.
package web
