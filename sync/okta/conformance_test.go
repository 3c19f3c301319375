package okta_test

import (
	"crypto"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/okta"
	"github.com/rollcall-id/rollcall/sync/sourcetest"
)

// provider is how the tests that all sources share start an org and read it, as a service app.
var provider = sourcetest.Provider{
	Name: "okta", Start: startShared, UsersPage: sharedPage, TellsChanges: true,
}

const sharedPage = 20

func startShared(t testing.TB, s sourcetest.Setup) *sourcetest.World {
	t.Helper()
	c := fakecloud.OktaConfig{
		Gen: s.Gen, Now: s.Clock.Now, TokenLife: s.TokenLife, PageLimit: sharedPage,
		ClientID: "0oaapp", Keys: map[string]crypto.PublicKey{"ec": ecKey().Public()},
	}
	if s.Awkward {
		c.Repeats, c.Gaps, c.SearchLag, c.LogLag, c.ClockAhead = true, true, 5*time.Minute, 10*time.Second, 3*time.Minute
	}
	cloud := fakecloud.NewOkta(c)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	w := &sourcetest.World{
		Cloud: cloud.Cloud, UserID: cloud.UserID, GroupID: cloud.GroupID, MemberID: cloud.MemberID,
		User: func(n fakecloud.UserNo, u fakecloud.User) dirsync.User {
			return dirsync.User{ID: cloud.UserID(n), Login: u.Login, Mail: u.Mail, First: u.Given, Last: u.Surname, Display: u.Display, Active: !u.Disabled}
		},
		Group: func(n fakecloud.GroupNo, g fakecloud.Group) (dirsync.Group, bool) {
			return dirsync.Group{ID: cloud.GroupID(n), Name: g.Name, Description: g.Description}, true
		},
		Paths: sourcetest.Paths{
			Token: "/oauth2/v1/token", Users: `/api/v1/users\?`, Groups: `/api/v1/groups\?`, Members: `/api/v1/groups/[^/]+/users`,
		},
		Expire: map[string]func(){
			"a week without a run": func() { s.Clock.Advance(8 * 24 * time.Hour) },
			"the System Log doesn't go on": func() {
				cloud.Fail(fakecloud.Fault{Path: "/api/v1/logs", Do: fakecloud.Gone})
			},
		},
		Secrets: []string{string(ecWebKey()), pemOf(ecKey())},
	}
	w.Source = func(t testing.TB, how sourcetest.How) dirsync.Source {
		key := ecWebKey()
		if how.WrongSecret {
			key = rsaWebKey()
		}
		source, err := okta.New(okta.Options{
			OrgURL: cloud.URL, ClientID: "0oaapp", Key: models.Secret(key), Sleep: how.Sleep, Log: how.Log, Concurrency: how.AtOnce,
			Now: func() time.Time { return s.Clock.Now().Add(how.Ahead) },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(source.Close)
		return source
	}
	return w
}

func TestConformance(t *testing.T) { sourcetest.Conformance(t, provider) }

func TestFaults(t *testing.T) { sourcetest.Faults(t, provider) }
