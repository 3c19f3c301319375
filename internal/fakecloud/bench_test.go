package fakecloud

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// discard takes an answer and forgets it.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkPages(b *testing.B) {
	began := time.Now()
	e := NewEntra(EntraConfig{Gen: Typical(1_000_000, 100_000)})
	b.Logf("made in %v", time.Since(began))
	e.tokens["t"] = entraGrant{permissions: []string{UserReadAll, GroupMemberReadAll}, ends: time.Now().Add(time.Hour)}
	for _, page := range []struct{ name, path string }{
		{"users", "/v1.0/users?$select=id,userPrincipalName,displayName,givenName,surname,mail,otherMails,proxyAddresses,accountEnabled,userType,mailNickname,onPremisesSamAccountName,employeeId,department,jobTitle,createdDateTime&$top=999"},
		{"groups", "/v1.0/groups?$select=id,displayName,description,mail,mailNickname,securityEnabled,mailEnabled,groupTypes&$top=999"},
		{"members of the largest", "/v1.0/groups/" + e.GroupID(0) + "/members?$select=id&$top=999"},
		{"members of a small one", "/v1.0/groups/" + e.GroupID(99_999) + "/members?$select=id&$top=999"},
		{"groups of a user", "/v1.0/users/" + e.UserID(7) + "/memberOf?$select=id&$top=999"},
		{"delta of users", "/v1.0/users/delta?$select=id,userPrincipalName,displayName,mail,accountEnabled"},
		{"delta of groups", "/v1.0/groups/delta?$select=id,displayName,members"},
		{"user by name", "/v1.0/users/" + e.Directory.gen.user(999_999).Login},
	} {
		b.Run(page.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, page.path, http.NoBody)
			r.Header.Set("Authorization", "Bearer t")
			w := &discard{http.Header{}}
			for b.Loop() {
				e.ServeHTTP(w, r)
			}
		})
	}
}
