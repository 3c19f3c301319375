package fakecloud

import (
	"cmp"
	"context"
	"crypto"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The parts of the fake Okta:
//
//	okta.go         its settings and routes
//	okta_token.go   the token endpoint of the org's authorization server
//	okta_access.go  who may see what; errors with their E codes
//	okta_rate.go    rate limits and what is told of them
//	okta_id.go      ids
//	okta_view.go    users and groups as they are, or as the search index still has them
//	okta_query.go   filter and search expressions
//	okta_list.go    pages and their Link headers
//	okta_users.go   users and their groups
//	okta_groups.go  groups and their members
//	okta_log.go     the System Log

// An OktaConfig says what an Okta org is like. Everything has a default.
type OktaConfig struct {
	Gen Gen // groups are never nested here
	Now func() time.Time

	Token string // the one API token; empty: one is made up
	Open  bool   // takes any client whose assertion is in order, and any name of the host

	// The one service app. Keys are those that it registered, by their kid; nil: it has none.
	ClientID string
	Keys     map[string]crypto.PublicKey
	// Scopes are those that it was granted. nil is what a directory needs: okta.users.read,
	// okta.groups.read and okta.logs.read.
	Scopes    []string
	TokenLife time.Duration // zero is an hour
	NeedsDPoP bool          // token requests without a DPoP proof are refused
	Blind     bool          // lists are empty, as for a service app that has no admin role

	RateLimit  int           // requests a minute of each bucket; zero is a million
	AtOnce     int           // requests at once; zero is any number
	ClockAhead time.Duration // how far the org's clock is ahead of Now
	SearchLag  time.Duration // how far the search index is behind
	LogLag     time.Duration // how far the System Log is behind
	LinkLife   time.Duration // of links to next pages; zero is a day
	PageLimit  int           // the most objects of a page, whatever limit asks for; zero is any number
	Repeats    bool          // each page of users but the first begins with the one that the page before ended with
	Gaps       bool          // an empty page lies between each two pages of users, groups and members
	SearchMost int           // how many results a search shows; zero is 50,000
}

// What the fake's org gives to those who have the scope.
const (
	OktaUsersRead  = "okta.users.read"
	OktaGroupsRead = "okta.groups.read"
	OktaLogsRead   = "okta.logs.read"
)

func (c *OktaConfig) applyDefaults() {
	c.Token = cmp.Or(c.Token, "00fakeTokenOfTheFakeCloud0123456789abcdefg")
	c.ClientID = cmp.Or(c.ClientID, "0oafakeclientofthefake")
	if c.Scopes == nil {
		c.Scopes = []string{OktaUsersRead, OktaGroupsRead, OktaLogsRead}
	}
	c.TokenLife = cmp.Or(c.TokenLife, time.Hour)
	c.RateLimit = cmp.Or(c.RateLimit, 1_000_000)
	c.LinkLife = cmp.Or(c.LinkLife, 24*time.Hour)
	c.SearchMost = cmp.Or(c.SearchMost, 50_000)
}

// An Okta is a fake Okta org.
type Okta struct {
	*Cloud
	Token, ClientID string

	ids    oktaIDs
	places sealer
	rates  oktaRates
	index  oktaIndex

	mu     sync.Mutex
	config OktaConfig
	grants map[string]oktaGrant // by access token
}

// NewOkta makes an org. Start serves it.
func NewOkta(c OktaConfig) *Okta {
	c.Gen.NestedPct = 0
	c.applyDefaults()
	cloud := newCloud(c.Gen, c.Now)
	o := &Okta{
		Cloud: cloud, Token: c.Token, ClientID: c.ClientID,
		ids: newOktaIDs(c.Gen.Seed), places: newSealer(c.Gen.Seed ^ saltOktaLinks), rates: newOktaRates(), index: newOktaIndex(),
		config: c, grants: map[string]oktaGrant{},
	}
	cloud.open, cloud.troubles = c.Open, o.trouble
	cloud.requests.secret(c.Token)
	o.routes()
	return o
}

// saltOktaLinks keeps Okta's links apart from those of a cloud of the same seed.
const saltOktaLinks = 0x0c7a

// Set changes settings while the cloud is in use. Gen, Now and Open stay as they were made.
func (o *Okta) Set(change func(*OktaConfig)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(&o.config)
	o.config.applyDefaults()
}

func (o *Okta) settings() OktaConfig {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.config
	c.Scopes = slices.Clone(c.Scopes)
	return c
}

// RevokeTokens makes all access tokens worth nothing; the API token stays.
func (o *Okta) RevokeTokens() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.grants)
}

// Start serves the cloud on a TCP address, such as "127.0.0.1:0", until Close.
func (o *Okta) Start(address string) error { return o.Cloud.Start(context.Background(), address) }

// clock is the time as the org has it.
func (o *Okta) clock() time.Time { return o.now().Add(o.settings().ClockAhead) }

func (o *Okta) requestID() string { return "req" + strconv.Itoa(o.Requests("")) }

// routes are all that it answers. A handler is reached by those only who may ask what it answers.
func (o *Okta) routes() {
	o.mux.Handle("POST /oauth2/v1/token", o.limited("/oauth2/v1", o.token))
	for _, route := range []struct {
		pattern, bucket, scope string
		handle                 http.HandlerFunc
	}{
		{"GET /api/v1/users", "/api/v1/users", OktaUsersRead, o.listUsers},
		{"GET /api/v1/users/{id}", "/api/v1/users/{id}", OktaUsersRead, o.getUser},
		{"GET /api/v1/users/{id}/groups", "/api/v1/users/{id}", OktaUsersRead, o.groupsOfUser},
		{"GET /api/v1/groups", "/api/v1/groups", OktaGroupsRead, o.listGroups},
		{"GET /api/v1/groups/{id}", "/api/v1/groups/{id}", OktaGroupsRead, o.getGroup},
		{"GET /api/v1/groups/{id}/users", "/api/v1/groups", OktaGroupsRead, o.groupUsers},
		{"GET /api/v1/logs", "/api/v1/logs", OktaLogsRead, o.logs},
		{"GET /api/v1/org", "/api/v1", "okta.orgs.read", o.org},
		{"/", "/api/v1", "", o.unknown},
	} {
		o.mux.Handle(route.pattern, o.limited(route.bucket, o.permitted(route.scope, route.handle)))
	}
}

func (o *Okta) org(w http.ResponseWriter, _ *http.Request) {
	o.write(w, http.StatusOK, appendAny(nil, map[string]any{
		"id": "00o1fakeorg00000000", "companyName": "Contoso", "subdomain": "contoso", "status": "ACTIVE",
	}))
}

func (o *Okta) unknown(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		o.refuse(w, http.StatusMethodNotAllowed, "E0000022", "The endpoint does not support the provided HTTP method")
		return
	}
	o.notFound(w, r.URL.Path+" (Path)")
}
