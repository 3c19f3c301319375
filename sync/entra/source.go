package entra

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// The addresses of Microsoft's public cloud.
const (
	PublicGraph     = "https://graph.microsoft.com/v1.0"
	PublicAuthority = "https://login.microsoftonline.com"
)

// Options say which tenant is read, and as whom.
type Options struct {
	Tenant   string // its id, or one of its domains
	ClientID string // of the application

	// Exactly one of these proves that we are the application.
	Secret      models.Secret
	Certificate models.Secret // PEM with the private key
	TokenFile   string        // of workload identity; read for each token

	GraphURL     string // empty: PublicGraph; a national cloud has its own
	AuthorityURL string // empty: PublicAuthority
	Proxy        string
	CA           []byte // PEM

	Concurrency int      // most requests at once; zero: 16
	Attributes  []string // of users, by Graph's names

	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// A Source reads one tenant.
type Source struct {
	client      *cloud.Client
	tokens      *cloud.Tokens
	credentials credentials
	clientID    string
	tokenURL    string
	users       *userDecoder
	now         func() time.Time
	mostPages   int
	told        told
}

var _ dirsync.Source = (*Source)(nil)

const defaultConcurrency = 16

// New makes a Source for one run. Nothing is asked yet.
func New(o Options) (*Source, error) {
	s := &Source{clientID: o.ClientID, now: o.Now, mostPages: mostPages}
	if s.now == nil {
		s.now = time.Now
	}
	switch {
	case o.Tenant == "" || o.ClientID == "":
		return nil, errors.New("set tenant and client-id: both stand on the application's overview page in Entra")
	case slices.Contains([]string{"common", "organizations", "consumers"}, o.Tenant):
		return nil, fmt.Errorf("tenant %s: it has to be one tenant: its id, or one of its domains", o.Tenant)
	}
	graph, err := cloud.Address("graph-url", cmp.Or(o.GraphURL, PublicGraph))
	if err != nil {
		return nil, err
	}
	authority, err := cloud.Address("authority-url", cmp.Or(o.AuthorityURL, PublicAuthority))
	if err != nil {
		return nil, err
	}
	s.tokenURL = authority.String() + "/" + url.PathEscape(o.Tenant) + "/oauth2/v2.0/token"
	if s.credentials, err = readCredentials(o); err != nil {
		return nil, err
	}
	if s.users, err = newUserDecoder(o.Attributes); err != nil {
		return nil, err
	}
	s.client, err = cloud.New(cloud.Options{
		Root: graph, Proxy: o.Proxy, CA: o.CA, Authorize: s.authorize, Judge: judge, Header: header,
		Concurrency: cmp.Or(max(0, o.Concurrency), defaultConcurrency), Now: o.Now, Sleep: o.Sleep, Log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	s.tokens = cloud.NewTokens(s.fetchToken, s.now)
	return s, nil
}

// mostPages ends lists that seem to have no end.
const mostPages = 20_000

// Users sends every user.
func (s *Source) Users(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.User, dirsync.Checkpoint) error) error {
	var got userPage
	take := func(body []byte) (next string, err error) {
		got, err = s.users.decode(body)
		return got.next, err
	}
	send := func(next string) error {
		if err := withheld(got.users); err != nil {
			return err
		}
		users := make([]dirsync.User, len(got.users))
		for i, u := range got.users {
			users[i] = u.user()
		}
		return page(users, dirsync.Checkpoint(next))
	}
	return s.list(ctx, "read users", "/users?$select="+s.users.fields+"&$top=999", from, take, send)
}

// What Graph makes of a missing permission: it doesn't refuse, it answers with nulls.
var (
	errNamelessUsers  = errors.New("users came with an id and nothing else: " + grantUsers)
	errStatelessUsers = errors.New("users came without accountEnabled, so that nobody knows who is disabled: User.ReadBasic.All is not enough, " + grantUsers)
)

const grantUsers = "grant the application permission User.Read.All in Entra, with an administrator's consent"

// withheld tells whether Graph keeps back what we must know of users. One alone may really have
// no accountEnabled.
func withheld(users []decodedUser) error {
	switch {
	case len(users) == 0:
		return nil
	case !slices.ContainsFunc(users, func(u decodedUser) bool { return u.UserPrincipalName != "" }):
		return errNamelessUsers
	case len(users) > 1 && !slices.ContainsFunc(users, func(u decodedUser) bool { return u.AccountEnabled != nil }):
		return errStatelessUsers
	}
	return nil
}

// Groups sends every group that may give access to something: no distribution lists.
func (s *Source) Groups(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.Group, dirsync.Checkpoint) error) error {
	var got groupPage
	take := func(body []byte) (next string, err error) {
		got, err = decodeGroups(body)
		return got.NextLink, err
	}
	send := func(next string) error {
		groups := make([]dirsync.Group, 0, len(got.Value))
		for i := range got.Value {
			if g := &got.Value[i]; !g.distribution() {
				groups = append(groups, g.group())
			}
		}
		return page(groups, dirsync.Checkpoint(next))
	}
	return s.list(ctx, "read groups", "/groups?$select="+groupFields+"&$top=999", from, take, send)
}

type groupPage struct {
	Value     []graphGroup `json:"value"`
	NextLink  string       `json:"@odata.nextLink"`
	DeltaLink string       `json:"@odata.deltaLink"`
}

func decodeGroups(body []byte) (groupPage, error) {
	var page groupPage
	if err := json.Unmarshal(body, &page); err != nil {
		return page, err
	}
	if page.Value == nil {
		return page, errNoList
	}
	for _, g := range page.Value {
		if g.ID == "" {
			return page, errNoID
		}
	}
	return page, nil
}

// list reads a list from a checkpoint on. A next link has no known life: when the one of an
// earlier run is refused, the list is read from its start, for what was sent may be sent again.
func (s *Source) list(ctx context.Context, what, first string, from dirsync.Checkpoint, take func([]byte) (string, error), send func(next string) error) error {
	if from != "" && s.client.CheckLink(string(from)) == nil {
		sent := false
		err := s.pages(ctx, what, string(from), s.mostPages, take, func(next string) error {
			sent = true
			return send(next)
		})
		if err == nil || sent || !cloud.Answered(err, http.StatusBadRequest, http.StatusNotFound, http.StatusGone) {
			return err
		}
	}
	return s.pages(ctx, what, first, s.mostPages, take, send)
}

// pages follows a list's next links: take decodes a page and gives the link to the next one,
// send passes on what was taken.
func (s *Source) pages(ctx context.Context, what, first string, most int, take func([]byte) (string, error), send func(next string) error) error {
	chain := s.client.Chain(what, most)
	for link, n := first, 1; ; n++ {
		var next string
		err := s.client.Do(ctx, cloud.Request{URL: link, Take: func(a cloud.Answer) (err error) {
			next, err = take(a.Body)
			return err
		}})
		if err != nil {
			return fmt.Errorf("%s: page %d: %w", what, n, err)
		}
		if next != "" {
			if err := chain.Follow(next); err != nil {
				return &astray{err}
			}
		}
		if err := send(next); err != nil {
			return err
		}
		if next == "" {
			return nil
		}
		link = next
	}
}

// An astray is why the links of a list weren't followed to its end.
type astray struct{ error }

func (e *astray) Unwrap() error { return e.error }

// Stats says what was asked.
func (s *Source) Stats() dirsync.Stats { return s.client.Stats() }

// Close ends the connections.
func (s *Source) Close() { s.client.Close() }
