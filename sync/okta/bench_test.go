package okta_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/okta"
)

// What reading costs, the fake's part included.
func BenchmarkUsers(b *testing.B) {
	cloud := fakecloud.NewOkta(fakecloud.OktaConfig{Gen: fakecloud.Typical(20_000, 100)})
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cloud.Close)
	for b.Loop() {
		s, err := okta.New(okta.Options{OrgURL: cloud.URL, Token: models.Secret(cloud.Token)})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		err = s.Users(b.Context(), "", func(page []dirsync.User, _ dirsync.Checkpoint) error {
			n += len(page)
			return nil
		})
		if err != nil || n != 20_000 {
			b.Fatal(n, err)
		}
		s.Close()
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "users/s")
}
