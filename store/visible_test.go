package store_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestSQLAnswersAsThePlainRulesDo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		s := db.Open(t)
		for n := range 4 {
			w := randomWorld(t, s, r, fmt.Sprintf("world %d", n))
			for _, aggregate := range []bool{false, true} {
				dirs := []models.ID{w.dirs[0].ID, w.dirs[1].ID, w.dirs[2].ID}
				r.Shuffle(len(dirs), func(i, j int) { dirs[i], dirs[j] = dirs[j], dirs[i] })
				l := look{w, store.Visible{Dirs: dirs[:1+r.IntN(3)], Aggregate: aggregate}}
				compareLook(t, s, l, r)
				if t.Failed() {
					t.Fatalf("in world %d seen by %+v", n, l.v)
				}
			}
		}
	})
}

func compareLook(t *testing.T, s *store.Store, l look, r *rand.Rand) {
	t.Helper()
	for _, key := range l.userKeys() {
		compareUser(t, s, l, key, randomPage(r))
	}
	for _, key := range l.groupKeys() {
		compareGroup(t, s, l, key, randomPage(r))
	}
	compareDumps(t, s, l)
	_, err := s.VisibleUser(t.Context(), l.v, "nobody")
	wantCode(t, "user nobody", models.UserNotFound, err)
	_, err = s.VisibleGroup(t.Context(), l.v, "nobody")
	wantCode(t, "group nobody", models.GroupNotFound, err)
}

func randomPage(r *rand.Rand) models.Page {
	if r.IntN(2) == 0 {
		return models.Everything
	}
	return models.Page{Start: r.IntN(3), Max: r.IntN(4) - 1}
}

