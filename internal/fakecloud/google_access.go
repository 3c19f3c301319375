package fakecloud

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A googleGrant is what an access token opens.
type googleGrant struct {
	subject string
	scopes  []string
	expires time.Time
}

// everywhere are the parameters that every method takes.
var everywhere = []string{"fields", "alt", "prettyPrint", "quotaUser"}

// permitted lets those through who have a token for one of the scopes, act as an administrator
// who may see it, and ask for nothing that isn't there to be asked for.
func (g *Google) permitted(scopes, params []string, handle http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refused := g.check(r, scopes); refused != nil {
			refused.send(w)
			return
		}
		for name := range r.URL.Query() {
			if !slices.Contains(params, name) && !slices.Contains(everywhere, name) {
				googleUnknownParam(name).send(w)
				return
			}
		}
		handle(w, r)
	})
}

func (g *Google) check(r *http.Request, scopes []string) *googleRefusal {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		return &googleNoToken
	}
	c := g.settings()
	g.mu.Lock()
	grant, known := g.grants[token]
	g.mu.Unlock()
	granted := func(scope string) bool { return slices.Contains(grant.scopes, scope) }
	may, err := g.mayDo(c, grant.subject)
	switch {
	case !known || !g.now().Before(grant.expires):
		return &googleBadToken
	case c.APIOff:
		return &googleAPIOff
	case c.Suspended:
		return &googleCustomerSuspended
	case !slices.ContainsFunc(scopes, granted):
		return &googleNoScope
	case err != nil, may == GoogleOrdinary, may == GoogleUsersOnly && !slices.Contains(scopes, GoogleUsersScope):
		return &googleForbidden
	}
	return nil
}

// mayDo says what a subject may do; a refusal when it can't be acted as at all.
func (g *Google) mayDo(c GoogleConfig, subject string) (GoogleSubject, *oauthRefusal) {
	may := GoogleDeleted
	for mail, listed := range c.Subjects {
		if fold(mail) == fold(subject) {
			may = listed
		}
	}
	if may == GoogleDeleted {
		if n, found := g.Directory.UserByLogin(subject); found {
			may = GoogleOrdinary
			if u, _ := g.Directory.User(n); u.Disabled {
				may = GoogleSuspended
			}
		}
	}
	switch {
	case c.Open && may != GoogleSuspended:
		return GoogleAdministrator, nil
	case subject == "":
		return GoogleOrdinary, nil // the service account as itself
	case may == GoogleDeleted:
		return may, &oauthRefusal{http.StatusBadRequest, "invalid_grant", "Invalid email or User ID"}
	case may == GoogleSuspended:
		return may, &oauthRefusal{http.StatusBadRequest, "access_denied", "Account restricted"}
	}
	return may, nil
}
