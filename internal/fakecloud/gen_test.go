package fakecloud

import (
	"strings"
	"testing"
)

func TestPermutationIsOne(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 4, 5, 100, 1000, 4097} {
		p := newPermutation(n, uint64(n))
		seen := make([]bool, n)
		for i := range n {
			v := p.at(i)
			if v < 0 || v >= n || seen[v] {
				t.Fatalf("of %d numbers, number %d became %d, which is out of range or there already", n, i, v)
			}
			seen[v] = true
			if back := p.indexOf(v); back != i {
				t.Fatalf("of %d numbers, %d became %d, and that %d", n, i, v, back)
			}
		}
	}
}

func TestGeneratorMakesAsManyMembershipsAsAsked(t *testing.T) {
	t.Parallel()
	everyone := Typical(2000, 100)
	everyone.Everyone = true
	for _, c := range []struct {
		name string
		gen  Gen
		want int
	}{
		{"a million users", Typical(1_000_000, 100_000), 5_000_000},
		{"a hundred thousand", Typical(100_000, 10_000), 500_000},
		{"the demo", Typical(5000, 200), 10_000},
		{"a group of everyone", everyone, 5000},
		{"two of each group", Gen{Users: 2000, Groups: 500, AvgMembers: 2}, 1000},
		{"fewer users than a group would need", Gen{Users: 3, Groups: 4}, 12},
		{"no users", Gen{Groups: 4}, 0},
		{"nothing", Gen{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := newGenerator(c.gen)
			users, groups := 0, 0
			for n := range GroupNo(g.Groups) {
				users += g.size(n)
				for i := range fanOut {
					if _, nested := g.child(n, i); nested {
						groups++
					}
				}
			}
			if users+groups != c.want {
				t.Errorf("want %d memberships, got %d of users and %d of groups", c.want, users, groups)
			}
			if c.gen.NestedPct > 0 && groups == 0 {
				t.Error("no group is nested")
			}
		})
	}
}

func TestGeneratedPeople(t *testing.T) {
	t.Parallel()
	const users = 20_000
	gen := Typical(users, 10)
	g := newGenerator(gen)
	logins := map[string]bool{}
	var guests, disabled, noMail, unicode int
	for n := range UserNo(users) {
		u := g.user(n)
		if again := g.user(n); again.Login != u.Login || again.Display != u.Display {
			t.Fatalf("user %d is %v once and %v another time", n, u, again)
		}
		local := localPart(u.Login)
		if logins[local] || strings.Trim(local, "abcdefghijklmnopqrstuvwxyz0123456789'.-") != "" || len(local) > 64 {
			t.Errorf("%q is there twice or has letters that no login name may have", local)
		}
		logins[local] = true
		if found, ok := g.userByLocal(local); !ok || found != n {
			t.Fatalf("user %d is called %s, and that is user %d (%v)", n, local, found, ok)
		}
		count(&guests, u.Guest)
		count(&disabled, u.Disabled)
		count(&noMail, u.Mail == "")
		count(&unicode, strings.IndexFunc(u.Display, func(r rune) bool { return r > 127 }) >= 0)
	}
	for _, c := range []struct {
		what      string
		pct, have int
	}{{"guests", gen.GuestPct, guests}, {"disabled", gen.DisabledPct, disabled}, {"without mail", gen.NoMailPct, noMail}, {"not in ASCII", gen.UnicodePct, unicode}} {
		if c.have < users*c.pct/100*8/10 || c.have > users*c.pct/100*12/10 {
			t.Errorf("want about %d %% %s, got %d of %d", c.pct, c.what, c.have, users)
		}
	}
	for _, nobody := range []string{"", "ada", "ada.lovelace1", "ada.lovelace0", "ada.lovelace99999", "ada.lovelace99999999999999999999", "x.y"} {
		if n, ok := g.userByLocal(nobody); ok {
			t.Errorf("%q is nobody, got user %d", nobody, n)
		}
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

func TestGeneratedGroups(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	plain := newGenerator(Gen{Users: 10, Groups: 1000})
	for n := range GroupNo(1000) {
		name := plain.group(n).Name
		if names[name] {
			t.Errorf("there are two groups %q", name)
		}
		names[name] = true
	}
	same := newGenerator(Gen{Users: 10, Groups: 1000, DupNamePct: 10, UnifiedPct: 20, DistributionPct: 10, Everyone: true})
	clear(names)
	var twice int
	kinds := map[GroupKind]int{}
	for n := range GroupNo(1000) {
		g := same.group(n)
		count(&twice, names[g.Name])
		names[g.Name] = true
		kinds[g.Kind]++
	}
	if twice < 50 || twice > 150 || kinds[Unified] < 100 || kinds[Distribution] < 50 || kinds[Security] < 500 {
		t.Errorf("want 100 names twice, 200 unified and 100 distribution groups, got %d and %v", twice, kinds)
	}
	if same.group(0).Name != "all-users" || same.size(0) != 10 {
		t.Error("group 0 isn't everyone")
	}
}

func TestMembersAgreeWithIsMember(t *testing.T) {
	t.Parallel()
	d := newDirectory(Typical(500, 60))
	for g := range d.Groups() {
		listed := map[Member]bool{}
		for m := range d.Members(g) {
			if listed[m] {
				t.Errorf("%v is twice in group %d", m, g)
			}
			listed[m] = true
		}
		for n := range 500 {
			if m := (Member{UserMember, n}); d.IsMember(g, m) != listed[m] {
				t.Errorf("%v is in group %d: listed %v, asked %v", m, g, listed[m], d.IsMember(g, m))
			}
		}
		for n := range 60 {
			if m := (Member{GroupMember, n}); d.IsMember(g, m) != listed[m] {
				t.Errorf("%v is in group %d: listed %v, asked %v", m, g, listed[m], d.IsMember(g, m))
			}
		}
	}
}
