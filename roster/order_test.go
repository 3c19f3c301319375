package roster_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// A stage is a directory with two users and a group, before a scene, and how scenes write.
type stage struct {
	t        *testing.T
	s        *store.Store
	dir      *models.Directory
	ada, bob *models.User
	crew     *models.Group
}

func newStage(t *testing.T, s *store.Store, name string) *stage {
	t.Helper()
	st := &stage{t: t, s: s, dir: &models.Directory{Name: name, Kind: models.KindInternal, Active: true, Permissions: models.AllPermissions}}
	st.write(func(tx *store.Tx) error { return tx.CreateDirectory(st.dir, nil) })
	st.ada, st.bob, st.crew = st.user("ada", "1"), st.user("bob", "2"), st.group("crew")
	st.add(st.crew, st.ada)
	return st
}

func (st *stage) write(do func(tx *store.Tx) error) {
	st.t.Helper()
	if err := st.s.Write(st.t.Context(), models.System, do); err != nil {
		st.t.Fatal(err)
	}
}

func (st *stage) user(name, external string) *models.User {
	st.t.Helper()
	u := &models.User{DirectoryID: st.dir.ID, Name: name, ExternalID: external, Active: true}
	st.write(func(tx *store.Tx) error { return tx.CreateUser(u) })
	return u
}

func (st *stage) group(name string) *models.Group {
	st.t.Helper()
	g := &models.Group{DirectoryID: st.dir.ID, Name: name, Active: true}
	st.write(func(tx *store.Tx) error { return tx.CreateGroup(g) })
	return g
}

// rename and mail work on a copy, so that scenes can go on from what they had read before.
func (st *stage) rename(u *models.User, name string) *models.User {
	st.t.Helper()
	now := *u
	st.write(func(tx *store.Tx) error { return tx.RenameUser(&now, name) })
	return &now
}

func (st *stage) mail(u *models.User, address string) *models.User {
	st.t.Helper()
	now := *u
	now.Email = address
	st.write(func(tx *store.Tx) error { return tx.SaveUser(u, &now) })
	return &now
}

func (st *stage) remove(u *models.User) {
	st.t.Helper()
	st.write(func(tx *store.Tx) error { return tx.DeleteUser(u) })
}

func (st *stage) add(g *models.Group, u *models.User) {
	st.t.Helper()
	st.write(func(tx *store.Tx) error { return tx.AddMember(g, u) })
}

// Whatever the order in which transactions are heard of, wherever a fold comes between them,
// and whichever of them the base had when it was loaded, the picture in the end is that of the
// rows.
func TestTransactionsMayBeHeardInAnyOrder(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(st *stage){
		"a name that three had in turn": func(st *stage) {
			st.rename(st.bob, "bob 2")
			ada := st.rename(st.ada, "bob")
			st.rename(ada, "ada 2")
			st.user("bob", "3")
		},
		"a name that is left and taken back": func(st *stage) {
			ada := st.rename(st.ada, "ada 2")
			bob := st.rename(st.bob, "ada")
			st.rename(bob, "bob")
			st.rename(ada, "ada")
		},
		"a user that comes, joins and is renamed": func(st *stage) {
			cal := st.user("cal", "3")
			st.add(st.crew, cal)
			st.rename(cal, "dot")
		},
		"a name and an external id that somebody new gets": func(st *stage) {
			st.remove(st.ada)
			st.add(st.crew, st.user("ada", "1"))
		},
		"a member that goes, comes, and goes": func(st *stage) {
			st.write(func(tx *store.Tx) error { return tx.RemoveMember(st.crew, st.ada) })
			st.add(st.crew, st.ada)
			st.write(func(tx *store.Tx) error { return tx.RemoveMember(st.crew, st.ada) })
			st.add(st.crew, st.ada)
		},
		"a group that is deleted with its members and made again": func(st *stage) {
			st.add(st.crew, st.bob)
			st.write(func(tx *store.Tx) error { return tx.DeleteGroup(st.crew) })
			st.add(st.group("crew"), st.bob)
		},
		"groups in a circle that is cut": func(st *stage) {
			other := st.group("other")
			st.write(func(tx *store.Tx) error { return tx.AddChild(st.crew, other) })
			st.write(func(tx *store.Tx) error { return tx.AddChild(other, st.crew) })
			st.write(func(tx *store.Tx) error { return tx.RemoveChild(st.crew, other) })
		},
		"a directory that is deleted with what was just put in": func(st *stage) {
			st.user("cal", "3")
			st.write(func(tx *store.Tx) error { return tx.SaveDirectory(st.dir, st.dir, nil) })
			st.write(func(tx *store.Tx) error { return tx.DeleteDirectory(st.dir) })
		},
		"a directory that is replaced amid other changes": func(st *stage) {
			st.rename(st.bob, "bob 2")
			st.write(func(tx *store.Tx) error { tx.DirectoryReplaced(st.dir); return tx.AddMember(st.crew, st.bob) })
			st.add(st.crew, st.user("bob", "3"))
		},
		"writers that had read before another wrote": func(st *stage) {
			st.rename(st.ada, "ada 2")
			st.mail(st.ada, "ada@example.com")
			st.write(func(tx *store.Tx) error {
				return tx.SetUserAttributes(st.ada, []models.Attribute{{Name: "colour", Values: []string{"red"}}})
			})
			st.write(func(tx *store.Tx) error { return tx.SetBookkeeping(st.ada, models.Credential{Failures: 1}) })
		},
		"a writer that had read before a mail was set": func(st *stage) {
			st.mail(st.ada, "ada@example.com")
			st.rename(st.ada, "ada 2")
			st.write(func(tx *store.Tx) error { return tx.SetPassword(st.ada, "hash", 0) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) { anyOrder(t, db, play) })
		})
	}
}

