package google_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/sync/google"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	const users, groups = fakecloud.GoogleUsersScope, fakecloud.GoogleGroupsScope
	subject := func(may fakecloud.GoogleSubject) func(*fakecloud.GoogleConfig) {
		return func(c *fakecloud.GoogleConfig) {
			c.Subjects = map[string]fakecloud.GoogleSubject{"admin@example.test": may}
		}
	}
	scopes := func(granted ...string) func(*fakecloud.GoogleConfig) {
		return func(c *fakecloud.GoogleConfig) { c.Scopes = append([]string{}, granted...) }
	}
	for _, c := range []struct {
		name    string
		set     func(*fakecloud.GoogleConfig)
		granted []string
		missing []string // a part of each
		fails   []string // parts of the error
	}{
		{"all is well", nil, []string{users, groups}, nil, nil},
		{"more than is needed", scopes(groups, users, fakecloud.GoogleCustomerScope), []string{users, groups}, nil, nil},
		{"nothing delegated", scopes(), nil, []string{users + ": in the Admin console", groups + ": in the Admin console"}, nil},
		{"groups not delegated", scopes(users), []string{users}, []string{"the scope " + groups + ": in the Admin console, under Security, API controls, Domain-wide delegation, add the client id 112233445566778899001"}, nil},
		{"users not delegated", scopes(groups), []string{groups}, []string{"the scope " + users}, nil},
		{"no administrator", subject(fakecloud.GoogleOrdinary), nil, []string{"the user admin@example.test is no administrator"}, nil},
		{"half an administrator", subject(fakecloud.GoogleUsersOnly), []string{users}, []string{"the privilege Groups > Read of the user admin@example.test"}, nil},
		{"a suspended administrator", subject(fakecloud.GoogleSuspended), nil, nil, []string{"access_denied", "admin@example.test is suspended"}},
		{"nobody", subject(fakecloud.GoogleDeleted), nil, nil, []string{"invalid_grant: Invalid email or User ID", "there is no user admin@example.test"}},
		{"the API switched off", func(c *fakecloud.GoogleConfig) { c.APIOff = true }, nil, nil, []string{"403 accessNotConfigured", "switch the Admin SDK API on"}},
		{"an account that isn't paid for", func(c *fakecloud.GoogleConfig) { c.Suspended = true }, nil, nil, []string{"403 domainCannotUseApis", "it is suspended, not paid for"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(3, 2)})
			if c.set != nil {
				cloud.Set(c.set)
			}
			report, err := source(t, cloud, clock).Check(t.Context())
			if c.fails != nil {
				wantSentence(t, err, c.fails)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c.granted, report.Granted) || len(c.missing) != len(report.Missing) || !report.SecretEnds.IsZero() {
				t.Fatalf("want %v granted and %d missing, got %+v", c.granted, len(c.missing), report)
			}
			for i, part := range c.missing {
				if !strings.Contains(report.Missing[i], part) {
					t.Errorf("want %q in %q", part, report.Missing[i])
				}
			}
		})
	}
}

func TestCheckOfAnEmptyAccount(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{})
	report, err := source(t, cloud, clock).Check(t.Context())
	if err != nil || len(report.Missing) > 0 || len(report.Granted) != 2 {
		t.Errorf("got %+v, %v", report, err)
	}
}

// A clock that is off is outlasted: Google's own is in its answers.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-3 * time.Hour, -10 * time.Minute, 0, 10 * time.Minute, 3 * time.Hour} {
		cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(3, 2)})
		o := options(cloud, clock)
		o.Now = func() time.Time { return clock.Now().Add(ahead) }
		s := open(t, o)
		if _, err := readAll(t.Context(), s); err != nil {
			t.Errorf("%v ahead: %v", ahead, err)
		}
		report, err := s.Check(t.Context())
		if err != nil {
			t.Errorf("%v ahead: %v", ahead, err)
		}
		said := strings.Join(report.Notes, " ")
		for _, side := range []struct {
			is   bool
			text string
		}{{ahead >= time.Minute, "ahead of Google's"}, {ahead <= -time.Minute, "behind Google's"}} {
			if strings.Contains(said, side.text) != side.is {
				t.Errorf("%v ahead: want %q %v in %s", ahead, side.text, side.is, said)
			}
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		field, value string // of the key file
		want         []string
	}{
		{"another service account", "client_email", "gone@project.iam.gserviceaccount.com", []string{"Invalid grant: account not found", "deleted or disabled", "project rollcall-demo"}},
		{"a deleted key", "private_key_id", "old", []string{"Invalid JWT Signature", "set credentials to the new file"}},
		{"another address of the same", "token_uri", "", []string{"audience", "token_uri"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := fakecloud.NewClock(time.Now())
			cloud := fakecloud.NewGoogle(fakecloud.GoogleConfig{Now: clock.Now})
			if err := cloud.Start("127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(cloud.Close)
			o := options(cloud, clock)
			elsewhere := strings.Replace(cloud.URL, "127.0.0.1", "localhost", 1) + "/token"
			o.Credentials = withField(t, o.Credentials, c.field, cmp.Or(c.value, elsewhere))
			_, err := open(t, o).Check(t.Context())
			wantSentence(t, err, c.want)
			if n := cloud.Requests(""); n != 1 {
				t.Errorf("want one request, got %d", n)
			}
		})
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{})
	with := func(name, value string) models.Secret {
		return withField(t, models.Secret(cloud.Credentials()), name, value)
	}
	for _, c := range []struct {
		change func(*google.Options)
		want   string
	}{
		{func(o *google.Options) { o.Subject = "" }, "subject"},
		{func(o *google.Options) { o.Subject = "admin" }, "subject"},
		{func(o *google.Options) { o.DirectoryURL = "http://admin.googleapis.example" }, "directory-url"},
		{func(o *google.Options) { o.Credentials = "" }, "credentials"},
		{func(o *google.Options) { o.Credentials = "no JSON" }, "no JSON"},
		{func(o *google.Options) { o.Credentials = `{"type":"authorized_user"}` }, "isn't the key of a service account"},
		{func(o *google.Options) { o.Credentials = with("client_email", "") }, "client_email"},
		{func(o *google.Options) { o.Credentials = with("private_key", "x") }, "private_key"},
		{func(o *google.Options) {
			o.Credentials = with("private_key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
		}, "private_key"},
		{func(o *google.Options) { o.Credentials = with("token_uri", "http://elsewhere.example/token") }, "token_uri"},
		{func(o *google.Options) { o.Proxy = "nonsense" }, "proxy"},
		{func(o *google.Options) { o.CA = []byte("nonsense") }, "CA"},
	} {
		o := options(cloud, clock)
		c.change(&o)
		if _, err := google.New(o); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("want a refusal with %q, got %v", c.want, err)
		}
	}
}

// Limits that Google has are kept by waiting, not by being refused.
func TestRequestsPerSecond(t *testing.T) {
	t.Parallel()
	cloud, clock := start(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(10, 70)})
	begin := clock.Now()
	o := options(cloud, clock)
	o.PerSecond = 35
	if _, err := readAll(context.Background(), open(t, o)); err != nil {
		t.Fatal(err)
	}
	if took, least := clock.Now().Sub(begin), 70*time.Second/35; took < least-100*time.Millisecond {
		t.Errorf("72 requests at 35 a second took %v", took)
	}
}
