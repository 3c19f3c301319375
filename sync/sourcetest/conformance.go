package sourcetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// Conformance checks that a source tells what its cloud has: everything, as it is, and nothing
// twice that should count once.
func Conformance(t *testing.T, p Provider) {
	t.Run("users", func(t *testing.T) { userPages(t, p) })
	t.Run("everything", func(t *testing.T) { everything(t, p) })
	t.Run("checkpoints", func(t *testing.T) { checkpoints(t, p) })
	t.Run("members", func(t *testing.T) { members(t, p) })
	t.Run("at once", func(t *testing.T) { atOnce(t, p) })
	t.Run("lookups", func(t *testing.T) { lookups(t, p) })
	t.Run("credentials", func(t *testing.T) { credentials(t, p) })
	t.Run("stops", func(t *testing.T) { stops(t, p) })
	if p.TellsChanges {
		t.Run("changes", func(t *testing.T) { changes(t, p) })
	}
}

// userPages reads numbers of users around the size of a page.
func userPages(t *testing.T, p Provider) {
	for _, n := range []int{0, 1, p.UsersPage - 1, p.UsersPage, p.UsersPage + 1, 3 * p.UsersPage} {
		for _, awkward := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d users, awkward %v", n, awkward), func(t *testing.T) {
				t.Parallel()
				w := p.start(t, Setup{Gen: fakecloud.Gen{Users: n}, Awkward: awkward})
				got := newPicture()
				if err := w.source(t, How{}).Users(t.Context(), "", got.takeUsers); err != nil {
					t.Fatal(err)
				}
				same(t, w.truth(), got)
			})
		}
	}
}

func everything(t *testing.T, p Provider) {
	gen := fakecloud.Typical(300, 60)
	gen.AvgMembers, gen.DupNamePct, gen.DistributionPct = 12, 10, 10
	if !p.Nests {
		gen.NestedPct = 0
	}
	for _, awkward := range []bool{false, true} {
		t.Run(fmt.Sprintf("awkward %v", awkward), func(t *testing.T) {
			t.Parallel()
			w := p.start(t, Setup{Gen: gen, Awkward: awkward})
			s := w.source(t, How{})
			got, err := read(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			same(t, w.truth(), got)
			if stats := s.Stats(); stats.Requests != int64(w.Cloud.Requests("")) || stats.Bytes == 0 || stats.Retried != 0 {
				t.Errorf("the source counted %+v, the cloud %d requests", stats, w.Cloud.Requests(""))
			}
		})
	}

	t.Run("clocks differ", func(t *testing.T) {
		t.Parallel()
		for _, ahead := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
			w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 5, Groups: 2, AvgMembers: 2}})
			got, err := read(t.Context(), w.source(t, How{Ahead: ahead}))
			if err != nil {
				t.Fatalf("with a clock %v ahead: %v", ahead, err)
			}
			same(t, w.truth(), got)
		}
	})
}

// checkpoints breaks off after each page, and goes on with another source.
func checkpoints(t *testing.T, p Provider) {
	t.Parallel()
	w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 4*p.UsersPage + 1, Groups: 4*p.UsersPage + 1, AvgMembers: 1}})
	got := newPicture()
	enough := errors.New("enough")
	t.Run("users", func(t *testing.T) {
		brokenOff(t, func(from dirsync.Checkpoint) (next dirsync.Checkpoint, err error) {
			err = w.source(t, How{}).Users(t.Context(), from, func(users []dirsync.User, after dirsync.Checkpoint) error {
				next = after
				_ = got.takeUsers(users, after)
				return enough
			})
			return next, err
		}, enough)
	})
	t.Run("groups", func(t *testing.T) {
		brokenOff(t, func(from dirsync.Checkpoint) (next dirsync.Checkpoint, err error) {
			err = w.source(t, How{}).Groups(t.Context(), from, func(groups []dirsync.Group, after dirsync.Checkpoint) error {
				next = after
				_ = got.takeGroups(groups, after)
				return enough
			})
			return next, err
		}, enough)
	})
	want := w.truth()
	want.Members, got.Members = nil, nil
	same(t, want, got)
}