func anyOrder(t *testing.T, db testkit.Database, play func(st *stage)) {
	s := db.Open(t)
	st := newStage(t, s, "staff")
	other := newStage(t, s, "guests")
	var e ear
	pictures := []*roster.Snapshot{picture(t, s)} // as loaded before the scene, and after each transaction
	s.OnCommit(e.hear)
	s.OnCommit(func([]models.Change) { pictures = append(pictures, picture(t, s)) })
	play(st)

	fresh := roster.Deaf(s, testkit.Log(t))
	build(t, fresh)
	ids := append(e.users, st.ada.ID, st.bob.ID, other.ada.ID)
	look := func(want, memory roster.Reads) {
		c := &comparison{Rand: rand.New(rand.NewPCG(1, 1)), t: t, want: want, memory: map[string]roster.Reads{"memory": memory}}
		c.lookAt(store.Visible{Dirs: []models.ID{st.dir.ID, other.dir.ID}},
			[]string{"ada", "ada 2", "bob", "bob 2", "cal", "dot"}, []string{"crew", "other"}, ids)
	}
	look(&s.Reads, reads(t, fresh)) // the rest goes without SQL, which is slow
	r := roster.Deaf(s, testkit.Log(t))
	for loaded, before := range pictures {
		for order := range orders(len(e.told)) {
			for foldAfter := range len(order) + 1 {
				if loaded > 0 && foldAfter != order[0] { // not all combinations: any of them
					continue
				}
				r.Show(before)
				for i, n := range order {
					if i == foldAfter {
						if err := r.FoldAll(); err != nil && !errors.Is(err, roster.ErrUnsettled) {
							t.Fatal(err)
						}
					}
					r.Heed(e.told[n])
				}
				if err := r.Reload(); err != nil {
					t.Fatal(err)
				}
				if r.Picture() == nil {
					t.Fatal("the picture was given up")
				}
				look(reads(t, fresh), reads(t, r))
				if t.Failed() {
					t.Fatalf("loaded after %d, heard in the order %v, folded before the number %d", loaded, order, foldAfter)
				}
			}
		}
	}
}

func picture(t *testing.T, s *store.Store) *roster.Snapshot {
	t.Helper()
	r := roster.Deaf(s, testkit.Log(t))
	build(t, r)
	return r.Picture()
}

// orders gives all orders of n things.
func orders(n int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		var place func(at int) bool
		place = func(at int) bool {
			if at == n {
				return yield(order)
			}
			for i := at; i < n; i++ {
				order[at], order[i] = order[i], order[at]
				going := place(at + 1)
				order[at], order[i] = order[i], order[at]
				if !going {
					return false
				}
			}
			return true
		}
		place(0)
	}
}
