package okta_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/okta"
)

func TestEveryStatus(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{})
	at := map[string]fakecloud.UserNo{}
	w.Edit(func(e *fakecloud.Edit) {
		for _, status := range []string{"ACTIVE", "PASSWORD_EXPIRED", "LOCKED_OUT", "RECOVERY", "PROVISIONED", "SUSPENDED", "STAGED", "NEW_AT_OKTA"} {
			at[status] = e.CreateUser(fakecloud.User{Login: status, Attributes: map[string]string{"status": status}})
		}
		at["DEPROVISIONED"] = e.CreateUser(fakecloud.User{Login: "DEPROVISIONED"})
		e.DeleteUser(at["DEPROVISIONED"])
		g := e.CreateGroup(fakecloud.Group{Name: "all of them"})
		for _, u := range at {
			e.AddUser(g, u)
		}
	})
	told := func(s dirsync.Source) map[string]bool {
		active := map[string]bool{}
		for _, u := range users(t, s) {
			name, _, _ := strings.Cut(u.Login, "@")
			active[name] = u.Active
		}
		return active
	}
	want := map[string]bool{
		"ACTIVE": true, "PASSWORD_EXPIRED": true, "LOCKED_OUT": true, "RECOVERY": true, "PROVISIONED": true,
		"SUSPENDED": false, "NEW_AT_OKTA": false, // STAGED and DEPROVISIONED aren't users here
	}
	s := w.source()
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Error(diff)
	}
	if got := members(t, s, w.GroupID(0))[w.GroupID(0)]; len(got) != len(want) {
		t.Errorf("the group has %d members, want those %d who are users", len(got), len(want))
	}
	want["LOCKED_OUT"], want["PROVISIONED"] = false, false
	strict := w.source(func(o *okta.Options) { o.Inactive = []string{"LOCKED_OUT", "PROVISIONED"} })
	if diff := cmp.Diff(want, told(strict)); diff != "" {
		t.Error(diff)
	}
}

func TestUsersAndGroupsInOurWords(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{})
	w.Edit(func(e *fakecloud.Edit) {
		e.CreateUser(fakecloud.User{Login: "ada", Given: "Ada", Surname: "Lovelace", Mail: "ada@elsewhere.example", Display: "Countess",
			Department: "Engines", Attributes: map[string]string{"site": "Kent"}})
		e.CreateUser(fakecloud.User{Login: "bare"})
		e.CreateGroup(fakecloud.Group{Name: "devs", Description: "who builds"})
		e.CreateGroup(fakecloud.Group{Name: "imported", Kind: fakecloud.Unified})
	})
	asked := func(o *okta.Options) { o.Attributes = []string{"department", "profile.site", "missing", "site"} }
	want := []dirsync.User{
		{ID: w.UserID(0), Login: "ada@contoso.example", Mail: "ada@elsewhere.example", First: "Ada", Last: "Lovelace", Display: "Countess", Active: true,
			Attributes: []models.Attribute{{Name: "department", Values: []string{"Engines"}}, {Name: "profile.site", Values: []string{"Kent"}},
				{Name: "site", Values: []string{"Kent"}}}},
		{ID: w.UserID(1), Login: "bare@contoso.example", Display: "bare", Active: true},
	}
	if diff := cmp.Diff(want, users(t, w.source(asked))); diff != "" {
		t.Error(diff)
	}
	both := []dirsync.Group{{ID: w.GroupID(0), Name: "devs", Description: "who builds"}, {ID: w.GroupID(1), Name: "imported"}}
	if diff := cmp.Diff(both, groups(t, w.source())); diff != "" {
		t.Error(diff)
	}
	own := w.source(func(o *okta.Options) { o.GroupTypes = []string{"OKTA_GROUP"} })
	if diff := cmp.Diff(both[:1], groups(t, own)); diff != "" {
		t.Error(diff)
	}
}

// Everybody is in Everyone, and a million members take five thousand requests.
func TestEveryoneIsOneMember(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 500, Groups: 2, AvgMembers: 300, Everyone: true}})
	s := w.source()
	got := members(t, s, w.GroupID(0), w.GroupID(1))
	if diff := cmp.Diff([]dirsync.Member{{Kind: dirsync.MemberEverybody}}, got[w.GroupID(0)]); diff != "" {
		t.Error(diff)
	}
	if len(got[w.GroupID(1)]) != 100 {
		t.Errorf("the other group has %d members", len(got[w.GroupID(1)]))
	}
	if n := w.Requests("GET /api/v1/groups/{id}/users"); n != 1 {
		t.Errorf("members were asked for %d times", n)
	}
}