// brokenOff calls page, which takes one page and breaks off, until the last one was taken.
func brokenOff(t *testing.T, page func(from dirsync.Checkpoint) (dirsync.Checkpoint, error), broke error) {
	t.Helper()
	var from dirsync.Checkpoint
	for n := 0; ; n++ {
		next, err := page(from)
		if !errors.Is(err, broke) {
			t.Fatalf("page %d: want the receiver's own error back, got %v", n, err)
		}
		if next == "" {
			return
		}
		if n > 100 {
			t.Fatal("the list doesn't end")
		}
		from = next
	}
}

// members has what may be in a group, and what may become of one.
func members(t *testing.T, p Provider) {
	t.Parallel()
	w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 30, Groups: 3, AvgMembers: 4}})
	var mixed, deleted, empty fakecloud.GroupNo
	w.Cloud.Edit(func(e *fakecloud.Edit) {
		mixed = e.CreateGroup(fakecloud.Group{Name: "mixed"})
		empty = e.CreateGroup(fakecloud.Group{Name: "empty"})
		deleted = e.CreateGroup(fakecloud.Group{Name: "deleted"})
		e.AddUser(mixed, 1)
		e.AddUser(mixed, 2)
		e.AddUser(deleted, 3)
		if p.Nests {
			e.Nest(mixed, empty)
			e.Nest(mixed, mixed)
		}
		e.DeleteUser(2)
	})
	for _, kind := range []fakecloud.MemberKind{fakecloud.Device, fakecloud.ServicePrincipal, fakecloud.Contact, fakecloud.Everybody} {
		if w.MemberID(fakecloud.Member{Kind: kind, N: 1}) != "" {
			w.Cloud.Edit(func(e *fakecloud.Edit) { e.Add(mixed, fakecloud.Member{Kind: kind, N: 1}) })
		}
	}
	s := w.source(t, How{})
	got := newPicture()
	if err := errors.Join(s.Users(t.Context(), "", got.takeUsers), s.Groups(t.Context(), "", got.takeGroups)); err != nil {
		t.Fatal(err)
	}
	w.Cloud.Edit(func(e *fakecloud.Edit) { e.PurgeGroup(deleted) })

	gone, last := map[string]bool{}, map[string]int{}
	err := s.Members(t.Context(), append(slices.Sorted(maps.Keys(got.Groups)), w.GroupID(99)), func(m dirsync.Members) error {
		if m.Gone {
			gone[m.Group] = true
		}
		if m.Last {
			last[m.Group]++
		}
		return got.takeMembers(m)
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, w.truth(), got)
	if want := map[string]bool{w.GroupID(deleted): true, w.GroupID(99): true}; !maps.Equal(want, gone) {
		t.Errorf("gone: want %v, got %v", want, gone)
	}
	for id := range got.Groups {
		if last[id] != 1 {
			t.Errorf("group %s was told to be complete %d times", id, last[id])
		}
	}
	if _, in := got.Members[w.GroupID(mixed)][w.UserID(2)]; in {
		t.Error("a deleted user is told as a member of a group that was read")
	}
}

// atOnce reads with so many requests at once: no more, and no fewer when there is enough to do.
func atOnce(t *testing.T, p Provider) {
	for _, most := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			t.Parallel()
			w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 60, Groups: 300, AvgMembers: 2}})
			w.Cloud.Fail(fakecloud.Fault{Path: cmp.Or(w.Paths.Carrier, w.Paths.Members), Do: fakecloud.Slow, Delay: 20 * time.Millisecond, Times: 15})
			got, err := read(t.Context(), w.source(t, How{AtOnce: most}))
			if err != nil {
				t.Fatal(err)
			}
			same(t, w.truth(), got)
			if n := w.Cloud.MostAtOnce(); n != most {
				t.Errorf("want %d requests at once, got %d", most, n)
			}
		})
	}
}

