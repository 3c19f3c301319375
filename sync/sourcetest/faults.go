package sourcetest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// passing are faults that go away: nothing comes of them.
var passing = []struct {
	name  string
	fault fakecloud.Fault
}{
	{"throttled once", fakecloud.Fault{Do: fakecloud.Throttle, RetryAfter: 7 * time.Second}},
	{"throttled five times", fakecloud.Fault{Do: fakecloud.Throttle, RetryAfter: 90 * time.Second, Times: 5}},
	{"throttled without a time", fakecloud.Fault{Do: fakecloud.Throttle}},
	{"unavailable", fakecloud.Fault{Do: fakecloud.Unavailable, Times: 2}},
	{"unavailable, with a time", fakecloud.Fault{Do: fakecloud.Unavailable, RetryAfter: 20 * time.Second}},
	{"an error of the server", fakecloud.Fault{Do: fakecloud.ServerError, Times: 2}},
	{"a bad gateway", fakecloud.Fault{Do: fakecloud.BadGateway}},
	{"a gateway that gave up", fakecloud.Fault{Do: fakecloud.GatewayTimeout}},
	{"a connection cut in the body", fakecloud.Fault{Do: fakecloud.CutBody}},
	{"a connection that is reset", fakecloud.Fault{Do: fakecloud.Reset}},
	{"half of the data", fakecloud.Fault{Do: fakecloud.Truncated}},
	{"a page for people", fakecloud.Fault{Do: fakecloud.HTMLPage}},
	{"an empty answer", fakecloud.Fault{Do: fakecloud.EmptyBody}},
	{"another content type", fakecloud.Fault{Do: fakecloud.WrongType}},
}

// mostRequests bounds what a source asks of a cloud that stays broken.
const mostRequests = 120

// Faults checks what comes of a fault: the same directory as without it, or an error that is a
// sentence. Never less of the directory.
func Faults(t *testing.T, p Provider) {
	for _, list := range []struct {
		name    string
		path    func(Paths) string
		carrier bool // faults of the connection hit the request around it
	}{
		{"users", func(p Paths) string { return p.Users }, false},
		{"groups", func(p Paths) string { return p.Groups }, false},
		{"members", func(p Paths) string { return p.Members }, false},
		{"members, all around", func(p Paths) string { return p.Carrier }, true},
		{"token", func(p Paths) string { return p.Token }, false},
	} {
		t.Run(list.name, func(t *testing.T) {
			for _, f := range passing {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					setup := brokenSetup(p)
					if list.carrier {
						setup.Gen.Groups = fewGroups
					}
					w := p.start(t, setup)
					f.fault.Path = list.path(w.Paths)
					if f.fault.Path == "" {
						return // this cloud has none
					}
					passes(t, w, f.fault)
				})
			}
		})
	}
	t.Run("for ever", func(t *testing.T) { forEver(t, p) })
	t.Run("one group", func(t *testing.T) { oneGroup(t, p) })
	t.Run("all groups", func(t *testing.T) { allGroups(t, p) })
	t.Run("links", func(t *testing.T) { links(t, p) })
	t.Run("the run is over when the service is sick", func(t *testing.T) { budget(t, p) })
}

func brokenSetup(p Provider) Setup {
	return Setup{Gen: fakecloud.Gen{Seed: 5, Users: 3 * p.UsersPage, Groups: 50, AvgMembers: 5}}
}

// fewGroups fit into one request: of several that carry members at the same time under one
// address, one may be on its way while another is told to wait, and a fake can't tell them apart.
const fewGroups = 15

// passes reads everything while the fault happens, first at the first request, then at a later
// one.
func passes(t *testing.T, w *World, fault fakecloud.Fault) {
	t.Helper()
	for _, nth := range []int{1, 2} {
		w.Cloud.Heal()
		fault.Nth = nth
		w.Cloud.Fail(fault)
		s := w.source(t, How{})
		got, err := read(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		same(t, w.truth(), got)
		stats := s.Stats()
		if fault.Do == fakecloud.Throttle && nth == 1 && stats.Throttled == 0 {
			t.Error("the throttling wasn't counted")
		}
	}
}

// forEver has a fault that stays: an error in the end, and soon.
func forEver(t *testing.T, p Provider) {
	for _, list := range []struct {
		name string
		path func(Paths) string
	}{
		{"users", func(p Paths) string { return p.Users }},
		{"groups", func(p Paths) string { return p.Groups }},
		{"members", func(p Paths) string { return p.Carrier }},
		{"token", func(p Paths) string { return p.Token }},
	} {
		for _, f := range []struct {
			name string
			do   fakecloud.Fault
		}{
			{"throttled", fakecloud.Fault{Do: fakecloud.Throttle, RetryAfter: time.Minute}},
			{"throttled without a time", fakecloud.Fault{Do: fakecloud.Throttle}},
			{"throttled for a day", fakecloud.Fault{Do: fakecloud.Throttle, RetryAfter: 24 * time.Hour}},
			{"unavailable", fakecloud.Fault{Do: fakecloud.Unavailable}},
			{"an error of the server", fakecloud.Fault{Do: fakecloud.ServerError}},
			{"connections that are cut", fakecloud.Fault{Do: fakecloud.CutBody}},
			{"connections that are reset", fakecloud.Fault{Do: fakecloud.Reset}},
			{"half of the data", fakecloud.Fault{Do: fakecloud.Truncated}},
			{"a page for people", fakecloud.Fault{Do: fakecloud.HTMLPage}},
			{"empty answers", fakecloud.Fault{Do: fakecloud.EmptyBody}},
			{"a token that is refused", fakecloud.Fault{Do: fakecloud.Expired}},
			{"no permission", fakecloud.Fault{Do: fakecloud.Forbidden}},
		} {
			t.Run(list.name+": "+f.name, func(t *testing.T) {
				t.Parallel()
				setup := brokenSetup(p)
				if list.name == "members" {
					setup.Gen.Groups = fewGroups
				}
				w := p.start(t, setup)
				path := list.path(w.Paths)
				if path == "" {
					return
				}
				fault := f.do
				fault.Path, fault.Times = path, -1
				w.Cloud.Fail(fault)
				got, err := read(t.Context(), w.source(t, How{}))
				problems := []error{err}
				if err == nil && list.name == "members" && len(got.unreadable) == len(got.Groups) {
					// The members of a group that can't be read are no error of the run.
					problems = slices.Collect(maps.Values(got.unreadable))
				}
				for _, problem := range problems {
					wantSentence(t, w, problem, "")
				}
				if n := w.Cloud.Requests(""); n > mostRequests {
					t.Errorf("it was asked %d times before it was given up", n)
				}
			})
		}
	}

	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		w := p.start(t, brokenSetup(p))
		s := w.source(t, How{})
		w.Cloud.Close()
		_, err := s.Check(t.Context())
		wantSentence(t, w, err, "")
		_, err = read(t.Context(), s)
		wantSentence(t, w, err, "")
	})
}