func TestTokensGoNowhereElse(t *testing.T) {
	t.Parallel()
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stolen.Add(1)
		fmt.Fprint(w, "[]")
	}))
	t.Cleanup(thief.Close)
	ask := map[string]func(s *okta.Source, w *world) error{
		"/api/v1/users": func(s *okta.Source, _ *world) error {
			return s.Users(t.Context(), "", func([]dirsync.User, dirsync.Checkpoint) error { return nil })
		},
		"/api/v1/groups": func(s *okta.Source, _ *world) error {
			return s.Groups(t.Context(), "", func([]dirsync.Group, dirsync.Checkpoint) error { return nil })
		},
		"/api/v1/groups/.*/users": func(s *okta.Source, w *world) error {
			return s.Members(t.Context(), []string{w.GroupID(0)}, func(m dirsync.Members) error { return m.Unreadable })
		},
		"/api/v1/users/.*/groups": func(s *okta.Source, w *world) error {
			return s.GroupsOf(t.Context(), []string{w.UserID(0)}, func(string, []string) error { return nil })
		},
		"/api/v1/logs": func(s *okta.Source, _ *world) error {
			_, err := s.Changes(t.Context(), begin(t, s), func(dirsync.Changes) error { return nil })
			return err
		},
		"search=": func(s *okta.Source, _ *world) error {
			_, err := s.Changes(t.Context(), begin(t, s), func(dirsync.Changes) error { return nil })
			return err
		},
	}
	for path, do := range ask {
		for _, elsewhere := range []string{thief.URL + "/api/v1/users", ""} { // or the org's own by another name
			w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 5, Groups: 2, AvgMembers: 2}})
			s := w.source()
			w.Fail(fakecloud.Fault{Path: path, Do: fakecloud.ForeignLink, Link: elsewhere, Times: -1})
			err := do(s, w)
			if err == nil || !strings.Contains(err.Error(), "next link to http://") || !strings.Contains(err.Error(), "not followed") {
				t.Errorf("%s: want an error that names the link's host, got %v", path, err)
			}
		}
	}
	if n := stolen.Load(); n != 0 {
		t.Errorf("%d requests went to another host", n)
	}
}

