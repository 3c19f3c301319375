package entra_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/entra"
)

// Graph has refused good delta links for days, with answers of all kinds: a run that stops there
// stops each time, until the link is too old.
func TestALinkThatGraphRefusesWantsAFullRead(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*fakecloud.Entra){
		"404 for users": func(c *fakecloud.Entra) {
			c.Fail(fakecloud.Fault{Path: "/users/delta", Do: fakecloud.NotFound, Reason: "UnknownError", Times: -1})
		},
		"404 for groups": func(c *fakecloud.Entra) {
			c.Fail(fakecloud.Fault{Path: "/groups/delta", Do: fakecloud.NotFound, Reason: "UnknownError", Times: -1})
		},
		"the same page again and again": func(c *fakecloud.Entra) {
			c.Fail(fakecloud.Fault{Path: "/users/delta", Do: fakecloud.RepeatLink, Times: -1})
		},
		"pages without end": func(c *fakecloud.Entra) {
			c.Fail(fakecloud.Fault{Path: "/groups/delta", Do: fakecloud.EmptyPages, Times: -1})
		},
		"400 for a later page": func(c *fakecloud.Entra) {
			c.Set(func(c *fakecloud.EntraConfig) { c.LinkLife = -2 * time.Second })
		},
	} {
		cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, DeltaPage: 1})
		s := newSource(t, optionsFor(cloud))
		cursor, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cloud.Edit(func(e *fakecloud.Edit) {
			for n := range fakecloud.UserNo(3) {
				e.UpdateUser(n, func(u *fakecloud.User) { u.Surname = "Byron" })
			}
		})
		spoil(cloud)
		_, err = s.Changes(t.Context(), cursor, func(dirsync.Changes) error { return nil })
		var full *dirsync.FullRead
		if !errors.As(err, &full) {
			t.Errorf("%s: want a full read, got %v", name, err)
		}
		cloud.Heal()
	}
}

// Delta queries have been seen to leave accountEnabled out. Whoever is disabled stays so.
func TestADeltaWithoutAccountEnabledActivatesNobody(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: small, DeltaLeavesOut: "accountEnabled"})
	cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(1, func(u *fakecloud.User) { u.Disabled = true }) })
	s := newSource(t, optionsFor(cloud))
	cursor, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(1, func(u *fakecloud.User) { u.Surname = "Byron" }) })
	var told []dirsync.User
	if _, err := s.Changes(t.Context(), cursor, func(c dirsync.Changes) error {
		told = append(told, c.Users...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Active || told[0].Last != "Byron" {
		t.Errorf("want one user, renamed and disabled, got %+v", told)
	}
}

// A user who is new to one of Graph's copies may be unknown to another: no reason to say that there
// are no groups, for nobody would ask again.
func TestAUserWhoIsNewIsAskedForAgain(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{})
	cloud.Edit(func(e *fakecloud.Edit) {
		e.AddUser(e.CreateGroup(fakecloud.Group{Name: "engines"}), e.CreateUser(fakecloud.User{Login: "ada@contoso.example"}))
	})
	cloud.Fail(fakecloud.Fault{Path: "/memberOf", Do: fakecloud.NotFound})
	o := optionsFor(cloud)
	o.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	var got []string
	if err := newSource(t, o).GroupsOf(t.Context(), []string{cloud.UserID(0)}, func(_ string, groups []string) error {
		got = append(got, groups...)
		return nil
	}); err != nil || len(got) != 1 {
		t.Errorf("want the group, got %v, %v", got, err)
	}
}

// What the delta query told isn't told again: a copy of Graph that is behind it mustn't undo it.
func TestGroupsOfAUserAreNotBehindTheChanges(t *testing.T) {
	t.Parallel()
	clock := fakecloud.NewClock(time.Now())
	cloud := startEntra(t, fakecloud.EntraConfig{MemberOfLag: time.Minute, Now: clock.Now})
	var left, stays, joins fakecloud.GroupNo
	cloud.Edit(func(e *fakecloud.Edit) {
		ada := e.CreateUser(fakecloud.User{Login: "ada@contoso.example"})
		left, stays, joins = e.CreateGroup(fakecloud.Group{Name: "left"}), e.CreateGroup(fakecloud.Group{Name: "stays"}), e.CreateGroup(fakecloud.Group{Name: "joins"})
		e.AddUser(left, ada)
		e.AddUser(stays, ada)
	})
	clock.Advance(10 * time.Minute)
	o := optionsFor(cloud)
	o.Now = clock.Now
	s := newSource(t, o)
	cursor, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cloud.Edit(func(e *fakecloud.Edit) {
		e.RemoveUser(left, 0)
		e.AddUser(joins, 0)
	})
	if _, err := s.Changes(t.Context(), cursor, func(dirsync.Changes) error { return nil }); err != nil {
		t.Fatal(err)
	}
	want := func(groups ...fakecloud.GroupNo) {
		t.Helper()
		var got, ids []string
		for _, g := range groups {
			ids = append(ids, cloud.GroupID(g))
		}
		if err := s.GroupsOf(t.Context(), []string{cloud.UserID(0)}, func(_ string, groups []string) error {
			got = append(got, groups...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(ids)
		slices.Sort(got)
		if !slices.Equal(ids, got) {
			t.Errorf("want %v, got %v", ids, got)
		}
	}
	want(joins, stays)
	// A full read begins anew: from now on what Graph says counts, and what changes is told later.
	if _, err := s.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(left, stays)
}

// A user of whom a page says too little, and a later one that it is gone, isn't asked for: a copy of
// Graph that is behind would bring it back for good.
func TestAUserWhoIsGoneInTheEndIsNotAskedFor(t *testing.T) {
	t.Parallel()
	var graph *httptest.Server
	graph = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/token"):
			fmt.Fprint(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"opaque"}`)
		case strings.HasSuffix(r.URL.Path, "/$batch"):
			fmt.Fprint(w, `{"responses":[{"id":"1","status":200,"body":{"id":"ada","userPrincipalName":"ada@contoso.example","accountEnabled":true}}]}`)
		case r.URL.Query().Get("$skiptoken") != "":
			fmt.Fprintf(w, `{"value":[{"id":"ada","@removed":{"reason":"changed"}}],"@odata.deltaLink":"%s/v1.0/users/delta?$deltatoken=2"}`, graph.URL)
		case strings.HasSuffix(r.URL.Path, "/users/delta") && r.URL.Query().Get("$deltatoken") == "1":
			fmt.Fprintf(w, `{"value":[{"id":"ada"}],"@odata.nextLink":"%s/v1.0/users/delta?$skiptoken=1"}`, graph.URL)
		default:
			fmt.Fprintf(w, `{"value":[],"@odata.deltaLink":"%s%s?$deltatoken=1"}`, graph.URL, r.URL.Path)
		}
	}))
	defer graph.Close()
	s := newSource(t, entra.Options{Tenant: "t", ClientID: "c", Secret: "s", GraphURL: graph.URL + "/v1.0", AuthorityURL: graph.URL})
	cursor, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	there := true
	if _, err := s.Changes(t.Context(), cursor, func(c dirsync.Changes) error {
		there = len(c.Users) > 0 || there && len(c.GoneUsers) == 0
		return nil
	}); err != nil || there {
		t.Errorf("want the user gone in the end, got %v, %v", there, err)
	}
}
