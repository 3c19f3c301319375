// Package composecheck reads docker-compose.yml with the library that Docker Compose reads it
// with, and checks what it says. It is a module of its own: what the library requires stays out
// of ours. TestComposeFile of cmd/rollcall runs these tests. By hand:
//
//	go test -count=1 -v .
package composecheck