func lookups(t *testing.T, p Provider) {
	t.Parallel()
	w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 60, Groups: 30, AvgMembers: 8}})
	s := w.source(t, How{})
	w.Cloud.Edit(func(e *fakecloud.Edit) {
		e.UpdateUser(7, func(u *fakecloud.User) {
			u.Login = "o'brien@" + domainOf(u.Login)
			u.Mail = "o'brien.mail@elsewhere.example"
		})
		e.DeleteUser(9)
	})

	t.Run("groups of users", func(t *testing.T) {
		want, got := map[string][]string{}, map[string][]string{}
		for n := range fakecloud.UserNo(45) {
			id := w.UserID(n)
			want[id] = nil
			for g := range w.Cloud.Directory.Groups() {
				if n != 9 && w.Cloud.Directory.IsMember(g, fakecloud.Member{Kind: fakecloud.UserMember, N: int(n)}) {
					want[id] = append(want[id], w.GroupID(g))
				}
			}
			slices.Sort(want[id])
		}
		want[w.UserID(9999)] = nil
		err := s.GroupsOf(t.Context(), slices.Collect(maps.Keys(want)), func(user string, groups []string) error {
			if _, again := got[user]; again {
				t.Errorf("user %s came twice", user)
			}
			got[user] = slices.Sorted(slices.Values(groups))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("users by id", func(t *testing.T) {
		want, got := map[string]dirsync.User{}, map[string]dirsync.User{}
		ids := []string{w.UserID(9999), "no id at all"}
		for n := range fakecloud.UserNo(45) {
			ids = append(ids, w.UserID(n))
			if u, ok := w.Cloud.Directory.User(n); ok {
				want[w.UserID(n)] = w.User(n, u)
			}
		}
		err := s.UsersByID(t.Context(), ids, func(u dirsync.User) error {
			got[u.ID] = u
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("nobody asked for", func(t *testing.T) {
		err := errors.Join(
			s.UsersByID(t.Context(), nil, func(dirsync.User) error { return errors.New("somebody came") }),
			s.GroupsOf(t.Context(), nil, func(string, []string) error { return errors.New("somebody came") }),
			s.Members(t.Context(), nil, func(dirsync.Members) error { return errors.New("somebody came") }),
		)
		if err != nil {
			t.Error(err)
		}
	})

	t.Run("by a word", func(t *testing.T) {
		seven, _ := w.Cloud.Directory.User(7)
		want := w.User(7, seven)
		for _, word := range []string{want.ID, want.Login, strings.ToUpper(want.Login), want.Mail, " " + want.Login + " "} {
			got, err := s.Find(t.Context(), word)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || got[0].ID != want.ID {
				t.Errorf("%q: want user %s, got %+v", word, want.ID, got)
			}
		}
		for _, word := range []string{"", "nobody@nowhere.example", "' or 1 eq 1", `"quoted"`, "50% & more", w.UserID(9999), w.UserID(9), strings.Repeat("x", 5000)} {
			if got, err := s.Find(t.Context(), word); err != nil || len(got) != 0 {
				t.Errorf("%.40q: want nobody, got %+v, %v", word, got, err)
			}
		}
	})
}

func domainOf(login string) string {
	_, domain, _ := strings.Cut(login, "@")
	return domain
}

func credentials(t *testing.T, p Provider) {
	t.Parallel()
	gen := fakecloud.Gen{Users: 3, Groups: 2, AvgMembers: 1}
	t.Run("right", func(t *testing.T) {
		w := p.start(t, Setup{Gen: gen})
		report, err := w.source(t, How{}).Check(t.Context())
		if err != nil || len(report.Missing) > 0 || len(report.Granted) == 0 {
			t.Errorf("want permissions granted and none missing, got %+v, %v", report, err)
		}
	})
	t.Run("wrong", func(t *testing.T) {
		w := p.start(t, Setup{Gen: gen})
		s := w.source(t, How{WrongSecret: true})
		_, err := s.Check(t.Context())
		wantSentence(t, w, err, "")
		asked := w.Cloud.Requests("")
		if asked > 2 {
			t.Errorf("a wrong secret was tried in %d requests", asked)
		}
		wantSentence(t, w, s.Users(t.Context(), "", func([]dirsync.User, dirsync.Checkpoint) error { return nil }), "")
	})
	if p.Start(t, Setup{Clock: fakecloud.NewClock(Noon)}).Paths.Token == "" {
		return
	}
	t.Run("the token ends in mid-read", func(t *testing.T) {
		w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 5 * p.UsersPage, Groups: 30, AvgMembers: 3}, TokenLife: 20 * time.Minute})
		w.Cloud.After(w.Paths.Users, 2, func() { w.Clock.Advance(30 * time.Minute) })
		w.Cloud.After(w.Paths.Groups, 1, func() { w.Clock.Advance(30 * time.Minute) })
		got, err := read(t.Context(), w.source(t, How{}))
		if err != nil {
			t.Fatal(err)
		}
		same(t, w.truth(), got)
	})
	t.Run("a token is refused in mid-read", func(t *testing.T) {
		w := p.start(t, Setup{Gen: fakecloud.Gen{Users: 5 * p.UsersPage, Groups: 30, AvgMembers: 3}})
		w.Cloud.Fail(fakecloud.Fault{Path: w.Paths.Users, Nth: 3, Do: fakecloud.Expired})
		s := w.source(t, How{})
		got, err := read(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		same(t, w.truth(), got)
		if s.Stats().Retried != 1 {
			t.Errorf("one request was refused once; the source repeated %d", s.Stats().Retried)
		}
	})
}

// stops has the receiver, or whoever started the run, say that it is enough.
func stops(t *testing.T, p Provider) {
	t.Parallel()
	gen := fakecloud.Gen{Users: 3 * p.UsersPage, Groups: 60, AvgMembers: 4}
	enough := errors.New("enough")
	t.Run("the receiver", func(t *testing.T) {
		w := p.start(t, Setup{Gen: gen})
		s := w.source(t, How{})
		ids := []string{}
		for g := range w.Cloud.Directory.Groups() {
			ids = append(ids, w.GroupID(g))
		}
		for name, err := range map[string]error{
			"users":   s.Users(t.Context(), "", func([]dirsync.User, dirsync.Checkpoint) error { return enough }),
			"groups":  s.Groups(t.Context(), "", func([]dirsync.Group, dirsync.Checkpoint) error { return enough }),
			"members": s.Members(t.Context(), ids, func(dirsync.Members) error { return enough }),
			"by id":   s.UsersByID(t.Context(), []string{w.UserID(1)}, func(dirsync.User) error { return enough }),
			"in":      s.GroupsOf(t.Context(), []string{w.UserID(1)}, func(string, []string) error { return enough }),
		} {
			if !errors.Is(err, enough) {
				t.Errorf("%s: want the receiver's error back, got %v", name, err)
			}
		}
	})
	t.Run("the context, while a page is underway", func(t *testing.T) {
		w := p.start(t, Setup{Gen: gen})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.Cloud.Fail(fakecloud.Fault{Path: w.Paths.Users, Nth: 2, Do: fakecloud.Slow, Delay: time.Hour})
		err := w.source(t, How{}).Users(ctx, "", func([]dirsync.User, dirsync.Checkpoint) error {
			time.AfterFunc(20*time.Millisecond, cancel)
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("want context.Canceled, got %v", err)
		}
	})
	t.Run("the context, while it waits", func(t *testing.T) {
		w := p.start(t, Setup{Gen: gen})
		ctx, cancel := context.WithCancel(t.Context())
		w.Cloud.Fail(fakecloud.Fault{Path: w.Paths.Users, Do: fakecloud.Throttle, RetryAfter: time.Minute})
		s := w.source(t, How{Sleep: func(ctx context.Context, _ time.Duration) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}})
		err := s.Users(ctx, "", func([]dirsync.User, dirsync.Checkpoint) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("want context.Canceled, got %v", err)
		}
	})
}

// wantSentence checks an error for an administrator: it is there, it names what was asked, and
// it has no secret.
func wantSentence(t *testing.T, w *World, err error, names string) {
	t.Helper()
	if err == nil {
		t.Fatal("want an error")
	}
	text := err.Error()
	if len(text) < 20 || len(text) > 1500 || strings.ContainsAny(text, "\n\r") {
		t.Errorf("want one sentence, got %q", text)
	}
	if !strings.Contains(text, names) {
		t.Errorf("want an error that names %s, got %q", names, text)
	}
	w.noSecret(t, "the error", text)
}
