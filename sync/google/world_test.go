package google_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/google"
	"github.com/rollcall-id/rollcall/sync/sourcetest"
)

// provider starts fake Googles for the suite that all sources share.
var provider = sourcetest.Provider{Name: "google", Start: startWorld, UsersPage: 500, Nests: true, PageTokens: true}

func startWorld(t testing.TB, s sourcetest.Setup) *sourcetest.World {
	t.Helper()
	cloud := fakecloud.NewGoogle(fakecloud.GoogleConfig{Gen: s.Gen, Now: s.Clock.Now, TokenLife: s.TokenLife})
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	return &sourcetest.World{
		Cloud: cloud.Cloud,
		Source: func(t testing.TB, how sourcetest.How) dirsync.Source {
			file := models.Secret(cloud.Credentials())
			if how.WrongSecret {
				file = withField(t, file, "private_key_id", "old")
			}
			return open(t, google.Options{
				Credentials: file, Subject: cloud.Subject(), DirectoryURL: cloud.URL,
				Now: func() time.Time { return s.Clock.Now().Add(how.Ahead) }, Sleep: how.Sleep, Log: how.Log, Concurrency: how.AtOnce,
			})
		},
		UserID: cloud.UserID, GroupID: cloud.GroupID, MemberID: cloud.MemberID,
		User: func(n fakecloud.UserNo, u fakecloud.User) dirsync.User {
			return dirsync.User{
				ID: cloud.UserID(n), Login: u.Login, Mail: u.Login, First: u.Given, Last: u.Surname, Display: u.Display,
				Active: !u.Disabled, Guest: u.Guest,
			}
		},
		Group: func(n fakecloud.GroupNo, g fakecloud.Group) (dirsync.Group, bool) {
			return dirsync.Group{ID: cloud.GroupID(n), Name: g.Name, Mail: cloud.GroupAddress(n, g), Description: g.Description}, true
		},
		Paths: sourcetest.Paths{
			Token: `^/token$`, Users: `^/admin/directory/v1/users\?`, Groups: `^/admin/directory/v1/groups\?`, Members: `/members\?`, Carrier: `/members\?`,
		},
		Secrets: []string{"PRIVATE KEY", "ya29.", "eyJ"}, // the key, access tokens, assertions
	}
}

// withField is a key file with another value in one field.
func withField(t testing.TB, file models.Secret, name, value string) models.Secret {
	t.Helper()
	fields := map[string]string{}
	if err := json.Unmarshal([]byte(file.Reveal()), &fields); err != nil {
		t.Fatal(err)
	}
	fields[name] = value
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return models.Secret(text)
}
