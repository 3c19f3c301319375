package roster_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// A comparison asks SQL and memory the same.
type comparison struct {
	*rand.Rand
	t         *testing.T
	want      roster.Reads
	memory    map[string]roster.Reads // by what the failure calls it
	questions int
}

// compare asks about everything that can be seen of some directories in one random way, and
// about rows that are gone or hidden. ids are of users.
func (c *comparison) compare(s *store.Store, ids []models.ID) {
	c.t.Helper()
	c.lookAt(c.visible(s), append(slices.Clone(userNames), "nobody"), append(slices.Clone(groupNames), "none"), ids)
}

// lookAt asks about users and groups of these names, users of these ids, and all memberships.
func (c *comparison) lookAt(v store.Visible, users, groups []string, ids []models.ID) {
	c.t.Helper()
	for _, name := range users {
		c.user(v, name)
	}
	for _, name := range groups {
		c.group(v, name)
	}
	c.dump(v)
	c.search(v)
	for _, id := range ids {
		ask(c, "user by id", func(r roster.Reads) (*models.User, error) { return r.UserByID(c.t.Context(), id) })
		nested := c.IntN(2) == 0
		ask(c, "keys of a user's groups", func(r roster.Reads) ([]string, error) {
			keys, err := r.GroupNamesOf(c.t.Context(), id, nested)
			return slices.Sorted(slices.Values(keys)), err
		})
	}
	for _, dir := range v.Dirs {
		external := fmt.Sprint("source-", c.IntN(20))
		ask(c, "user by external id", func(r roster.Reads) (*models.User, error) {
			return r.UserByExternalID(c.t.Context(), dir, external)
		})
	}
}

