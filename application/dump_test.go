package application_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// readOnly reads a dump and keeps nothing.
func readOnly(_ string, users, groups iter.Seq2[string, error]) error {
	for _, list := range []iter.Seq2[string, error]{users, groups} {
		for _, err := range list {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// dump reads all memberships as lines, "devs: ada bob @ops", in the dump's order.
func dump(t testing.TB, v *application.View) []string {
	t.Helper()
	var lines []string
	err := v.Memberships(t.Context(), func(group string, users, groups iter.Seq2[string, error]) error {
		line := group + ":"
		for name, err := range users {
			if err != nil {
				return err
			}
			line += " " + name
		}
		for name, err := range groups {
			if err != nil {
				return err
			}
			line += " @" + name
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return lines
}

// questioned builds the same lines from the questions that a client asks one by one.
func questioned(t testing.TB, v *application.View, groups []string) []string {
	t.Helper()
	var lines []string
	for _, group := range groups {
		line := group + ":"
		members, err := v.Members(t.Context(), group, application.Direct, models.Everything)
		if err != nil {
			t.Fatal(err)
		}
		children, err := v.Children(t.Context(), group, application.Direct, models.Everything)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range namesOf(members) {
			line += " " + name
		}
		for _, name := range namesOf(children) {
			line += " @" + name
		}
		lines = append(lines, line)
	}
	return lines
}

// The dump has every group, also one without members, with its direct users and groups by the
// application's rules: what Members and Children say of each.
func TestDump(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "Devs: Bob ada", "eng: @Devs", "empty:", "zeta: ada")
		h.fill(t, "partners", "devs: carl ADA", "sales: ada dora", "all: @devs @sales", "Empty:")
		for name, c := range map[string]struct {
			o    application.Options
			want string
		}{
			"first": {firstMatch, "all: @sales\nDevs: ada Bob carl\nempty:\neng: @Devs\nsales: dora\nzeta: ada"},
			"union": {aggregated, "all: @Devs @sales\nDevs: ada Bob carl\nempty:\neng: @Devs\nsales: ada dora\nzeta: ada"},
			"lower": {application.Options{LowerCase: new(true)}, "all: @sales\ndevs: ada bob carl\nempty:\neng: @devs\nsales: dora\nzeta: ada"},
			"alias": {firstMatch, "all: @sales\nDevs: Countess Bob carl\nempty:\neng: @Devs\nsales: dora\nzeta: Countess"},
		} {
			h.app(t, name, c.o, "staff", "partners")
			if name == "alias" {
				if err := h.SetAlias(t.Context(), operator, name, "ada", "Countess"); err != nil {
					t.Fatal(err)
				}
			}
			got := dump(t, h.view(t, name))
			if diff := cmp.Diff(strings.Split(c.want, "\n"), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			asked := questioned(t, h.view(t, name), words("all devs empty eng sales zeta"))
			for i := range asked { // the questions were asked in other letters
				_, members, _ := strings.Cut(asked[i], ":")
				if _, dumped, _ := strings.Cut(got[i], ":"); dumped != members {
					t.Errorf("%s: Members and Children say %q, the dump says %q", name, asked[i], got[i])
				}
			}
		}
		h.app(t, "nothing", firstMatch)
		if got := dump(t, h.view(t, "nothing")); len(got) > 0 {
			t.Errorf("without directories: want nothing, got %v", got)
		}
	})
}

// A dump is read in batches of groups; nothing gets lost between them.
func TestDumpOfManyGroups(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "ada", "bob")
		var want []string
		h.edit(t, func(e *directory.Edit) error {
			want = nil
			for i := range 205 {
				name := fmt.Sprintf("g%03d", i)
				if _, err := e.CreateGroup(staff, directory.NewGroup{Name: name}); err != nil {
					return err
				}
				line := name + ":"
				if i%100 >= 98 || i%100 <= 1 { // around the batch's end
					for _, user := range []string{"ada", "bob"} {
						if err := e.AddMember(staff, name, user); err != nil {
							return err
						}
					}
					line += " ada bob"
				}
				if i > 0 && i%50 == 0 {
					if err := e.AddChild(staff, name, "g000"); err != nil {
						return err
					}
					line += " @g000"
				}
				want = append(want, line)
			}
			return nil
		})
		h.app(t, "jira", firstMatch, "staff")
		if diff := cmp.Diff(want, dump(t, h.view(t, "jira"))); diff != "" {
			t.Errorf("the dump (-want +got):\n%s", diff)
		}
	})
}

// All of a dump is of the moment when it began, whatever is written while it is read.
func TestDumpIsOfOneMoment(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "a: ada", "b: bob", "y: ada", "z: ada bob")
		h.edit(t, func(e *directory.Edit) error {
			for i := range 200 { // so that y and z are in another batch
				if _, err := e.CreateGroup(staff, directory.NewGroup{Name: fmt.Sprintf("m%03d", i)}); err != nil {
					return err
				}
			}
			return nil
		})
		h.app(t, "jira", firstMatch, "staff")
		v := h.view(t, "jira")
		var got []string
		err := v.Memberships(t.Context(), func(group string, users, _ iter.Seq2[string, error]) error {
			if group == "a" {
				h.edit(t, func(e *directory.Edit) error {
					for _, err := range []error{
						e.RemoveMember(staff, "z", "ada"), e.AddMember(staff, "b", "ada"), e.DeleteGroup(staff, "a"), e.DeleteGroup(staff, "y"),
						e.DeleteUser(staff, "bob"),
					} {
						if err != nil {
							return err
						}
					}
					_, err := e.CreateGroup(staff, directory.NewGroup{Name: "zz"})
					return err
				})
			}
			line := group + ":"
			for name, err := range users {
				if err != nil {
					return err
				}
				line += " " + name
			}
			if !strings.HasPrefix(line, "m") {
				got = append(got, line)
			}
			return nil
		})
		if diff := cmp.Diff([]string{"a: ada", "b: bob", "y: ada", "z: ada bob"}, got); diff != "" || err != nil {
			t.Errorf("written meanwhile, %v (-want +got):\n%s", err, diff)
		}
		after := slices.DeleteFunc(dump(t, h.view(t, "jira")), func(line string) bool { return strings.HasPrefix(line, "m") })
		if diff := cmp.Diff([]string{"b: ada", "z:", "zz:"}, after); diff != "" {
			t.Errorf("afterwards (-want +got):\n%s", diff)
		}
	})
}

