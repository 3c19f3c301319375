// Package dexclient logs people in through the atlassiancrowd connector of Dex, the real one,
// against a server that runs already. It is a module of its own: what Dex requires stays out of
// ours.
//
// TestDexConnector of cmd/rollcall prepares a server on each database and runs these tests. By
// hand:
//
//	export CROWD_URL=http://127.0.0.1:8095/crowd CROWD_PASSWORD=…
//	export CROWD_APPLICATION=probe CROWD_MEMBERS=members CROWD_ELSEWHERE=elsewhere
//	go test -count=1 -v .
//
// The three applications have the same password and the same directory. The first may do
// everything in it: the tests make users and groups of fresh names there, through the same API.
// The second lets only members of some group log in, and the third may not call from here.
package dexclient