// visible gives some of the directories in some order, and now and then one that is gone.
func (c *comparison) visible(s *store.Store) store.Visible {
	c.t.Helper()
	dirs, err := s.Directories(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	v := store.Visible{Aggregate: c.IntN(2) == 0}
	for _, i := range c.Perm(len(dirs))[:1+c.IntN(len(dirs))] {
		v.Dirs = append(v.Dirs, dirs[i].ID)
	}
	if c.IntN(5) == 0 {
		v.Dirs = slices.Insert(v.Dirs, c.IntN(len(v.Dirs)+1), 1_000_000)
	}
	return v
}

func (c *comparison) page() models.Page {
	if c.IntN(2) == 0 {
		return models.Everything
	}
	return models.Page{Start: c.IntN(4), Max: c.IntN(5) - 1}
}

func (c *comparison) user(v store.Visible, name string) {
	c.t.Helper()
	ctx := c.t.Context()
	ask(c, "user", func(r roster.Reads) (*models.User, error) { return r.VisibleUser(ctx, v, name) })
	rows := ask(c, "users named", func(r roster.Reads) ([]*models.User, error) { return r.UsersNamed(ctx, v, name) })
	if len(rows) == 0 {
		return
	}
	start, p := store.Start{Nested: c.IntN(2) == 0}, c.page()
	for _, u := range rows {
		start.IDs = append(start.IDs, u.ID)
	}
	if !v.Aggregate {
		start.IDs = start.IDs[:1]
	}
	what := fmt.Sprintf("groups of %s in %+v, %+v, %+v", name, v, start, p)
	groups := ask(c, what, func(r roster.Reads) ([]*models.Group, error) { return r.GroupsAround(ctx, v, start, p) })
	sameNames(c, what, groups, groupName, func(s *roster.Snapshot) names { return s.GroupNamesAround(ctx, v, start, p) })
}

func (c *comparison) group(v store.Visible, name string) {
	c.t.Helper()
	ctx := c.t.Context()
	ask(c, "group", func(r roster.Reads) (*models.Group, error) { return r.VisibleGroup(ctx, v, name) })
	rows := ask(c, "groups named", func(r roster.Reads) ([]*models.Group, error) { return r.GroupsNamed(ctx, v, name) })
	if len(rows) == 0 {
		return
	}
	start, p := store.Start{Key: models.Key(name), Nested: c.IntN(2) == 0}, c.page()
	for _, g := range rows {
		start.IDs = append(start.IDs, g.ID)
	}
	what := fmt.Sprintf("%s in %+v, %+v, %+v", name, v, start, p)
	members := ask(c, "members of "+what, func(r roster.Reads) ([]*models.User, error) { return r.MembersOf(ctx, v, start, p) })
	sameNames(c, "members of "+what, members, userName, func(s *roster.Snapshot) names { return s.MemberNames(ctx, v, start, p) })
	children := ask(c, "children of "+what, func(r roster.Reads) ([]*models.Group, error) { return r.ChildrenOf(ctx, v, start, p) })
	sameNames(c, "children of "+what, children, groupName, func(s *roster.Snapshot) names { return s.ChildNames(ctx, v, start, p) })
	if !v.Aggregate {
		start.IDs = start.IDs[:1]
	}
	parents := ask(c, "parents of "+what, func(r roster.Reads) ([]*models.Group, error) { return r.ParentsOf(ctx, v, start, p) })
	sameNames(c, "parents of "+what, parents, groupName, func(s *roster.Snapshot) names { return s.ParentNames(ctx, v, start, p) })
}

type names = iter.Seq2[store.Member, error]

func userName(u *models.User) store.Member   { return store.Member{ID: u.ID, Name: u.Name} }
func groupName(g *models.Group) store.Member { return store.Member{ID: g.ID, Name: g.Name} }

// sameNames compares a stream of names with the list of rows.
func sameNames[T any](c *comparison, what string, want []*T, of func(*T) store.Member, stream func(s *roster.Snapshot) names) {
	c.t.Helper()
	for name, memory := range c.memory {
		got, err := collect(stream(memory.(*roster.Snapshot)))
		same := err == nil && slices.EqualFunc(want, got, func(row *T, m store.Member) bool { return of(row) == m })
		if !same {
			c.t.Errorf("%s: names of %s: want those of %+v, got %+v, %v", name, what, want, got, err)
		}
	}
}

// dump reads all memberships in batches, as the streamed answer does.
func (c *comparison) dump(v store.Visible) {
	c.t.Helper()
	ctx := c.t.Context()
	batch := 1 + c.IntN(6)
	for after := ""; ; {
		groups := ask(c, "groups", func(r roster.Reads) ([]*models.Group, error) { return r.VisibleGroups(ctx, v, after, batch) })
		if len(groups) == 0 {
			return
		}
		last := groups[len(groups)-1].NameKey
		what := fmt.Sprintf(" of groups after %q up to %q in %+v", after, last, v)
		ask(c, "users"+what, func(r roster.Reads) ([]store.Member, error) { return collect(r.DumpUsers(ctx, v, after, last)) })
		ask(c, "children"+what, func(r roster.Reads) ([]store.Member, error) { return collect(r.DumpChildren(ctx, v, after, last)) })
		after = last
	}
}

func collect(seq iter.Seq2[store.Member, error]) (out []store.Member, err error) {
	for m, err := range seq {
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// ask compares the answers, and gives the wanted one. The keys for searches are not in the
// roster; of failures the code and the text count.
func ask[T any](c *comparison, what string, question func(r roster.Reads) (T, error)) T {
	c.t.Helper()
	c.questions++
	want, wantErr := question(c.want)
	withoutKeys(want)
	for name, memory := range c.memory {
		got, err := question(memory)
		if told(wantErr) != told(err) {
			c.t.Errorf("%s: %s: want failure %q, got %q", name, what, told(wantErr), told(err))
		}
		if !reflect.DeepEqual(want, got) { // else the search for the difference is not worth its time
			testkit.Diff(c.t, name+": "+what, want, got, cmpopts.EquateEmpty())
		}
	}
	return want
}

func withoutKeys(answer any) {
	switch rows := answer.(type) {
	case *models.User:
		withoutKeys([]*models.User{rows})
	case *models.Group:
		withoutKeys([]*models.Group{rows})
	case []*models.User:
		for _, u := range rows {
			if u != nil {
				u.FirstKey, u.LastKey, u.DisplayKey, u.EmailKey = "", "", "", ""
			}
		}
	case []*models.Group:
		for _, g := range rows {
			if g != nil {
				g.DescriptionKey = ""
			}
		}
	}
}

func told(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprint(models.CodeOf(err), ": ", err)
}
