package fakecloud

import (
	"cmp"
	"context"
	"crypto/rsa"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The parts of the fake Google Workspace:
//
//	google.go         its settings and routes
//	google_token.go   the token endpoint for service accounts
//	google_access.go  who may see what
//	google_error.go   errors with their reasons
//	google_id.go      ids
//	google_fields.go  partial answers: the parameter fields
//	google_list.go    pages and their tokens
//	google_users.go   users and their fields
//	google_groups.go  groups and their fields
//	google_members.go members
//	google_reports.go the audit log, and the account itself

// A GoogleConfig says what a Google Workspace account is like. Everything has a default.
type GoogleConfig struct {
	Gen Gen              // an empty Domain is example.test
	Now func() time.Time // the cloud's clock; nil is the machine's
	Key *rsa.PrivateKey  // of the service account; nil is one for the whole process

	// Open takes any subject and any scope, but no other key; and any name of the host.
	Open bool
	// Subjects are the accounts that a service account may act as, and what each may do, by
	// address. Whoever isn't here is an ordinary user if the directory has him. nil is one
	// administrator, Admin@Domain.
	Subjects map[string]GoogleSubject
	// Scopes are those that the service account was delegated; nil is what a directory needs:
	// reading users and groups.
	Scopes    []string
	TokenLife time.Duration // zero is an hour
	PageLimit int           // the most items of a page, whatever maxResults asks for; zero is any number

	Suspended bool     // the account isn't paid for: no API works
	APIOff    bool     // the project doesn't have the Admin SDK API
	LeaveOut  []string // lists in which every second item is missing, without a word: "users", "groups", "members"
	ETags     bool     // If-None-Match is heeded; the real service can't be relied on there
}

// The scopes that the fake knows.
const (
	GoogleUsersScope    = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	GoogleGroupsScope   = "https://www.googleapis.com/auth/admin.directory.group.readonly"
	GoogleMembersScope  = "https://www.googleapis.com/auth/admin.directory.group.member.readonly"
	GoogleCustomerScope = "https://www.googleapis.com/auth/admin.directory.customer.readonly"
	GoogleReportsScope  = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
)

// GoogleCustomer is the id of the account.
const GoogleCustomer = "C03az79cb"

// A GoogleSubject is what an account may do as which a service account acts.
type GoogleSubject int

const (
	GoogleOrdinary      GoogleSubject = iota // no administrator: it gets a token that opens nothing
	GoogleAdministrator                      // may read users and groups
	GoogleUsersOnly                          // may read users
	GoogleSuspended                          // gets no token
	GoogleDeleted                            // gets no token
)

func (c *GoogleConfig) applyDefaults() {
	c.Gen.Domain = cmp.Or(c.Gen.Domain, "example.test")
	if c.Subjects == nil {
		c.Subjects = map[string]GoogleSubject{"admin@" + c.Gen.Domain: GoogleAdministrator}
	}
	if c.Scopes == nil {
		c.Scopes = []string{GoogleUsersScope, GoogleGroupsScope}
	}
	c.TokenLife = cmp.Or(c.TokenLife, time.Hour)
}

// A Google is a fake Google Workspace: the Directory API of the Admin SDK, a bit of its Reports
// API, and the token endpoint for service accounts.
type Google struct {
	*Cloud

	ids    googleIDs
	places sealer
	key    *rsa.PrivateKey

	mu     sync.Mutex
	config GoogleConfig
	grants map[string]googleGrant // by access token
}

// NewGoogle makes an account. Start serves it.
func NewGoogle(c GoogleConfig) *Google {
	c.applyDefaults()
	cloud := newCloud(c.Gen, c.Now)
	if c.Key == nil {
		c.Key = googleKey()
	}
	g := &Google{
		Cloud: cloud, ids: newGoogleIDs(c.Gen.Seed), places: newSealer(c.Gen.Seed ^ saltGoogleLinks), key: c.Key,
		config: c, grants: map[string]googleGrant{},
	}
	cloud.open, cloud.troubles = c.Open, g.trouble
	g.routes()
	return g
}

// saltGoogleLinks keeps Google's page tokens apart from those of a cloud of the same seed.
const saltGoogleLinks = 0x6006

// Start serves the cloud on a TCP address, such as "127.0.0.1:0", until Close.
func (g *Google) Start(address string) error { return g.Cloud.Start(context.Background(), address) }

// dated puts the cloud's own clock into the answers.
func (g *Google) dated(handle http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", g.now().UTC().Format(http.TimeFormat))
		handle.ServeHTTP(w, r)
	})
}

// Set changes settings while the cloud is in use. Gen, Now and Open stay as they were made.
func (g *Google) Set(change func(*GoogleConfig)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(&g.config)
	g.config.applyDefaults()
}

func (g *Google) settings() GoogleConfig {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.config
	c.Scopes, c.LeaveOut, c.Subjects = slices.Clone(c.Scopes), slices.Clone(c.LeaveOut), maps.Clone(c.Subjects)
	return c
}

// Subject is an administrator whom a service account may act as; empty when there is none.
func (g *Google) Subject() string {
	for mail, may := range g.settings().Subjects {
		if may == GoogleAdministrator {
			return mail
		}
	}
	return ""
}

// RevokeTokens makes all access tokens worth nothing.
func (g *Google) RevokeTokens() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.grants)
}

// routes are all that it answers.
func (g *Google) routes() {
	list := []string{"customer", "maxResults", "pageToken", "orderBy", "sortOrder"}
	g.mux.Handle("POST /token", g.dated(http.HandlerFunc(g.token)))
	for _, route := range []struct {
		pattern string
		scopes  []string // one of them is needed
		params  []string // all that it takes
		handle  http.HandlerFunc
	}{
		{"GET /admin/directory/v1/users", []string{GoogleUsersScope}, append([]string{"domain", "projection", "customFieldMask", "showDeleted", "viewType"}, list...), g.listUsers},
		{"GET /admin/directory/v1/users/{key}", []string{GoogleUsersScope}, []string{"projection", "customFieldMask", "viewType"}, g.getUser},
		{"GET /admin/directory/v1/groups", []string{GoogleGroupsScope}, append([]string{"domain", "userKey"}, list...), g.listGroups},
		{"GET /admin/directory/v1/groups/{key}", []string{GoogleGroupsScope}, nil, g.getGroup},
		{"GET /admin/directory/v1/groups/{key}/members", []string{GoogleGroupsScope, GoogleMembersScope}, []string{"maxResults", "pageToken", "roles", "includeDerivedMembership"}, g.listMembers},
		{"GET /admin/directory/v1/customers/{key}", []string{GoogleCustomerScope}, nil, g.getCustomer},
		{"GET /admin/reports/v1/activity/users/all/applications/admin", []string{GoogleReportsScope}, []string{"startTime", "endTime", "maxResults", "pageToken", "eventName", "customerId"}, g.listActivities},
	} {
		g.mux.Handle(route.pattern, g.dated(g.permitted(route.scopes, route.params, route.handle)))
	}
	g.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { googleNoSuchPath.send(w) })
}
