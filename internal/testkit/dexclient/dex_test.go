package dexclient_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/dexidp/dex/connector"
	"github.com/dexidp/dex/connector/atlassiancrowd"
)

func TestRightPassword(t *testing.T) {
	ada := create(t, fresh("ada"))
	got, ok, err := open(t).Login(t.Context(), connector.Scopes{}, ada.Name, "difference")
	if err != nil || !ok {
		t.Fatalf("login: %v %v", ok, err)
	}
	if got.Username != ada.Name || got.Email != ada.Email || !got.EmailVerified || got.PreferredUsername != "" {
		t.Errorf("identity: %+v", got)
	}
	if got.UserID == "" || got.UserID != ada.Key {
		t.Errorf("the user's id is %q, want Crowd's key %q", got.UserID, ada.Key)
	}
	if got.Groups != nil || got.ConnectorData != nil {
		t.Errorf("nobody asked for groups or for data to refresh with: %+v", got)
	}
}

func TestAnotherSpellingIsTheSamePerson(t *testing.T) {
	ada := create(t, fresh("AdA"))
	got, ok, err := open(t).Login(t.Context(), connector.Scopes{}, strings.ToLower(ada.Name), "difference")
	if err != nil || !ok || got.Username != ada.Name || got.UserID != ada.Key {
		t.Errorf("want %s (%s), got %+v %v %v", ada.Name, ada.Key, got, ok, err)
	}
}

// Dex shows these as "invalid username or password"; an error would be its error page.
func TestRefusedWithoutError(t *testing.T) {
	ada := create(t, fresh("ada"))
	for _, test := range []struct{ name, user, password string }{
		{"wrong password", ada.Name, "engine"},
		{"password in other case", ada.Name, "DIFFERENCE"},
		{"unknown user", fresh("nobody"), "difference"},
		{"empty password", ada.Name, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok, err := open(t).Login(t.Context(), connector.Scopes{Groups: true}, test.user, test.password)
			if err != nil || ok || got.UserID != "" {
				t.Errorf("want a refusal without an error, got %+v %v %v", got, ok, err)
			}
		})
	}
}

func TestInactiveUser(t *testing.T) {
	ada := create(t, fresh("ada"))
	deactivate(t, ada)
	_, ok, err := open(t).Login(t.Context(), connector.Scopes{}, ada.Name, "difference")
	want(t, ok, err, "400 Bad Request", "inactive", ada.Name)
}

func TestUserOutsideTheGroupsThatMayLogIn(t *testing.T) {
	ada := create(t, fresh("ada"))
	members := open(t, func(c *atlassiancrowd.Config) { c.ClientID = setting(t, "CROWD_MEMBERS") })
	_, ok, err := members.Login(t.Context(), connector.Scopes{}, ada.Name, "difference")
	want(t, ok, err, "403 Forbidden", "not allowed", ada.Name)
}

func TestGroups(t *testing.T) {
	ada := create(t, fresh("ada"))
	direct, above, top := fresh("direct"), fresh("above"), fresh("top")
	join(t, ada, direct, above, top)
	all := []string{above, direct, top} // in the order of names

	for _, test := range []struct {
		name     string
		scope    bool
		required []string
		want     []string
	}{
		{name: "direct and nested", scope: true, want: all},
		{name: "not asked for", scope: false, want: nil},
		{name: "only those of the configuration", scope: true, required: []string{top, "other"}, want: []string{top}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := open(t, func(c *atlassiancrowd.Config) { c.Groups = test.required })
			got, ok, err := c.Login(t.Context(), connector.Scopes{Groups: test.scope}, ada.Name, "difference")
			if err != nil || !ok || !slices.Equal(got.Groups, test.want) {
				t.Errorf("want %v, got %v %v %v", test.want, got.Groups, ok, err)
			}
		})
	}
	t.Run("in none of the configuration", func(t *testing.T) {
		c := open(t, func(c *atlassiancrowd.Config) { c.Groups = []string{"other"} })
		_, ok, err := c.Login(t.Context(), connector.Scopes{Groups: true}, ada.Name, "difference")
		want(t, ok, err, "is not in any of the required groups", ada.Name)
	})
	t.Run("of a user who is in none", func(t *testing.T) {
		eve := create(t, fresh("eve"))
		got, ok, err := open(t).Login(t.Context(), connector.Scopes{Groups: true}, eve.Name, "difference")
		if err != nil || !ok || len(got.Groups) != 0 {
			t.Errorf("want no groups, got %v %v %v", got.Groups, ok, err)
		}
	})
}

func TestPreferredUsername(t *testing.T) {
	ada := create(t, fresh("ada"))
	for field, want := range map[string]string{"key": ada.Key, "name": ada.Name, "email": ada.Email, "": "", "nonsense": ""} {
		t.Run(field, func(t *testing.T) {
			c := open(t, func(c *atlassiancrowd.Config) { c.PreferredUsernameField = field })
			got, _, err := c.Login(t.Context(), connector.Scopes{}, ada.Name, "difference")
			if err != nil || got.PreferredUsername != want {
				t.Errorf("want %q, got %q %v", want, got.PreferredUsername, err)
			}
		})
	}
}

func TestPrompt(t *testing.T) {
	if got := open(t).Prompt(); got != "" {
		t.Errorf("prompt %q", got)
	}
	c := open(t, func(c *atlassiancrowd.Config) { c.UsernamePrompt = "Crowd login" })
	if got := c.Prompt(); got != "Crowd login" {
		t.Errorf("prompt %q", got)
	}
}

