package fakecloud

import (
	"cmp"
	"context"
	"crypto/x509"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The parts of the fake Entra ID:
//
//	entra.go            its settings and routes
//	entra_token.go      the token endpoint, its errors with AADSTS codes
//	entra_assertion.go  client assertions: certificate, workload identity
//	entra_access.go     who may see what
//	entra_id.go         object ids
//	entra_query.go      $select, $top, $filter, ConsistencyLevel
//	entra_filter.go     $filter
//	entra_list.go       pages and their links
//	entra_objects.go    what is the same for users and groups: lists, counts, one of them
//	entra_fields.go     properties in JSON
//	entra_users.go      users and their properties
//	entra_member_of.go  the groups of a user, or of a group
//	entra_groups.go     groups and their properties
//	entra_members.go    members, direct and transitive
//	entra_delta.go      delta queries of users
//	entra_delta_groups.go  delta queries of groups
//	entra_batch.go      $batch and getByIds
//	entra_tenant.go     organization, applications, deleted users

// A StaleAnswer is how a delta link that is too old is answered. Entra is known for both.
type StaleAnswer int

const (
	SyncStateNotFound StaleAnswer = iota // 400 with that code
	GoneWithLocation                     // 410 with the address to begin again at
)

// An EntraConfig says what an Entra is like. Everything has a default.
type EntraConfig struct {
	Gen Gen
	Now func() time.Time // the cloud's clock; nil is the machine's

	// The one application that may come. What is empty is made up.
	Tenant, ClientID, Secret string
	// Open takes any tenant and any client, but no other secret; and any name of the host.
	Open           bool
	SecretEnds     time.Time // zero is in half a year
	Certificates   []*x509.Certificate
	FederatedToken string // the foreign token that workload identity federation takes

	// Permissions are what an administrator has granted. nil is what a directory needs:
	// User.Read.All and GroupMember.Read.All.
	Permissions  []string
	OpaqueTokens bool          // access tokens are no JWTs
	TokenLife    time.Duration // zero is an hour
	RefuseTokens int           // the AADSTS code with which token requests are refused; zero: they aren't

	PageLimit         int           // the most objects of a page, whatever $top asks for; zero is 999
	DeltaPage         int           // users and groups of a page of a delta query; zero is 200
	DeltaMembers      int           // members of a page of a delta query of groups; zero is 2000
	LinkLife          time.Duration // of links to next pages; zero is an hour
	DeltaLife         time.Duration // of delta links; zero is seven days
	Stale             StaleAnswer
	EmptyPages        bool   // before each page but the first comes one with nothing but a link
	Replays           bool   // each page of a delta query begins with the object that the one before ended with
	ShuffleDeltaParts bool   // of a large group that comes in parts, other groups come in between
	DeltaLeavesOut    string // a property of users that delta queries don't tell, though it is selected

	MemberOfLag time.Duration // memberOf tells memberships as they were so long ago, as a copy that is behind does
}

// Permissions that the fake knows.
const (
	UserReadAll        = "User.Read.All"
	UserReadBasicAll   = "User.ReadBasic.All"
	GroupMemberReadAll = "GroupMember.Read.All"
	GroupReadAll       = "Group.Read.All"
	DirectoryReadAll   = "Directory.Read.All"
	MemberReadHidden   = "Member.Read.Hidden"
	ApplicationReadAll = "Application.Read.All"
)

func (c *EntraConfig) applyDefaults(now time.Time) {
	c.Tenant = cmp.Or(c.Tenant, "5e6a1c3a-4b0e-4f3c-9c58-3d1f0a7b2e11")
	c.ClientID = cmp.Or(c.ClientID, "9b2f4d6e-1a3c-4e5f-8a7b-6c5d4e3f2a1b")
	c.Secret = cmp.Or(c.Secret, "fake~secret~of~the~fake~cloud")
	if c.SecretEnds.IsZero() {
		c.SecretEnds = now.AddDate(0, 6, 0).Truncate(time.Second)
	}
	if c.Permissions == nil {
		c.Permissions = []string{UserReadAll, GroupMemberReadAll}
	}
	c.TokenLife = cmp.Or(c.TokenLife, time.Hour)
	c.PageLimit = min(cmp.Or(c.PageLimit, maxTop), maxTop)
	c.DeltaPage = cmp.Or(c.DeltaPage, 200)
	c.DeltaMembers = cmp.Or(c.DeltaMembers, 2000)
	c.LinkLife = cmp.Or(c.LinkLife, time.Hour)
	c.DeltaLife = cmp.Or(c.DeltaLife, 7*24*time.Hour)
}

// An Entra is a fake Entra ID: Microsoft Graph below URL + "/v1.0", and the token endpoint of
// login.microsoftonline.com below URL.
type Entra struct {
	*Cloud
	Tenant, ClientID, Secret string

	ids    entraIDs
	places sealer

	mu         sync.Mutex
	config     EntraConfig
	tokens     map[string]entraGrant
	assertions map[string]bool // their jti
	era        int             // delta links of an earlier one are worth nothing
}

// NewEntra makes an Entra. Start serves it.
func NewEntra(c EntraConfig) *Entra {
	cloud := newCloud(c.Gen, c.Now)
	c.applyDefaults(cloud.now())
	e := &Entra{
		Cloud: cloud, Tenant: c.Tenant, ClientID: c.ClientID, Secret: c.Secret,
		ids: newEntraIDs(c.Gen.Seed), places: newSealer(c.Gen.Seed),
		config: c, tokens: map[string]entraGrant{}, assertions: map[string]bool{},
	}
	cloud.open, cloud.troubles = c.Open, e.trouble
	cloud.requests.secret(c.Secret)
	e.routes()
	return e
}

// GraphURL is the base address of Graph: what `graph-url` is set to.
func (e *Entra) GraphURL() string { return e.URL + "/v1.0" }

// AuthorityURL is the base address of the token endpoint: what `authority-url` is set to.
func (e *Entra) AuthorityURL() string { return e.URL }

// Set changes settings while the cloud is in use. Gen, Now and Open stay as they were made, and
// the fields of e that a client was set up with stay what it knows.
func (e *Entra) Set(change func(*EntraConfig)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.config)
	e.config.applyDefaults(e.now())
	e.requests.secret(e.config.Secret)
}

