package crowd_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/api/crowd"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
)

// letters takes what waits in the outbox out of it.
func (w *world) letters() (letters []models.Letter) {
	w.t.Helper()
	items, err := w.store.OutboxDue(w.t.Context(), models.TimeOf(w.clock.Now()), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, item := range items {
		var l models.Letter
		if err := json.Unmarshal(item.Payload, &l); err != nil {
			w.t.Fatal(err)
		}
		letters = append(letters, l)
		if _, err := w.store.ClaimOutbox(w.t.Context(), &item, 0); err != nil {
			w.t.Fatal(err)
		}
		if err := w.store.Delivered(w.t.Context(), &item); err != nil {
			w.t.Fatal(err)
		}
	}
	return letters
}

func TestQuirk50Letters(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		without := newWorld(t, db, crowd.Options{})
		without.people()
		without.app("reader", "127.0.0.1", func(n *application.NewApplication) { n.Permissions = models.ReadOnly })
		without.run(
			call{name: "no mail server", do: "POST /user/mail/password?username=ada", kind: asXML, accept: asXML, want: 501, reason: "UNSUPPORTED_OPERATION"},
			call{name: "no mail server for names", do: "POST /user/mail/usernames?email=ada@example.test", kind: asXML, accept: asXML, want: 501, reason: "UNSUPPORTED_OPERATION"},
		)
		w := without.again(db, login.Options{Letters: login.LetterOptions{Mail: true, URL: "https://id.example.test"}})
		w.run(
			call{name: "as Atlassian's client asks", do: "POST /user/mail/password?username=ADA", kind: asXML, accept: asXML, want: 204, is: ""},
		)
		letters := w.letters()
		if len(letters) != 1 || letters[0].Kind != models.LetterReset || letters[0].To != "ada@example.test" || !strings.HasPrefix(letters[0].Link, "https://id.example.test/reset/") {
			w.t.Errorf("the letters are %+v", letters)
		}
		w.run(
			call{name: "a body that nobody reads", do: "POST /user/mail/password?username=bob", body: `{"x":`, want: 204},
			call{name: "no name", do: "POST /user/mail/password", kind: asXML, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "nobody of that name", do: "POST /user/mail/password?username=nobody", kind: asXML, want: 404, reason: "USER_NOT_FOUND"},
			call{name: "no address", do: "POST /user/mail/password?username=eve", kind: asXML, want: 400, reason: "INVALID_EMAIL"},
			call{name: "no permission", do: "POST /user/mail/password?username=ada", kind: asXML, as: "reader:secret-of-reader", want: 403, reason: "APPLICATION_PERMISSION_DENIED"},
			call{name: "another method", do: "GET /user/mail/password?username=ada", want: 405},
		)
		w.letters()
		w.run(
			call{name: "names", do: "POST /user/mail/usernames?email=Bob%40EXAMPLE.test", kind: asXML, accept: asXML, want: 204, is: ""},
		)
		letters = w.letters()
		if len(letters) != 1 || letters[0].Kind != models.LetterUsernames || letters[0].To != "bob@example.test" || len(letters[0].Names) != 1 || letters[0].Names[0].Name != "bob" {
			w.t.Errorf("the letters are %+v", letters)
		}
		w.run(
			call{name: "nobody of that address", do: "POST /user/mail/usernames?email=x%40example.test", kind: asXML, want: 204},
			call{name: "no address at all", do: "POST /user/mail/usernames", kind: asXML, want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "what is none", do: "POST /user/mail/usernames?email=x", kind: asXML, want: 400, reason: "INVALID_EMAIL"},
		)
		if letters = w.letters(); len(letters) != 0 {
			w.t.Errorf("the letters are %+v, want none", letters)
		}
	})
}