func TestAnUnreadableGroupIsNoEmptyOne(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 20, Groups: 4, AvgMembers: 5}})
	w.Fail(fakecloud.Fault{Path: w.GroupID(1) + "/users", Do: fakecloud.Forbidden, Times: -1})
	w.Fail(fakecloud.Fault{Path: w.GroupID(2) + "/users", Do: fakecloud.ServerError, Times: -1})
	w.Edit(func(e *fakecloud.Edit) { e.DeleteGroup(3) })
	got := map[string]dirsync.Members{}
	err := w.source().Members(t.Context(), []string{w.GroupID(0), w.GroupID(1), w.GroupID(2), w.GroupID(3)}, func(m dirsync.Members) error {
		got[m.Group] = m
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if m := got[w.GroupID(0)]; !m.Last || m.Unreadable != nil || len(m.Members) == 0 {
		t.Errorf("the first is %+v", m)
	}
	for n, text := range map[fakecloud.GroupNo]string{1: "E0000006", 2: "E0000009"} {
		if m := got[w.GroupID(n)]; m.Unreadable == nil || m.Last || !strings.Contains(m.Unreadable.Error(), text) {
			t.Errorf("want unreadable with %s, got %+v", text, m)
		}
	}
	if m := got[w.GroupID(3)]; !m.Gone {
		t.Errorf("the deleted one is %+v", m)
	}
}

// A 404 of a proxy isn't Okta's word that a group was deleted.
func TestOnlyOktaSaysThatAGroupIsGone(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/groups/") {
			http.Error(w, "<html>no such site</html>", http.StatusNotFound)
			return
		}
		fmt.Fprint(w, "[]")
	}))
	t.Cleanup(proxy.Close)
	s, err := okta.New(okta.Options{OrgURL: proxy.URL, Token: "00abc"})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Members(t.Context(), []string{"00gabc"}, func(m dirsync.Members) error {
		if m.Gone || m.Unreadable == nil || !strings.Contains(m.Unreadable.Error(), "check org-url") {
			t.Errorf("got %+v", m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What was sent up to a checkpoint isn't sent again; a checkpoint that Okta no longer takes
// begins the list anew.
func TestReadingGoesOnFromACheckpoint(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 600}})
	var at dirsync.Checkpoint
	stop := errors.New("killed")
	err := w.source().Users(t.Context(), "", func(_ []dirsync.User, next dirsync.Checkpoint) error {
		at = next
		return stop
	})
	if !errors.Is(err, stop) || at == "" {
		t.Fatalf("got %v and %q", err, at)
	}
	count := func() (n int) {
		err := w.source().Users(t.Context(), at, func(page []dirsync.User, _ dirsync.Checkpoint) error {
			n += len(page)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 400 {
		t.Errorf("after the first page came %d users", n)
	}
	w.clock.Advance(48 * time.Hour)
	if n := count(); n != 600 {
		t.Errorf("with an old checkpoint came %d users", n)
	}
	at = "http://127.0.0.1:1/elsewhere"
	if n := count(); n != 600 {
		t.Errorf("with a foreign checkpoint came %d users", n)
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	w := start(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 30, Groups: 6, AvgMembers: 10}})
	w.Edit(func(e *fakecloud.Edit) {
		e.CreateUser(fakecloud.User{Login: "ada", Mail: `o"hara\x@contoso.example`})
		e.DeleteUser(1)
		e.PurgeUser(2)
	})
	s := w.source()
	for _, word := range []string{w.UserID(30), "ADA@contoso.example", `o"hara\x@contoso.example`, " ada@contoso.example "} {
		found, err := s.Find(t.Context(), word)
		if err != nil || len(found) != 1 || found[0].ID != w.UserID(30) {
			t.Errorf("%q finds %+v, %v", word, found, err)
		}
	}
	for _, word := range []string{"", "me", "nobody", w.UserID(2), w.GroupID(0), strings.Repeat("x", 1000), `" or status eq "ACTIVE`} {
		if found, err := s.Find(t.Context(), word); err != nil || len(found) != 0 {
			t.Errorf("%q finds %+v, %v", word, found, err)
		}
	}
	var there []string
	err := s.UsersByID(t.Context(), []string{w.UserID(0), w.UserID(1), w.UserID(2), "ada@contoso.example"}, func(u dirsync.User) error {
		there = append(there, u.ID)
		return nil
	})
	if diff := cmp.Diff([]string{w.UserID(0)}, there); err != nil || diff != "" {
		t.Error(err, diff)
	}
	in := map[string][]string{}
	err = s.GroupsOf(t.Context(), []string{w.UserID(3), w.UserID(2)}, func(user string, groups []string) error {
		in[user] = groups
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for g := range w.Directory.Groups() {
		if w.Directory.IsMember(g, fakecloud.Member{Kind: fakecloud.UserMember, N: 3}) {
			want = append(want, w.GroupID(g))
		}
	}
	if got, known := in[w.UserID(2)]; !known || len(got) != 0 || !slices.Equal(want, in[w.UserID(3)]) || len(want) == 0 {
		t.Errorf("got %v, want %v for the first", in, want)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	good := okta.Options{OrgURL: "https://example.okta.com", Token: "00abc"}
	if _, err := okta.New(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*okta.Options){
		"https://example.okta.com":           func(o *okta.Options) { o.OrgURL = "https://example-admin.okta.com" },
		"leave out /api/v1":                  func(o *okta.Options) { o.OrgURL += "/api/v1" },
		"use https":                          func(o *okta.Options) { o.OrgURL = "http://example.okta.com" },
		"write it as https":                  func(o *okta.Options) { o.OrgURL = "" },
		"set either token":                   func(o *okta.Options) { o.Token = "" },
		"or client-id and private-key":       func(o *okta.Options) { o.ClientID = "0oa" },
		"token: it is one word":              func(o *okta.Options) { o.Token = "two words" },
		"private-key: it has to be":          func(o *okta.Options) { o.Token, o.ClientID, o.Key = "", "0oa", "nonsense" },
		"inactive-statuses: DEPROVISIONED":   func(o *okta.Options) { o.Inactive = []string{"DEPROVISIONED"} },
		"attributes: \"a b\" is not":         func(o *okta.Options) { o.Attributes = []string{"a b"} },
		"own CA: no certificate in it":       func(o *okta.Options) { o.CA = []byte("nonsense") },
		"proxy: not an address; write it as": func(o *okta.Options) { o.Proxy = "nonsense" },
	} {
		o := good
		change(&o)
		if _, err := okta.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}