// A person who is moved from group to group, each time in one transaction, is in exactly one
// group in every dump.
func TestDumpWhileWritersGoOn(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		staff := h.fill(t, "staff", "g0: ada", "g1: bob", "g2: bob", "g3:", "g4: bob")
		h.app(t, "jira", firstMatch, "staff")
		v := h.view(t, "jira")
		stop, stopped := make(chan struct{}), sync.WaitGroup{}
		stopped.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				from, to := fmt.Sprintf("g%d", i%5), fmt.Sprintf("g%d", (i+1)%5)
				err := h.directories.Edit(t.Context(), operator, func(e *directory.Edit) error {
					if err := e.RemoveMember(staff, from, "ada"); err != nil {
						return err
					}
					return e.AddMember(staff, to, "ada")
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
		for range 30 {
			if lines := strings.Join(dump(t, v), "\n"); strings.Count(lines, "ada") != 1 {
				t.Errorf("want ada in one group, got\n%s", lines)
			}
		}
		close(stop)
		stopped.Wait()
	})
}

// A reader who leaves a group's users unread gets the next group's all the same.
func TestDumpThatIsReadInPart(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "a: ada bob", "b: bob carl", "c: carl @a")
		h.app(t, "jira", firstMatch, "staff")
		var got []string
		err := h.view(t, "jira").Memberships(t.Context(), func(group string, users, groups iter.Seq2[string, error]) error {
			for name := range groups {
				got = append(got, group+" @"+name)
			}
			if group == "a" {
				return nil // reads none
			}
			for name := range users {
				got = append(got, group+" "+name)
				if group == "b" {
					break // reads one
				}
			}
			return nil
		})
		if diff := cmp.Diff([]string{"b bob", "c @a", "c carl"}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// The reader's own failure ends the dump and comes back; the store goes on working.
func TestDumpThatIsGivenUp(t *testing.T) {
	eachReader(t, func(t *testing.T, h *house) {
		h.fill(t, "staff", "a: ada bob", "b: bob")
		h.app(t, "jira", firstMatch, "staff")
		v, gone := h.view(t, "jira"), errors.New("the client is gone")
		for range 20 { // more often than there are connections
			calls := 0
			err := v.Memberships(t.Context(), func(string, iter.Seq2[string, error], iter.Seq2[string, error]) error {
				calls++
				return gone
			})
			if !errors.Is(err, gone) || calls != 1 {
				t.Errorf("want the reader's error after one call, got %v after %d", err, calls)
			}
		}
		if got := dump(t, v); len(got) != 2 {
			t.Errorf("want the whole dump again, got %v", got)
		}
	})
}

// A dump that can't be read to its end says so: a list that only looks whole would take
// people's access away.
func TestDumpThatBreaks(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		if db.Kind != testkit.Postgres {
			return // a file doesn't go away
		}
		h := newHouse(t, db, testkit.NewClock())
		h.fill(t, "staff", "a: ada", "b: bob")
		h.app(t, "jira", firstMatch, "staff")
		err := h.view(t, "jira").Memberships(t.Context(), func(group string, users, groups iter.Seq2[string, error]) error {
			if err := readOnly(group, users, groups); err != nil {
				return err
			}
			if group == "a" {
				db.Terminate(t, "%")
			}
			return nil
		})
		wantCode(t, "cut off", models.Unavailable, err)
	})
}

// A dump of millions of memberships leaves nothing for the collector: the server's memory would
// grow by all that is alive before it ran.
func TestDumpFromMemoryLeavesNoGarbage(t *testing.T) {
	h := newHouse(t, testkit.NewSQLite(t), testkit.NewClock())
	h.remember(t)
	staff := h.fill(t, "staff", "ada", "bob", "carl")
	h.edit(t, func(e *directory.Edit) error {
		for i := range 200 {
			group := fmt.Sprintf("g%03d", i)
			if _, err := e.CreateGroup(staff, directory.NewGroup{Name: group}); err != nil {
				return err
			}
			if err := e.AddMember(staff, group, "ada"); err != nil {
				return err
			}
		}
		return nil
	})
	h.remember(t) // all of it in the base
	h.app(t, "jira", firstMatch, "staff")
	v := h.view(t, "jira")
	members := 0
	count := func(string, error) bool { members++; return true }
	each := func(_ string, users, groups iter.Seq2[string, error]) error {
		users(count)
		groups(count)
		return nil
	}
	allocations := testing.AllocsPerRun(5, func() {
		if err := v.Memberships(t.Context(), each); err != nil {
			t.Error(err)
		}
	})
	if members == 0 || allocations >= 200 {
		t.Errorf("200 groups with %d members in six dumps took %.0f allocations each", members, allocations)
	}
}
