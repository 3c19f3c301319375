package entra_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/entra"
	"github.com/rollcall-id/rollcall/sync/sourcetest"
)

func TestConformance(t *testing.T) { sourcetest.Conformance(t, provider) }

func TestFaults(t *testing.T) { sourcetest.Faults(t, provider) }

var provider = sourcetest.Provider{Name: "entra", Start: start, UsersPage: usersPage, Nests: true, TellsChanges: true}

const usersPage = 7

func start(t testing.TB, s sourcetest.Setup) *sourcetest.World {
	config := fakecloud.EntraConfig{Gen: s.Gen, Now: s.Clock.Now, TokenLife: s.TokenLife, PageLimit: usersPage}
	if s.Awkward {
		config.EmptyPages, config.Replays, config.ShuffleDeltaParts = true, true, true
		config.DeltaPage, config.DeltaMembers = 3, 7
	}
	cloud := startEntra(t, config)
	return &sourcetest.World{
		Cloud: cloud.Cloud, Clock: s.Clock,
		Source: func(t testing.TB, how sourcetest.How) dirsync.Source {
			o := optionsFor(cloud)
			o.Now = func() time.Time { return s.Clock.Now().Add(how.Ahead) }
			o.Sleep, o.Log, o.Concurrency = how.Sleep, how.Log, how.AtOnce
			if how.WrongSecret {
				o.Secret = "not~the~secret"
			}
			return newSource(t, o)
		},
		UserID: cloud.UserID, GroupID: cloud.GroupID, MemberID: memberID(cloud),
		User:  func(n fakecloud.UserNo, u fakecloud.User) dirsync.User { return wantUser(cloud, n, u) },
		Group: func(n fakecloud.GroupNo, g fakecloud.Group) (dirsync.Group, bool) { return wantGroup(cloud, n, g) },
		Paths: sourcetest.Paths{
			Token: "/oauth2/v2.0/token$", Users: `^/v1\.0/users\?`, Groups: `^/v1\.0/groups\?`,
			Members: `^/v1\.0/groups/[^/]+/members`, Carrier: `^/v1\.0/\$batch`,
		},
		Expire: map[string]func(){
			"too old, 400": func() { s.Clock.Advance(8 * 24 * time.Hour) },
			"too old, 410": func() {
				cloud.Set(func(c *fakecloud.EntraConfig) { c.Stale, c.DeltaLife = fakecloud.GoneWithLocation, time.Hour })
				s.Clock.Advance(2 * time.Hour)
			},
			"too old for Entra only": func() {
				cloud.Set(func(c *fakecloud.EntraConfig) { c.DeltaLife = time.Hour })
				s.Clock.Advance(2 * time.Hour)
			},
			"reset by Entra": cloud.ResetDelta,
		},
		Secrets: []string{cloud.Secret, "not~the~secret", "eyJ"},
	}
}

func startEntra(t testing.TB, config fakecloud.EntraConfig) *fakecloud.Entra {
	t.Helper()
	cloud := fakecloud.NewEntra(config)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	return cloud
}

func optionsFor(cloud *fakecloud.Entra) entra.Options {
	return entra.Options{
		Tenant: cloud.Tenant, ClientID: cloud.ClientID, Secret: models.Secret(cloud.Secret),
		GraphURL: cloud.GraphURL(), AuthorityURL: cloud.AuthorityURL(),
	}
}

// newSource makes a source that gives up lists without end after 500 pages.
func newSource(t testing.TB, o entra.Options) *entra.Source {
	t.Helper()
	s, err := entra.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.LimitPages(500)
	return s
}

func memberID(cloud *fakecloud.Entra) func(fakecloud.Member) string {
	return func(m fakecloud.Member) string {
		if m.Kind == fakecloud.Everybody { // Google has that
			return ""
		}
		return cloud.MemberID(m)
	}
}

func wantUser(cloud *fakecloud.Entra, n fakecloud.UserNo, u fakecloud.User) dirsync.User {
	want := dirsync.User{
		ID: cloud.UserID(n), Login: principalName(u), Mail: u.Mail, First: u.Given, Last: u.Surname, Display: u.Display,
		Active: !u.Disabled, Guest: u.Guest,
	}
	if want.Mail == "" && len(u.OtherMails) > 0 {
		want.Mail = u.OtherMails[0]
	}
	return want
}

// principalName is the name of an account whose home is elsewhere, too.
func principalName(u fakecloud.User) string {
	if !u.External {
		return u.Login
	}
	return strings.ReplaceAll(u.Login, "@", "_") + "#EXT#@contoso.onmicrosoft.com"
}

func wantGroup(cloud *fakecloud.Entra, n fakecloud.GroupNo, g fakecloud.Group) (dirsync.Group, bool) {
	return dirsync.Group{ID: cloud.GroupID(n), Name: g.Name, Mail: g.Mail, Description: g.Description}, g.Kind != fakecloud.Distribution
}
