package okta

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// Options say which org is read, and as whom.
type Options struct {
	OrgURL string // https://example.okta.com

	// Either an API token, or a service app with its private key.
	Token    models.Secret
	ClientID string
	Key      models.Secret // PEM, or a JSON web key
	KeyID    string        // the kid under which Okta knows the key; empty: the web key's own, or none
	Scopes   []string      // to ask for; nil: those that a directory needs

	Inactive   []string // further statuses whose users aren't active, as LOCKED_OUT; SUSPENDED's never are
	GroupTypes []string // nil: all; OKTA_GROUP, APP_GROUP, BUILT_IN
	Attributes []string // of users, by the names of Okta's profile

	Proxy       string
	CA          []byte // PEM
	Concurrency int    // most requests at once; zero: 8

	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// A Source reads one org.
type Source struct {
	client      *cloud.Client
	tokens      *cloud.Tokens // nil: by API token
	credentials credentials
	statuses    statuses
	groupTypes  []string
	attributes  attributes
	now         func() time.Time
	everyone    everyone
	present     map[string]bool // users that were told as changed: they are there
}

var _ dirsync.Source = (*Source)(nil)

// defaultConcurrency is a tenth of what Okta lets run at once, for all that people and programs
// ask of the org.
const defaultConcurrency = 8

// New makes a Source for one run. Nothing is asked yet.
func New(o Options) (*Source, error) {
	s := &Source{groupTypes: o.GroupTypes, now: o.Now, present: map[string]bool{}}
	if s.now == nil {
		s.now = time.Now
	}
	root, err := orgAddress(o.OrgURL)
	if err != nil {
		return nil, err
	}
	if s.credentials, err = readCredentials(o, root); err != nil {
		return nil, err
	}
	if s.statuses, err = readStatuses(o.Inactive); err != nil {
		return nil, err
	}
	if s.attributes, err = newAttributes(o.Attributes); err != nil {
		return nil, err
	}
	s.client, err = cloud.New(cloud.Options{
		Root: root, Proxy: o.Proxy, CA: o.CA, Authorize: s.authorize, Judge: s.judge, Header: header,
		Concurrency: cmp.Or(max(0, o.Concurrency), defaultConcurrency), Now: o.Now, Sleep: o.Sleep, Log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	if s.credentials.key != nil {
		s.tokens = cloud.NewTokens(s.fetchToken, s.now)
	}
	return s, nil
}

// orgAddress reads the org's address; people paste that of the administrators' pages.
func orgAddress(text string) (*url.URL, error) {
	root, err := cloud.Address("org-url", text)
	if err != nil {
		return nil, err
	}
	first, rest, dotted := strings.Cut(root.Hostname(), ".")
	if plain, admin := strings.CutSuffix(first, "-admin"); admin && dotted {
		return nil, fmt.Errorf("org-url: %s is the address of the administrators' pages; leave out -admin: https://%s.%s", root.Host, plain, rest)
	}
	if root.Path != "" {
		return nil, fmt.Errorf("org-url: leave out %s: the org's address is https://HOST", root.Path)
	}
	return root, nil
}

// mostPages ends a list that seems to have no end.
const mostPages = 20_000

// Okta advises against more than 200 a page for users and members of groups.
const pageSize = "200"

// Users sends every user but those who were deactivated, whom Okta's list leaves out, and those
// who were never activated.
func (s *Source) Users(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.User, dirsync.Checkpoint) error) error {
	return resume(ctx, s, "read users", "/api/v1/users?limit="+pageSize, from, s.decodeUsers, func(got []oktaUser, next dirsync.Checkpoint) error {
		users := make([]dirsync.User, 0, len(got))
		for i := range got {
			if s.statuses.known(&got[i]) {
				users = append(users, s.user(&got[i]))
			}
		}
		return page(users, next)
	})
}

// Groups sends every group of the types that were asked for.
func (s *Source) Groups(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.Group, dirsync.Checkpoint) error) error {
	err := resume(ctx, s, "read groups", "/api/v1/groups?limit="+pageSize, from, decodeGroups, func(got []oktaGroup, next dirsync.Checkpoint) error {
		s.everyone.look(got)
		return page(s.groupsOfInterest(got), next)
	})
	if err == nil && from == "" {
		s.everyone.over()
	}
	return err
}

func (s *Source) groupsOfInterest(got []oktaGroup) []dirsync.Group {
	groups := make([]dirsync.Group, 0, len(got))
	for i := range got {
		if s.wants(&got[i]) {
			groups = append(groups, got[i].group())
		}
	}
	return groups
}

func (s *Source) wants(g *oktaGroup) bool {
	return len(s.groupTypes) == 0 || slices.Contains(s.groupTypes, g.Type)
}

// resume reads a list from a checkpoint on. A next link has no known life: when the one of an
// earlier run is refused, the list is read from its start, for what was sent may be sent again.
func resume[T any](ctx context.Context, s *Source, what, first string, from dirsync.Checkpoint, decode func([]byte) ([]T, error), page func([]T, dirsync.Checkpoint) error) error {
	send := func(items []T, next string) error { return page(items, dirsync.Checkpoint(next)) }
	if from != "" && s.client.CheckLink(string(from)) == nil {
		sent := false
		err := list(ctx, s, what, string(from), decode, func(items []T, next string) error {
			sent = true
			return send(items, next)
		})
		if err == nil || sent || !cloud.Answered(err, http.StatusBadRequest, http.StatusNotFound, http.StatusGone) {
			return err
		}
	}
	return list(ctx, s, what, first, decode, send)
}

// Stats says what was asked.
func (s *Source) Stats() dirsync.Stats { return s.client.Stats() }

// Close ends the connections.
func (s *Source) Close() { s.client.Close() }
