// Package fakecloud speaks the protocols of cloud directories over HTTP, for tests, for demos
// and for measuring: with their paging, their throttling, their errors, and their surprises.
// It checks what its clients do, so that a client that only works by luck fails here.
//
// What all clouds share:
//
//	gen.go         Gen: a directory of any size as a pure function of a seed; takes no memory
//	person.go      the n-th user
//	team.go        the n-th group, and who is in it
//	permutation.go how a number becomes another one, and back
//	directory.go   Directory: what was generated, with edits on top
//	edit.go        Edit: create, change, delete, restore users and groups, add and remove members
//	history.go     what changed since, for delta queries
//	everyday.go    one small change, as they happen all day
//	cloud.go       Cloud: listens, counts, lets faults happen, runs scripted edits
//	fault.go       Fault: what goes wrong, at which request, how often
//	requests.go    what was asked, and what a client did that it may not: Violations
//	clock.go       Clock: time that a test moves
//	json.go        JSON, appended by hand
//
// Each cloud embeds a *Cloud and adds its protocol, in files that begin with its name:
//
//	entra.go       Entra ID: Microsoft Graph and its token endpoint
//	google.go      Google Workspace: the Directory API and the token endpoint
//	okta.go        an Okta org: its management API, System Log and token endpoint
//
// A test makes one, starts it, and edits it while a client reads:
//
//	cloud := fakecloud.NewEntra(fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 10}})
//	if err := cloud.Start("127.0.0.1:0"); err != nil { … }
//	defer cloud.Close()
//	cloud.Edit(func(e *fakecloud.Edit) { e.AddUser(e.CreateGroup(fakecloud.Group{Name: "devs"}), 0) })
//	cloud.Fail(fakecloud.Fault{Path: "/v1.0/users", Do: fakecloud.Throttle, RetryAfter: time.Second})
//	…
//	for _, v := range cloud.Violations() { t.Error(v) }
//
// Nothing in it is a test: it serves `rollcall demo-cloud`, too.
package fakecloud
