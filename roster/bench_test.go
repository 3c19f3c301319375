package roster

import (
	"iter"
	"testing"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Benchmarks ask a generated directory, with nothing in its overlay ("quiet"), and with as many
// changes as come before a fold ("changed"). The names alone are what most callers ask for.
func eachState(b *testing.B, size shape, run func(b *testing.B, s *Snapshot)) {
	quiet := generated(b, size)
	changed, news := quiet, newChanges(size)
	for range foldSpare + (size.users+size.groups)/100 {
		var err error
		if changed, err = apply(&store.Store{}, changed, news.next()); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("quiet", func(b *testing.B) { run(b, quiet) })
	b.Run("changed", func(b *testing.B) { run(b, changed) })
}

var everybody = store.Visible{Dirs: []models.ID{1}}

func BenchmarkUserByName(b *testing.B) {
	eachState(b, shape{users: 100_000, groups: 1100, perUser: 5}, func(b *testing.B, s *Snapshot) {
		names := make([]string, 1024)
		for i := range names {
			names[i] = userName(i * 97)
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			_, _ = s.VisibleUser(b.Context(), everybody, names[i&1023]) // a few were renamed
			i++
		}
	})
}

// A user is in a group that is in 64 others, ten layers deep.
func BenchmarkGroupsNested(b *testing.B) {
	eachState(b, shape{users: 100_000, groups: 1100, perUser: 1}, func(b *testing.B, s *Snapshot) {
		start := store.Start{Nested: true, IDs: []models.ID{0}}
		for start.IDs[0] = 1; ; start.IDs[0]++ {
			if groups, _ := s.GroupsAround(b.Context(), everybody, start, models.Everything); len(groups) == 66 {
				break
			}
		}
		b.Run("whole", func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				groups, _ := s.GroupsAround(b.Context(), everybody, start, models.Everything)
				n = len(groups)
			}
			b.ReportMetric(float64(n), "groups")
		})
		b.Run("names", func(b *testing.B) {
			countNames(b, "groups", func() iter.Seq2[store.Member, error] {
				return s.GroupNamesAround(b.Context(), everybody, start, models.Everything)
			})
		})
	})
}

// A thousand of the users in a group and in two groups inside it.
func BenchmarkMembersNested(b *testing.B) {
	eachState(b, shape{users: 100_000, groups: 1100, perUser: 5}, func(b *testing.B, s *Snapshot) {
		g, err := s.VisibleGroup(b.Context(), everybody, "group000100")
		if err != nil {
			b.Fatal(err)
		}
		start, p := store.Start{IDs: []models.ID{g.ID}, Key: g.NameKey, Nested: true}, models.Page{Max: 1000}
		b.Run("whole", func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				users, _ := s.MembersOf(b.Context(), everybody, start, p)
				n = len(users)
			}
			b.ReportMetric(float64(n), "users")
		})
		b.Run("names", func(b *testing.B) {
			countNames(b, "users", func() iter.Seq2[store.Member, error] {
				return s.MemberNames(b.Context(), everybody, start, p)
			})
		})
	})
}

// A million memberships of 200,000 users.
func BenchmarkDump(b *testing.B) {
	eachState(b, shape{users: 200_000, groups: 20_000, perUser: 5}, func(b *testing.B, s *Snapshot) {
		countNames(b, "members", func() iter.Seq2[store.Member, error] { return s.DumpUsers(b.Context(), everybody, "", "~") })
	})
}

func BenchmarkFold(b *testing.B) {
	eachState(b, shape{users: 100_000, groups: 10_000, perUser: 5}, func(b *testing.B, s *Snapshot) {
		for b.Loop() {
			if _, err := folded(s.dirs[1], 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkApply(b *testing.B) {
	eachState(b, shape{users: 100_000, groups: 1100, perUser: 1}, func(b *testing.B, s *Snapshot) {
		news := newChanges(shape{users: 100_000, groups: 1100})
		news.seq = 1 << 20
		changes := make([][]models.Change, 1024)
		for i := range changes {
			changes[i] = news.next()
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if _, err := apply(&store.Store{}, s, changes[i&1023]); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}

func countNames(b *testing.B, what string, names func() iter.Seq2[store.Member, error]) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = 0
		for m, err := range names() {
			if err != nil || m.Name == "" {
				b.Fatal(m, err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n), what)
}

// Searches of a million users: everybody, whose name begins so, and texts that any user may have.
func BenchmarkSearch(b *testing.B) {
	s := generated(b, shape{users: 1_000_000, groups: 1100, perUser: 1})
	compare := func(property string, m models.Match, text string) models.Filter {
		return models.Filter{Logic: models.Compare, Property: property, Match: m, Text: text}
	}
	for _, c := range []struct {
		name   string
		filter models.Filter
	}{
		{"everybody", models.Filter{}},
		{"name", compare("name", models.Equals, userName(77777))},
		{"beginning of a name", compare("name", models.StartsWith, "user00777")},
		{"part of a name", compare("name", models.Contains, "777777")},
		{"part of a mail", compare("email", models.Contains, "777777")},
		{"one of two", models.Filter{Logic: models.Or, Filters: []models.Filter{
			compare("displayName", models.Contains, "777777"), compare("lastName", models.StartsWith, "lastname77777")}}},
		{"external id", compare("externalId", models.Equals, "00000007-0000-4000-8000-000000000007")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = 0
				found, _ := s.SearchUsers(b.Context(), store.Search{Visible: everybody, Filter: c.filter, Limit: -1})
				for range found {
					n++
				}
			}
			b.ReportMetric(float64(n), "users")
		})
	}
}
