package crowd_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestExpireAllPasswords(t *testing.T) {
	each(t, func(w *world) {
		w.people()
		w.partners()
		w.call(call{do: "POST /user", body: `{"name":"robot"}`, want: 201}) // who has no password
		w.app("reader", "127.0.0.1", func(n *application.NewApplication) { n.Permissions = models.ReadOnly })
		const right, wrong = `{"value":"difference"}`, `{"value":"x"}`
		w.run(
			call{name: "unconfirmed", do: "POST /user/expire-all-passwords", want: 400, reason: "ILLEGAL_ARGUMENT", has: []string{"confirm=true"}},
			call{name: "denied", do: "POST /user/expire-all-passwords?confirm=false", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "misspelt", do: "POST /user/expire-all-passwords?confirm=yes", want: 400, reason: "ILLEGAL_ARGUMENT"},
			call{name: "not permitted", do: "POST /user/expire-all-passwords?confirm=true", as: "reader:secret-of-reader", want: 403, reason: "APPLICATION_PERMISSION_DENIED"},
			call{name: "another method", do: "PUT /user/expire-all-passwords?confirm=true", want: 405},
			call{name: "nothing happened", do: "POST /authentication?username=ada", body: right, want: 200},
			call{name: "confirmed", do: "POST /user/expire-all-passwords?confirm=true", kind: asXML, want: 204, is: ""},
			call{name: "the right password", do: "POST /authentication?username=ada", body: right, want: 400, reason: "EXPIRED_CREDENTIAL"},
			call{name: "a wrong one", do: "POST /authentication?username=ada", body: wrong, want: 400, reason: "INVALID_USER_AUTHENTICATION"},
			call{name: "it is an attribute", do: "GET /user/attribute?username=robot", want: 200, has: []string{`"name":"requiresPasswordChange","values":["true"]`}},
			call{name: "of every user, and can be searched for", do: "GET /search?entity-type=user&restriction=requiresPasswordChange%3dtrue", want: 200,
				has: []string{`"name":"Ada"`, `"name":"bob"`, `"name":"eve"`, `"name":"robot"`}},
			call{name: "but not of another directory", do: "GET /search?entity-type=user&restriction=requiresPasswordChange%3dtrue", as: "outside:secret-of-outside", want: 200, is: `{"expand":"user","users":[]}`},
			call{name: "a new password", do: "PUT /user/password?username=ada", body: `{"value":"engine"}`, want: 204},
			call{name: "ends it", do: "POST /authentication?username=ada", body: `{"value":"engine"}`, want: 200},
		)
		entries, err := w.store.SearchAudit(w.t.Context(), store.AuditSearch{Action: "directory.expire-passwords", Limit: 10})
		if err != nil || len(entries) != 1 || entries[0].Actor != "jira" || entries[0].Directory != "staff" || entries[0].After != `{"users":4}` {
			w.t.Errorf("the audit log has %+v, %v", entries, err)
		}
		// An application of both directories expires both, where it may.
		w.call(call{do: "POST /user/expire-all-passwords?confirm=true", as: "both:secret-of-both", want: 204})
		if got := w.cql("outside:secret-of-outside", "user", "requiresPasswordChange = true"); got != "BOB zoe" {
			w.t.Errorf("it expired the passwords of %q", got)
		}
	})
}

// However many they are, it is one statement and one line of the feed.
func TestExpireManyPasswords(t *testing.T) {
	each(t, func(w *world) {
		names := w.crowd(2000)
		before, err := w.store.LastChange(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		w.call(call{do: "POST /user/expire-all-passwords?confirm=true", want: 204})
		after, err := w.store.LastChange(w.t.Context())
		if err != nil || after != before+1 {
			w.t.Errorf("the feed grew by %d lines (%v), want 1", after-before, err)
		}
		for _, name := range []string{names[0], names[len(names)-1]} {
			w.call(call{do: fmt.Sprintf("GET /user/attribute?username=%s", name), want: 200, has: []string{`"name":"requiresPasswordChange","values":["true"]`}})
		}
	})
}