func compareUser(t *testing.T, s *store.Store, l look, key string, p models.Page) {
	t.Helper()
	rows := l.userRows(key)
	u, err := s.VisibleUser(t.Context(), l.v, rows[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Diff(t, "user "+key, rows[0], u)
	named, err := s.UsersNamed(t.Context(), l.v, key)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Diff(t, "users named "+key, rows, named)

	for _, nested := range []bool{false, true} {
		start := store.Start{Nested: nested}
		for _, u := range counting(l, rows) {
			start.IDs = append(start.IDs, u.ID)
		}
		groups, err := s.GroupsAround(t.Context(), l.v, start, p)
		l.checkGroups(t, fmt.Sprintf("groups of user %s, nested %v, %+v", key, nested, p), page(l.groupsOfUser(key, nested), p), groups, err)
	}
}

func compareGroup(t *testing.T, s *store.Store, l look, key string, p models.Page) {
	t.Helper()
	rows := l.groupRows(key)
	named, err := s.GroupsNamed(t.Context(), l.v, key)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Diff(t, "groups named "+key, rows, named)
	g, err := s.VisibleGroup(t.Context(), l.v, key)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Diff(t, "group "+key, rows[0], g)

	var all []models.ID
	for _, g := range rows {
		all = append(all, g.ID)
	}
	for _, nested := range []bool{false, true} {
		what := fmt.Sprintf("of group %s, nested %v, %+v", key, nested, p)
		parents, err := s.ParentsOf(t.Context(), l.v, store.Start{IDs: counting(l, all), Key: key, Nested: nested}, p)
		l.checkGroups(t, "parents "+what, page(l.parentsOfGroup(key, nested), p), parents, err)

		// As the container a group is that of each directory.
		start := store.Start{IDs: all, Key: key, Nested: nested}
		children, err := s.ChildrenOf(t.Context(), l.v, start, p)
		l.checkGroups(t, "children "+what, page(l.childrenOfGroup(key, nested), p), children, err)
		members, err := s.MembersOf(t.Context(), l.v, start, p)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, u := range members {
			keys = append(keys, u.NameKey)
			if u.ID != l.userRows(u.NameKey)[0].ID {
				t.Errorf("members %s: %s is not the canonical row", what, u.Name)
			}
		}
		testkit.Diff(t, "members "+what, none(page(l.usersInGroup(key, nested), p)), keys)
	}
}

func (l look) checkGroups(t *testing.T, what string, want []string, got []*models.Group, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, g := range got {
		keys = append(keys, g.NameKey)
		if g.ID != l.groupRows(g.NameKey)[0].ID {
			t.Errorf("%s: %s is not the canonical row", what, g.Name)
		}
	}
	testkit.Diff(t, what, none(want), keys)
}

// none makes no difference between an empty list and none.
func none(keys []string) []string {
	if len(keys) == 0 {
		return nil
	}
	return keys
}

// compareDumps reads all memberships in batches of two groups, as the streamed answer does.
func compareDumps(t *testing.T, s *store.Store, l look) {
	t.Helper()
	var groups, users, children []string
	for after := ""; ; {
		batch, err := s.VisibleGroups(t.Context(), l.v, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		last := batch[len(batch)-1].NameKey
		for _, g := range batch {
			groups = append(groups, g.NameKey)
		}
		users = append(users, l.lines(t, s.DumpUsers(t.Context(), l.v, after, last))...)
		children = append(children, l.lines(t, s.DumpChildren(t.Context(), l.v, after, last))...)
		after = last
	}
	var wantUsers, wantChildren []string
	for _, key := range l.groupKeys() {
		for _, u := range l.usersInGroup(key, false) {
			wantUsers = append(wantUsers, key+"/"+l.userRows(u)[0].Name)
		}
		for _, g := range l.childrenOfGroup(key, false) {
			wantChildren = append(wantChildren, key+"/"+l.groupRows(g)[0].Name)
		}
	}
	testkit.Diff(t, "dumped groups", none(l.groupKeys()), groups)
	testkit.Diff(t, "dumped users", wantUsers, users)
	testkit.Diff(t, "dumped children", wantChildren, children)
}

func (l look) lines(t *testing.T, members iter.Seq2[store.Member, error]) (out []string) {
	t.Helper()
	for m, err := range members {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m.GroupKey+"/"+m.Name)
	}
	return out
}

func TestWithoutDirectoriesNothingIsSeen(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		addUser(t, s, addDirectory(t, s, "staff"), "ada")
		var v store.Visible
		_, err := s.VisibleUser(t.Context(), v, "ada")
		wantCode(t, "user", models.UserNotFound, err)
		_, err = s.VisibleGroup(t.Context(), v, "all")
		wantCode(t, "group", models.GroupNotFound, err)
		groups, err := s.VisibleGroups(t.Context(), v, "", 10)
		if err != nil || len(groups) > 0 {
			t.Errorf("want no groups, got %d, %v", len(groups), err)
		}
		for name, ask := range map[string]func() (int, error){
			"groups of nobody": func() (int, error) {
				g, err := s.GroupsAround(t.Context(), v, store.Start{}, models.Everything)
				return len(g), err
			},
			"members of none": func() (int, error) {
				u, err := s.MembersOf(t.Context(), v, store.Start{}, models.Everything)
				return len(u), err
			},
			"children of none": func() (int, error) {
				g, err := s.ChildrenOf(t.Context(), v, store.Start{}, models.Everything)
				return len(g), err
			},
			"a page of nothing": func() (int, error) {
				g, err := s.ParentsOf(t.Context(), v, store.Start{IDs: []models.ID{1}}, models.Page{})
				return len(g), err
			},
		} {
			if n, err := ask(); n > 0 || err != nil {
				t.Errorf("%s: want nothing, got %d, %v", name, n, err)
			}
		}
	})
}

// A statement costs 20 KB as long as it is kept: with one for each user, a directory of 100,000
// took all memory.
func TestStatementsDoNotGrowWithUsersAndPages(t *testing.T) {
	t.Parallel()
	testkit.OnSQLite(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		before := 0
		for i := range 20 {
			start := store.Start{IDs: []models.ID{models.ID(i)}, Key: fmt.Sprint(i), Nested: true}
			p := models.Page{Start: i + 1, Max: i + 1}
			for _, aggregate := range []bool{false, true} {
				v := store.Visible{Dirs: []models.ID{staff.ID}, Aggregate: aggregate}
				for _, ask := range []func() error{
					func() error { _, err := s.GroupsAround(t.Context(), v, start, p); return err },
					func() error { _, err := s.ParentsOf(t.Context(), v, start, p); return err },
					func() error { _, err := s.MembersOf(t.Context(), v, start, p); return err },
					func() error { _, err := s.ChildrenOf(t.Context(), v, start, p); return err },
					func() error { _, err := s.UsersNamed(t.Context(), v, start.Key); return err },
					func() error { _, err := s.VisibleGroups(t.Context(), v, start.Key, p.Max); return err },
					func() error {
						_, err := s.SearchUsers(t.Context(), store.Search{Visible: v, After: start.Key, Skip: p.Start, Limit: p.Max})
						return err
					},
				} {
					if err := ask(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if i == 0 {
				before = store.Prepared(s)
			}
		}
		if after := store.Prepared(s); after != before || before == 0 {
			t.Errorf("one user took %d statements, twenty take %d", before, after)
		}
	})
}