func TestRefresh(t *testing.T) {
	ada := create(t, fresh("ada"))
	group := fresh("group")
	scopes := connector.Scopes{Groups: true, OfflineAccess: true}
	c := open(t)
	first, ok, err := c.Login(t.Context(), scopes, ada.Name, "difference")
	if err != nil || !ok || len(first.ConnectorData) == 0 {
		t.Fatalf("login: %+v %v %v", first, ok, err)
	}

	// What changed meanwhile is there; the password doesn't matter.
	join(t, ada, group)
	call(t, http.MethodPut, "/user/password?username="+ada.Name, password{"engine"}, nil)
	ada.Email, ada.Password = fresh("new")+"@example.test", nil
	call(t, http.MethodPut, "/user?username="+ada.Name, ada, nil)

	got, err := c.Refresh(t.Context(), scopes, first)
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	if got.UserID != first.UserID || got.Username != ada.Name || got.Email != ada.Email || !slices.Equal(got.Groups, []string{group}) ||
		string(got.ConnectorData) != string(first.ConnectorData) {
		t.Errorf("refreshed: %+v, after %+v", got, first)
	}

	t.Run("without groups", func(t *testing.T) {
		got, err := c.Refresh(t.Context(), connector.Scopes{OfflineAccess: true}, first)
		if err != nil || got.Groups != nil {
			t.Errorf("want no groups, got %v %v", got.Groups, err)
		}
	})
	t.Run("of an inactive user", func(t *testing.T) {
		deactivate(t, ada)
		_, err := c.Refresh(t.Context(), scopes, first)
		want(t, false, err, "crowd: authenticate user: 400 Bad Request", "INACTIVE_ACCOUNT")
	})
	t.Run("of a user who is gone", func(t *testing.T) {
		call(t, http.MethodDelete, "/user?username="+ada.Name, nil, nil)
		_, err := c.Refresh(t.Context(), scopes, first)
		want(t, false, err, "crowd: get user", "404 Not Found", "USER_NOT_FOUND")
	})
}

// The user's id is the subject of Dex's tokens: another one would be another person.
func TestTheIDOutlivesRenameAndPassword(t *testing.T) {
	ada := create(t, fresh("ada"))
	renamed := fresh("augusta")
	call(t, http.MethodPost, "/user/rename?username="+ada.Name, map[string]string{"new-name": renamed}, nil)
	call(t, http.MethodPut, "/user/password?username="+renamed, password{"engine"}, nil)
	got, ok, err := open(t).Login(t.Context(), connector.Scopes{}, renamed, "engine")
	if err != nil || !ok || got.UserID != ada.Key || got.Username != renamed {
		t.Errorf("want %s with the key %s, got %+v %v %v", renamed, ada.Key, got, ok, err)
	}
}

// Dex writes a name into the query as it is, so these bytes arrive unescaped.
func TestNamesAreNotEscaped(t *testing.T) {
	for _, name := range []string{"jürgen", "例え", "o'brien", "ada@example.test", "domain\\ada", "a/b", "😀"} {
		t.Run(name, func(t *testing.T) {
			user := create(t, fresh(name))
			got, ok, err := open(t).Login(t.Context(), connector.Scopes{Groups: true}, user.Name, "difference")
			if err != nil || !ok || got.Username != user.Name || got.UserID != user.Key {
				t.Errorf("want %s, got %+v %v %v", user.Name, got, ok, err)
			}
		})
	}
}

func TestWrongApplicationPassword(t *testing.T) {
	ada := create(t, fresh("ada"))
	for _, id := range []string{setting(t, "CROWD_APPLICATION"), fresh("nothing")} {
		c := open(t, func(c *atlassiancrowd.Config) { c.ClientID, c.ClientSecret = id, "wrong" })
		_, ok, err := c.Login(t.Context(), connector.Scopes{}, ada.Name, "difference")
		want(t, ok, err, `dex failed to authenticate Crowd Application with ID "`+id+`"`)
	}
}

func TestForbiddenAddress(t *testing.T) {
	ada := create(t, fresh("ada"))
	c := open(t, func(c *atlassiancrowd.Config) { c.ClientID = setting(t, "CROWD_ELSEWHERE") })
	_, ok, err := c.Login(t.Context(), connector.Scopes{}, ada.Name, "difference")
	want(t, ok, err, `dex is forbidden from making requests to the Atlassian Crowd application by URL "`+setting(t, "CROWD_URL")+`"`)
}

func TestWithoutTheContext(t *testing.T) {
	ada := create(t, fresh("ada"))
	root, err := url.Parse(setting(t, "CROWD_URL"))
	if err != nil {
		t.Fatal(err)
	}
	root.Path = ""
	for _, base := range []string{root.String(), root.String() + "/", root.String() + "/crowd/"} {
		c := open(t, func(c *atlassiancrowd.Config) { c.BaseURL = base })
		if got, ok, err := c.Login(t.Context(), connector.Scopes{Groups: true}, ada.Name, "difference"); err != nil || !ok || got.UserID != ada.Key {
			t.Errorf("%s: %+v %v %v", base, got, ok, err)
		}
	}
}

// want checks that a login was refused with an error that says these things.
func want(t *testing.T, ok bool, err error, says ...string) {
	t.Helper()
	if ok || err == nil {
		t.Fatalf("want an error that says %q, got %v %v", says, ok, err)
	}
	for _, word := range says {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("want an error that says %q, got: %v", word, err)
		}
	}
}
