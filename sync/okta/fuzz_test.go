package okta

import (
	"net/http"
	"strings"
	"testing"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

func FuzzNextLink(f *testing.F) {
	f.Add(`<https://org/api/v1/users?after=1>; rel="next"`)
	f.Add(`<https://org/api/v1/users>; rel="self", <https://org/a>; rel="next"`)
	f.Add(`<<>>; rel="next"`)
	f.Fuzz(func(t *testing.T, line string) {
		link := nextLink(http.Header{"Link": {line}})
		if link != "" && (!strings.Contains(line, "<"+link+">") || strings.Contains(link, ">")) {
			t.Errorf("%q isn't a link of %q", link, line)
		}
	})
}

func TestNextLink(t *testing.T) {
	t.Parallel()
	for want, lines := range map[string][]string{
		"https://org/b": {`<https://org/a>; rel="self"`, `<https://org/b>; rel="next"`},
		"https://org/c": {`<https://org/a>; rel="self", <https://org/c>; rel="next"`},
		"https://org/d": {`<https://org/d>;rel="next"; title="x"`},
		"":              {`<https://org/a>; rel="self"`, `https://org/b; rel="next"`, `<https://org/b`, ""},
	} {
		if got := nextLink(http.Header{"Link": lines}); got != want {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}

func FuzzReadKey(f *testing.F) {
	f.Add(`{"kty":"RSA","n":"AQ","e":"AQAB","d":"AQ","p":"AQ","q":"AQ"}`)
	f.Add(`{"kty":"EC","crv":"P-256","d":"AQ"}`)
	f.Add("-----BEGIN PRIVATE KEY-----\nAQAB\n-----END PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := readKey(text, "id"); (key == nil) == (err == nil) {
			t.Errorf("%v, %v", key, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(`[{"id":"00u1","status":"ACTIVE","profile":{"login":"ada","department":["a",1,{"b":[2]}],"site":null}}]`)
	f.Add(`[{"id":"00u1","status":"ACTIVE","profile":null},null]`)
	f.Add(`null`)
	asked, err := newAttributes([]string{"department", "profile.site", "site"})
	if err != nil {
		f.Fatal(err)
	}
	s := &Source{attributes: asked}
	f.Fuzz(func(t *testing.T, text string) {
		users, err := s.decodeUsers([]byte(text))
		for i := range users {
			if err == nil && users[i].ID == "" {
				t.Error("a user without an id")
			}
		}
		_, _ = decodeGroups([]byte(text)) // must not panic
		_, _ = decodeMembers([]byte(text))
		if c, err := readCursor(dirsync.Cursor(text), time.Now()); err == nil && c.Log != "" && !strings.HasPrefix(c.Log, "/api/v1/logs?") {
			t.Errorf("the cursor leads to %q", c.Log)
		}
	})
}
