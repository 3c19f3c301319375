package okta

import (
	"fmt"
	"strings"
	"testing"
)

// Decoding is what reading costs beside the network: a million users in half a minute of one core.
func BenchmarkDecodeUsers(b *testing.B) {
	one := `{"id":"00ub0oNGTSWTBKOLG%03d","status":"ACTIVE","created":"2013-06-24T16:39:18.000Z","statusChanged":"2013-06-24T16:39:19.000Z","lastLogin":null,` +
		`"lastUpdated":"2026-01-02T16:39:18.000Z","passwordChanged":null,"type":{"id":"otyfnjfba4ye7pgjB0g4"},"realmId":"guo1bxxx",` +
		`"profile":{"login":"isaac.brock@example.com","email":"isaac.brock@example.com","firstName":"Isaac","lastName":"Brock","displayName":"Isaac Brock",` +
		`"mobilePhone":null,"secondEmail":null,"employeeNumber":"4711","department":"Music"}}`
	var all []string
	for i := range 200 {
		all = append(all, fmt.Sprintf(one, i))
	}
	page := []byte("[" + strings.Join(all, ",") + "]")
	b.Run("members", func(b *testing.B) {
		for b.Loop() {
			if members, err := decodeMembers(page); err != nil || len(members) != 200 {
				b.Fatal(err)
			}
		}
		b.ReportMetric(200*float64(b.N)/b.Elapsed().Seconds(), "users/s")
	})
	asked, err := newAttributes([]string{"department", "employeeNumber"})
	if err != nil {
		b.Fatal(err)
	}
	for name, s := range map[string]*Source{"plain": {}, "attributes": {attributes: asked}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if users, err := s.decodeUsers(page); err != nil || len(users) != 200 {
					b.Fatal(err)
				}
			}
			b.ReportMetric(200*float64(b.N)/b.Elapsed().Seconds(), "users/s")
		})
	}
}