func (e *Entra) settings() EntraConfig {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.config
	c.Permissions = slices.Clone(c.Permissions)
	return c
}

// ResetDelta makes all delta links worth nothing, as after maintenance: 410 with the address to
// begin again at.
func (e *Entra) ResetDelta() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.era++
}

// RevokeTokens makes all access tokens worth nothing.
func (e *Entra) RevokeTokens() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for token, grant := range e.tokens {
		grant.revoked = true
		e.tokens[token] = grant
	}
}

// routes are all that it answers.
func (e *Entra) routes() {
	e.mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", e.discovery)
	e.mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", e.token)

	for pattern, handle := range map[string]graphHandler{
		"GET /v1.0/users":                                               e.listUsers,
		"GET /v1.0/users/$count":                                        e.countUsers,
		"GET /v1.0/users/delta":                                         e.usersDelta,
		"GET /v1.0/users/{id}":                                          e.getUser,
		"GET /v1.0/users/{id}/memberOf":                                 e.memberOf,
		"GET /v1.0/users/{id}/memberOf/microsoft.graph.group":           e.memberOf,
		"GET /v1.0/users/{id}/transitiveMemberOf":                       e.transitiveMemberOf,
		"GET /v1.0/users/{id}/transitiveMemberOf/microsoft.graph.group": e.transitiveMemberOf,
		"GET /v1.0/groups":                                              e.listGroups,
		"GET /v1.0/groups/$count":                                       e.countGroups,
		"GET /v1.0/groups/delta":                                        e.groupsDelta,
		"GET /v1.0/groups/{id}":                                         e.getGroup,
		"GET /v1.0/groups/{id}/memberOf":                                e.memberOf,
		"GET /v1.0/groups/{id}/members":                                 e.members,
		"GET /v1.0/groups/{id}/members/{type}":                          e.members,
		"GET /v1.0/groups/{id}/transitiveMembers":                       e.transitiveMembers,
		"GET /v1.0/groups/{id}/transitiveMembers/{type}":                e.transitiveMembers,
		"GET /v1.0/directory/deletedItems/microsoft.graph.user":         e.deletedUsers,
		"GET /v1.0/directory/deletedItems/microsoft.graph.group":        e.deletedGroups,
		"GET /v1.0/organization":                                        e.organization,
		"GET /v1.0/applications":                                        e.applications,
		"GET /v1.0/{object}":                                            e.application, // applications(appId='…')
		"POST /v1.0/$batch":                                             e.batch,
		"POST /v1.0/directoryObjects/getByIds":                          e.getByIDs,
		"/":                                                             e.unknown,
	} {
		e.mux.Handle(pattern, e.graph(handle))
	}
}

// A graphHandler answers one request to Graph from somebody who has access.
type graphHandler func(w http.ResponseWriter, r *http.Request, access graphAccess)

func (e *Entra) unknown(w http.ResponseWriter, r *http.Request, _ graphAccess) {
	e.refuse(w, r, http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+r.URL.Path+"'.")
}

// Start serves the cloud on a TCP address, such as "127.0.0.1:0", until Close.
func (e *Entra) Start(address string) error { return e.Cloud.Start(context.Background(), address) }
