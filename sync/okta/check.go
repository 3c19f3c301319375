package okta

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// A trial is one question that a sync needs an answer to.
type trial struct {
	what, path, scope string
	optional          string // what goes without it
}

var trials = []trial{
	{what: "read users", path: "/api/v1/users", scope: scopeUsers},
	{what: "read groups and their members", path: "/api/v1/groups", scope: scopeGroups},
	{what: "read the System Log", path: logPath, scope: scopeLogs, optional: "without it every run reads everything"},
}

// Check asks what a sync asks, and says what is refused. Okta tells nobody the roles of a token.
func (s *Source) Check(ctx context.Context) (r dirsync.Report, err error) {
	if s.tokens != nil {
		if _, err := s.tokens.Get(ctx, ""); refusedAs(err, "invalid_scope") {
			return s.checkScopes(ctx)
		} else if err != nil {
			return r, err
		}
	}
	var rates []string
	for _, t := range trials {
		bucket, err := s.try(ctx, t, &r)
		if err != nil {
			return r, err
		}
		if bucket.limit > 0 {
			rates = append(rates, fmt.Sprintf("%d for %s", bucket.limit, t.path))
		}
	}
	if len(rates) > 0 {
		r.Notes = append(r.Notes, "requests a minute that Okta takes: "+strings.Join(rates, ", ")+"; a sync leaves a tenth of them to others")
	}
	if s.tokens == nil {
		return r, s.checkOwner(ctx, &r)
	}
	return r, nil
}

// try asks one question, for one thing, and says what the answer told of its rate.
func (s *Source) try(ctx context.Context, t trial, r *dirsync.Report) (bucket rate, err error) {
	var some int
	err = s.client.Do(ctx, cloud.Request{URL: query(t.path, "limit", "1"), Take: func(a cloud.Answer) error {
		bucket, _ = readRate(a.Header)
		var things []json.RawMessage
		err := json.Unmarshal(a.Body, &things)
		some = len(things)
		return err
	}})
	switch e := cloud.Refusal(err); {
	case e != nil && (e.Status == http.StatusForbidden || e.Status == http.StatusNotFound && t.optional != ""):
		missing := fmt.Sprintf("%s: Okta answers %s: %s", t.what, e.Code, e.Hint)
		if t.optional != "" {
			r.Notes = append(r.Notes, missing+"; "+t.optional)
		} else {
			r.Missing = append(r.Missing, missing)
		}
		return rate{}, nil
	case err != nil:
		return rate{}, fmt.Errorf("%s: %w", t.what, err)
	case some == 0 && t.optional == "":
		// There is always a user, the one that made the org, and the group of all users.
		r.Missing = append(r.Missing, t.what+": Okta shows none: give "+s.whom()+" the role Read-only Administrator, in Okta under Security, Administrators")
		return rate{}, nil
	}
	r.Granted = append(r.Granted, t.what)
	return bucket, nil
}

// checkScopes asks for one scope after the other: Okta refuses all when one isn't granted, and
// doesn't say which.
func (s *Source) checkScopes(ctx context.Context) (r dirsync.Report, err error) {
	for _, t := range trials {
		_, err := s.askForToken(ctx, []string{t.scope})
		switch {
		case err == nil:
			r.Granted = append(r.Granted, t.scope)
		case refusedAs(err, "invalid_scope"):
			missing := t.scope + ": grant it to the service app, on its page Okta API Scopes"
			if t.optional != "" {
				r.Notes = append(r.Notes, missing+"; "+t.optional)
			} else {
				r.Missing = append(r.Missing, missing)
			}
		default:
			return r, err
		}
	}
	return r, nil
}

// checkOwner says whose the API token is, and when it ends. It has no day: each use prolongs it.
func (s *Source) checkOwner(ctx context.Context, r *dirsync.Report) error {
	const ends = "it ends with that account, or 30 days after its last use; each sync prolongs it"
	owner, err := s.userByID(ctx, "me")
	switch {
	case cloud.Answered(err, http.StatusForbidden, http.StatusNotFound):
		r.Notes = append(r.Notes, "Okta doesn't say whose the API token is; "+ends)
	case err != nil:
		return err
	default:
		r.Notes = append(r.Notes, "the API token is "+owner.Profile.Login+"'s; "+ends)
	}
	return nil
}