// oneGroup can't be read: it is told, and the others come.
func oneGroup(t *testing.T, p Provider) {
	for name, do := range map[string]fakecloud.Trouble{"forbidden": fakecloud.Forbidden, "broken": fakecloud.ServerError} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := p.start(t, brokenSetup(p))
			bad := w.GroupID(3)
			w.Cloud.Fail(fakecloud.Fault{Path: bad, Times: -1, Do: do})
			got, err := read(t.Context(), w.source(t, How{}))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.unreadable) != 1 || got.unreadable[bad] == nil {
				t.Fatalf("want group %s as unreadable, got %v", bad, got.unreadable)
			}
			wantSentence(t, w, got.unreadable[bad], bad)
			clear(got.unreadable)
			want := w.truth()
			delete(want.Members, bad)
			delete(got.Members, bad)
			same(t, want, got)
		})
	}
}

// allGroups can't be read, for what isn't the fault of any: the run ends, instead of asking once
// for each.
func allGroups(t *testing.T, p Provider) {
	for name, do := range map[string]fakecloud.Trouble{"throttled": fakecloud.Throttle, "reset": fakecloud.Reset, "unavailable": fakecloud.Unavailable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 20, Groups: 500, AvgMembers: 2}})
			s, got := w.source(t, How{}), newPicture()
			if err := s.Groups(t.Context(), "", got.takeGroups); err != nil {
				t.Fatal(err)
			}
			w.Cloud.Fail(fakecloud.Fault{Path: w.Paths.Members, Do: do, Times: -1})
			asked := w.Cloud.Requests("")
			wantSentence(t, w, s.Members(t.Context(), slices.Collect(maps.Keys(got.Groups)), got.takeMembers), "")
			if n := w.Cloud.Requests("") - asked; n > mostRequests {
				t.Errorf("it was asked %d times before it was given up", n)
			}
		})
	}
}

// links lead astray: the list ends with an error, and no token goes elsewhere.
func links(t *testing.T, p Provider) {
	for _, f := range []struct {
		name string
		do   fakecloud.Fault
	}{
		{"to the same machine by another name", fakecloud.Fault{Do: fakecloud.ForeignLink}},
		{"to another host", fakecloud.Fault{Do: fakecloud.ForeignLink, Link: "https://attacker.example/v1.0/users?page=2"}},
		{"to the host, with a name before it", fakecloud.Fault{Do: fakecloud.ForeignLink, Link: "http://127.0.0.1@attacker.example/"}},
		{"without end to the same page", fakecloud.Fault{Do: fakecloud.RepeatLink, Times: -1}},
		{"without end to empty pages", fakecloud.Fault{Do: fakecloud.EmptyPages, Times: -1}},
	} {
		if p.PageTokens && f.do.Do == fakecloud.ForeignLink {
			continue
		}
		for _, list := range []string{"users", "groups"} {
			t.Run(list+" "+f.name, func(t *testing.T) {
				t.Parallel()
				w := p.start(t, brokenSetup(p))
				fault := f.do
				if fault.Path = w.Paths.Users; list == "groups" {
					fault.Path = w.Paths.Groups
				}
				w.Cloud.Fail(fault)
				_, err := read(t.Context(), w.source(t, How{}))
				wantSentence(t, w, err, "")
			})
		}
	}
}

// budget has every third request fail: each alone would pass, all together end the run.
func budget(t *testing.T, p Provider) {
	t.Parallel()
	w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 400 * p.UsersPage}})
	for nth := 3; nth < 1000; nth += 3 {
		w.Cloud.Fail(fakecloud.Fault{Path: w.Paths.Users, Nth: nth, Do: fakecloud.Unavailable})
	}
	s := w.source(t, How{})
	err := s.Users(t.Context(), "", func([]dirsync.User, dirsync.Checkpoint) error { return nil })
	wantSentence(t, w, err, "")
	if stats := s.Stats(); stats.Retried > 70 {
		t.Errorf("%d requests were repeated", stats.Retried)
	}
}
