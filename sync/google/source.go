package google

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	admin "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"

	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// PublicDirectory is where Google's own Directory API is.
const PublicDirectory = "https://admin.googleapis.com"

// MyCustomer names the account that the subject belongs to.
const MyCustomer = "my_customer"

// Options say which account is read, and as whom.
type Options struct {
	Credentials  models.Secret // the service account's key file, JSON
	Subject      string        // address of the administrator that it acts as
	Customer     string        // the account's id; empty: MyCustomer
	DirectoryURL string        // empty: PublicDirectory
	Proxy        string
	CA           []byte // PEM

	Concurrency int      // most requests at once; zero: 16
	PerSecond   float64  // requests a second; zero: 35, and no limit on this machine
	Attributes  []string // of users, by Google's names

	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// A Source reads one account.
type Source struct {
	client      *cloud.Client
	directory   *admin.Service
	tokens      *cloud.Tokens
	credentials *credentials
	subject     string
	customer    string
	users       userReader
	now         func() time.Time
}

var _ dirsync.Source = (*Source)(nil)

const (
	defaultConcurrency = 16
	// Google allows 2,400 requests a minute for each user that is acted as.
	defaultPerSecond = 35
)

// New makes a Source for one run. Nothing is asked yet.
func New(o Options) (*Source, error) {
	s := &Source{subject: strings.TrimSpace(o.Subject), customer: cmp.Or(o.Customer, MyCustomer), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if !strings.Contains(s.subject, "@") {
		return nil, errors.New("set subject to the address of an administrator: the service account acts as that user")
	}
	root, err := cloud.Address("directory-url", cmp.Or(o.DirectoryURL, PublicDirectory))
	if err != nil {
		return nil, err
	}
	if s.credentials, err = readCredentials(o.Credentials); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	if s.users, err = newUserReader(o.Attributes); err != nil {
		return nil, err
	}
	s.client, err = cloud.New(cloud.Options{
		Root: root, Proxy: o.Proxy, CA: o.CA, Authorize: s.authorize, Judge: judge,
		Concurrency: cmp.Or(max(0, o.Concurrency), defaultConcurrency), PerSecond: perSecond(o.PerSecond, root),
		Now: o.Now, Sleep: o.Sleep, Log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	s.tokens = cloud.NewTokens(s.fetchToken, s.now)
	if s.directory, err = library(s.client, root); err != nil {
		return nil, err
	}
	return s, nil
}

func perSecond(asked float64, root *url.URL) float64 {
	ip := net.ParseIP(root.Hostname())
	if asked > 0 || ip != nil && ip.IsLoopback() { // nobody's quota
		return asked
	}
	return defaultPerSecond
}

// library is Google's own client, over ours: it makes the addresses and reads the answers.
func library(client *cloud.Client, root *url.URL) (*admin.Service, error) {
	service, err := admin.NewService(context.Background(),
		option.WithHTTPClient(&http.Client{Transport: client.Transport(readable)}),
		option.WithEndpoint(root.String()+"/"),
		option.WithLogger(slog.New(slog.DiscardHandler))) // it would log whole users where the environment asks for it
	if err != nil {
		return nil, fmt.Errorf("make Google's client: %w", err)
	}
	service.UserAgent = "rollcall (gzip)" // Google packs only for those that say so here, too
	return service, nil
}

// Pages as large as Google sends them.
const (
	usersPage  = 500
	groupsPage = 200
)

// Begin gives no cursor: Google can't tell what changed.
func (s *Source) Begin(context.Context) (dirsync.Cursor, error) { return "", nil }

// Changes always asks for a full read.
func (s *Source) Changes(context.Context, dirsync.Cursor, func(dirsync.Changes) error) (dirsync.Cursor, error) {
	return "", &dirsync.FullRead{Reason: "Google Workspace doesn't tell what changed"}
}

// Users sends every user, suspended and archived ones too.
func (s *Source) Users(ctx context.Context, from dirsync.Checkpoint, page func([]dirsync.User, dirsync.Checkpoint) error) error {
	var got []dirsync.User
	return s.pages(ctx, "read users", from, func(token string) (int, string, error) {
		list, err := s.listUsers(usersPage).PageToken(token).Context(ctx).Do()
		if err != nil {
			return 0, "", err
		}
		got, err = s.users.read(list)
		return len(got), list.NextPageToken, err
	}, func(next dirsync.Checkpoint) error { return page(got, next) })
}

// listUsers asks for users: of each only what we use.
func (s *Source) listUsers(most int64) *admin.UsersListCall {
	call := s.directory.Users.List().Customer(s.customer).MaxResults(most).OrderBy("email").
		Fields("kind", "nextPageToken", googleapi.Field("users("+s.users.fields+")"))
	if s.users.schemas != "" {
		call.Projection("custom").CustomFieldMask(s.users.schemas)
	}
	return call
}

// Stats says what was asked.
func (s *Source) Stats() dirsync.Stats { return s.client.Stats() }

// Close ends the connections.
func (s *Source) Close() { s.client.Close() }
