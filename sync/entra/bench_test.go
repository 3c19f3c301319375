package entra_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// BenchmarkUsers reads users and throws them away: what a run can't be faster than. The fake's
// work is in it, on the same cores.
func BenchmarkUsers(b *testing.B) {
	for name, attributes := range map[string][]string{"plain": nil, "attributes": {"department", "jobTitle", "employeeId"}} {
		b.Run(name, func(b *testing.B) {
			const users = 50_000
			cloud := startEntra(b, fakecloud.EntraConfig{Gen: fakecloud.Typical(users, 0)})
			o := optionsFor(cloud)
			o.Attributes = attributes
			for b.Loop() {
				s := newSource(b, o)
				if err := s.Users(b.Context(), "", func([]dirsync.User, dirsync.Checkpoint) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*users/b.Elapsed().Seconds(), "users/s")
		})
	}
}

// BenchmarkMembers reads memberships and throws them away.
func BenchmarkMembers(b *testing.B) {
	cloud := startEntra(b, fakecloud.EntraConfig{Gen: fakecloud.Typical(20_000, 4_000)})
	var ids []string
	memberships := 0
	for g := range cloud.Directory.Groups() {
		ids = append(ids, cloud.GroupID(g))
		for range cloud.Directory.Members(g) {
			memberships++
		}
	}
	for b.Loop() {
		s := newSource(b, optionsFor(cloud))
		if err := s.Members(b.Context(), ids, func(dirsync.Members) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*memberships)/b.Elapsed().Seconds(), "memberships/s")
}
