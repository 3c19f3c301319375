package google_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// BenchmarkUsers reads 20,000 users from a fake on this machine, which takes its part of the time.
func BenchmarkUsers(b *testing.B) {
	cloud := fakecloud.NewGoogle(fakecloud.GoogleConfig{Gen: fakecloud.Typical(20_000, 0)})
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	defer cloud.Close()
	o := options(cloud, nil)
	o.Now, o.Sleep = nil, nil
	n := 0
	for b.Loop() {
		s := open(b, o)
		n = 0
		if err := s.Users(b.Context(), "", func(users []dirsync.User, _ dirsync.Checkpoint) error {
			n += len(users)
			return nil
		}); err != nil || n != 20_000 {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "users/s")
}
