package entra

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkDecode decodes pages of 999 users, and of as many members, without a server.
func BenchmarkDecode(b *testing.B) {
	var users, members bytes.Buffer
	users.WriteString(`{"value":[`)
	members.WriteString(`{"value":[`)
	for i := range 999 {
		if i > 0 {
			users.WriteByte(',')
			members.WriteByte(',')
		}
		fmt.Fprintf(&users, `{"id":"6ea91a8d-e32e-41a1-b7bd-d2d185ee%04d","userPrincipalName":"adele.vance%d@contoso.example","displayName":"Adele Vance","givenName":"Adele","surname":"Vance","mail":"adele.vance%d@contoso.example","otherMails":[],"accountEnabled":true,"userType":"Member","department":"Sales","jobTitle":"Manager"}`, i, i, i)
		fmt.Fprintf(&members, `{"@odata.type":"#microsoft.graph.user","id":"6ea91a8d-e32e-41a1-b7bd-d2d185ee%04d"}`, i)
	}
	users.WriteString(`]}`)
	members.WriteString(`]}`)
	for name, attributes := range map[string][]string{"plain": nil, "attributes": {"department", "jobTitle"}} {
		d, err := newUserDecoder(attributes)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("users, "+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				page, err := d.decode(users.Bytes())
				if err != nil || len(page.users) != 999 {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*999/b.Elapsed().Seconds(), "users/s")
		})
	}
	b.Run("members", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			page, err := decodeMembers(members.Bytes())
			if err != nil || len(page.Value) != 999 {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*999/b.Elapsed().Seconds(), "members/s")
	})
}
