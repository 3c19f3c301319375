package entra_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/entra"
)

// A token endpoint that isn't found must not look like a group or a user that isn't there, and
// nothing that it says like something Graph said.
func TestMissingTokenIsNoMissingObject(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		after string // what is still answered before there are no more tokens
		ask   func(ctx context.Context, s *entra.Source, id string) (told any, err error)
	}{
		{"members of a large group", `^/v1\.0/\$batch`, func(ctx context.Context, s *entra.Source, id string) (told any, err error) {
			err = s.Members(ctx, []string{id}, func(m dirsync.Members) error {
				if m.Gone || m.Unreadable != nil {
					told = m
				}
				return nil
			})
			return told, err
		}},
		{"a user's many groups", `^/v1\.0/\$batch`, func(ctx context.Context, s *entra.Source, id string) (told any, err error) {
			err = s.GroupsOf(ctx, []string{id}, func(_ string, groups []string) error {
				told = groups
				return nil
			})
			return told, err
		}},
		{"users by id", `/token$`, func(ctx context.Context, s *entra.Source, id string) (told any, err error) {
			return nil, s.UsersByID(ctx, []string{id}, func(dirsync.User) error { return nil })
		}},
		{"changes", `^/v1\.0/groups/delta`, func(ctx context.Context, s *entra.Source, _ string) (told any, err error) {
			cursor, err := s.Begin(ctx)
			if err != nil {
				return nil, err
			}
			_, err = s.Changes(ctx, cursor, func(dirsync.Changes) error { return nil })
			if _, ok := err.(*dirsync.FullRead); ok {
				told = err
			}
			return told, err
		}},
		{"a check of users", `/token$`, check},
		{"a check of members", `^/v1\.0/groups\?`, check},
		{"a check of the secret", `^/v1\.0/groups/[^/]+/members`, check},
	} {
		for _, do := range []fakecloud.Trouble{fakecloud.NotFound, fakecloud.Forbidden, fakecloud.Gone, fakecloud.ServerError} {
			cloud := startEntra(t, fakecloud.EntraConfig{PageLimit: 2})
			cloud.Edit(func(e *fakecloud.Edit) {
				inner := e.CreateGroup(fakecloud.Group{Name: "inner"})
				for _, name := range []string{"a", "b", "c"} {
					e.AddUser(inner, e.CreateUser(fakecloud.User{Login: name + "@contoso.example"}))
					e.AddUser(e.CreateGroup(fakecloud.Group{Name: name}), 0)
				}
			})
			id := cloud.UserID(0)
			if strings.HasPrefix(c.name, "members") {
				id = cloud.GroupID(0)
			}
			cloud.After(c.after, 1, func() {
				cloud.RevokeTokens()
				cloud.Fail(fakecloud.Fault{Path: "/token$", Do: do, Times: -1})
			})
			o := optionsFor(cloud)
			o.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
			told, err := c.ask(t.Context(), newSource(t, o), id)
			if err == nil || !strings.Contains(err.Error(), "/oauth2/v2.0/token was answered") || told != nil {
				t.Errorf("%s, trouble %v: want the token endpoint's refusal alone, got %v and %v", c.name, do, told, err)
			}
		}
	}
}

func check(ctx context.Context, s *entra.Source, _ string) (told any, err error) {
	report, err := s.Check(ctx)
	if len(report.Missing) > 0 {
		told = report.Missing
	}
	return told, err
}

// Between two pages of a user's groups the user may be deleted: then there are none.
func TestAUserWhoIsGoneIsInNoGroup(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{PageLimit: 2})
	cloud.Edit(func(e *fakecloud.Edit) {
		ada := e.CreateUser(fakecloud.User{Login: "ada@contoso.example"})
		for _, name := range []string{"a", "b", "c"} {
			e.AddUser(e.CreateGroup(fakecloud.Group{Name: name}), ada)
		}
	})
	s := newSource(t, optionsFor(cloud))
	for _, want := range []int{3, 0} {
		var got []string
		if err := s.GroupsOf(t.Context(), []string{cloud.UserID(0)}, func(_ string, groups []string) error {
			got = slices.Clone(groups)
			return nil
		}); err != nil || len(got) != want {
			t.Errorf("want %d groups, got %v, %v", want, got, err)
		}
		cloud.After("/memberOf", 1, func() { cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(0) }) })
	}
}
