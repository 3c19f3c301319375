package store_test

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func register(t *testing.T, s *store.Store, app *models.Application, endpoint string) *models.Webhook {
	t.Helper()
	hook, created, err := s.RegisterWebhook(t.Context(), jane, app, endpoint, "the token", 20)
	if err != nil || !created {
		t.Fatalf("register %s: %t, %v", endpoint, created, err)
	}
	return hook
}

func TestAWebhookIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		a, b, _ := twoStores(t, db)
		jira, wiki := addApplication(t, a, "jira"), addApplication(t, a, "wiki")
		type result struct {
			id      models.ID
			created bool
			token   models.Secret
		}
		var mu sync.Mutex
		var results []result
		var rivals sync.WaitGroup
		for i := range 8 {
			s := []*store.Store{a, b}[i%2]
			rivals.Go(func() {
				hook, created, err := s.RegisterWebhook(t.Context(), jane, jira, "http://jira.example.test/x", models.Secret(fmt.Sprint("token ", i)), 20)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				results = append(results, result{hook.ID, created, hook.Token})
			})
		}
		rivals.Wait()
		first := result{}
		for _, r := range results {
			if r.created {
				if first.id != 0 {
					t.Errorf("two of them made it: %v", results)
				}
				first = r
			}
		}
		for _, r := range results {
			if r.id != first.id || r.token.Reveal() != first.token.Reveal() {
				t.Errorf("answers differ: %+v, %+v", r, first)
			}
		}
		if hook := register(t, a, wiki, "http://jira.example.test/x"); hook.ID == first.id {
			t.Error("two applications share a webhook")
		}
		if _, _, err := a.RegisterWebhook(t.Context(), jane, wiki, "http://jira.example.test/y", "", 1); !models.Is(err, models.IllegalArgument) {
			t.Errorf("one too many: %v", err)
		}
		if audited := read(t, func(ctx context.Context) ([]models.AuditEntry, error) {
			return a.SearchAudit(ctx, store.AuditSearch{Action: "webhook.register", Limit: 10})
		}); len(audited) != 2 {
			t.Errorf("%d registrations are audited, want 2", len(audited))
		}
	})
}

func TestAWebhooksTokenIsSealed(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, other, _ := twoStores(t, db)
		hook := register(t, s, addApplication(t, s, "jira"), "http://jira.example.test/x")
		for table, rows := range db.Contents(t) {
			if strings.Contains(strings.Join(rows, "\n"), "the token") {
				t.Errorf("the token can be read in %s", table)
			}
		}
		got, err := other.WebhookByID(t.Context(), hook.ID)
		if err != nil || got.Token.Reveal() != "the token" || got.EndpointURL != "http://jira.example.test/x" {
			t.Errorf("read again: %+v, %v", got, err)
		}
	})
}

// Each of these writes is something that an application asks events for, or it isn't.
func TestWhatAWebhookIsToldOf(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, _, _ := twoStores(t, db)
		staff, partners := addDirectory(t, s, "staff"), addDirectory(t, s, "partners")
		ada, bob := addUser(t, s, staff, "ada"), addUser(t, s, partners, "bob")
		devs := addGroup(t, s, staff, "devs")
		jira, wiki := addApplication(t, s, "jira"), addApplication(t, s, "wiki")
		write(t, s, func(tx *store.Tx) error { return tx.SetMappings(jira, nil, []models.Mapping{{DirectoryID: staff.ID}}) })
		settled(t, s) // what was written so far lies before the webhook's place
		hook := register(t, s, jira, "http://jira.example.test/x")
		place := store.Place(hook.Place)
		for _, c := range []struct {
			name string
			do   func(tx *store.Tx) error
			told bool
		}{
			{"nothing", func(*store.Tx) error { return nil }, false},
			{"a user of the directory", func(tx *store.Tx) error { return tx.SaveUser(ada, ada) }, true},
			{"a user's attribute", func(tx *store.Tx) error {
				return tx.SetUserAttributes(ada, []models.Attribute{{Name: "room", Values: []string{"1"}}})
			}, true},
			{"a group", func(tx *store.Tx) error { return tx.SaveGroup(devs, devs) }, true},
			{"a membership", func(tx *store.Tx) error { return tx.AddMember(devs, ada) }, true},
			{"a rename", func(tx *store.Tx) error { return tx.RenameUser(ada, "countess") }, true},
			{"a password", func(tx *store.Tx) error { return tx.SetPassword(ada, "hash", 0) }, false},
			{"a session", func(tx *store.Tx) error {
				return tx.CreateSession(&models.Session{UserID: ada.ID, TokenHash: []byte("x"), Sealed: []byte{}, Factors: []byte{}})
			}, false},
			{"the end of sessions", func(tx *store.Tx) error { return tx.EndSessionsOf(ada.ID, nil) }, false},
			{"a user of another directory", func(tx *store.Tx) error { return tx.SaveUser(bob, bob) }, false},
			{"another directory", func(tx *store.Tx) error { return tx.SaveDirectory(partners, partners, nil) }, false},
			{"the directory", func(tx *store.Tx) error { return tx.SaveDirectory(staff, staff, nil) }, true},
			{"all of another directory", func(tx *store.Tx) error { tx.DirectoryReplaced(partners); return nil }, false},
			{"all of the directory", func(tx *store.Tx) error { tx.DirectoryReplaced(staff); return nil }, true},
			{"another application", func(tx *store.Tx) error { return tx.SaveApplication(wiki, wiki) }, false},
			{"the application", func(tx *store.Tx) error { return tx.SaveApplication(jira, jira) }, true},
			{"its password", func(tx *store.Tx) error {
				return tx.AddApplicationPassword(jira, &models.ApplicationPassword{Hash: "other"})
			}, false},
			{"an alias in it", func(tx *store.Tx) error { return tx.SetAlias(jira, ada, "countess-of-lovelace") }, true},
			{"an operator's wish", func(tx *store.Tx) error { tx.ResyncApplication(jira); return nil }, true},
			{"a new mapping", func(tx *store.Tx) error {
				return tx.SetMappings(jira, nil, []models.Mapping{{DirectoryID: partners.ID}, {DirectoryID: staff.ID}})
			}, true},
			{"a user who comes with the mapping", func(tx *store.Tx) error { return tx.SaveUser(bob, bob) }, true},
			{"a directory that goes", func(tx *store.Tx) error { return tx.DeleteDirectory(partners) }, true},
		} {
			if c.name == "a new mapping" {
				write(t, s, func(tx *store.Tx) error { return tx.SetMappings(jira, nil, nil) })
				place = settled(t, s)
			}
			write(t, s, c.do)
			place = told(t, s, hook, place, c.name, c.told)
		}
	})
}

func told(t *testing.T, s *store.Store, hook *models.Webhook, from store.Place, what string, want bool) store.Place {
	t.Helper()
	// On PostgreSQL the end of the feed stands still while another transaction is open in the
	// server, such as another test's.
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		end := endOfFeed(t, s)
		got, err := s.Untold(t.Context(), hook, from, end)
		if err == nil && got != want && want && time.Now().Before(deadline) {
			continue
		}
		if err != nil || got != want {
			t.Errorf("%s: told %t, %v, want %t", what, got, err, want)
		}
		return end
	}
}

// settled waits until the end of the feed lies behind everything that was written.
func settled(t *testing.T, s *store.Store) store.Place {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		end := endOfFeed(t, s)
		later, err := s.ChangesBetween(t.Context(), end, math.MaxInt64, 1)
		if err == nil && len(later) == 0 {
			return end
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("changes that the feed's end holds back: %v, %v", later, err)
		}
	}
}

func endOfFeed(t *testing.T, s *store.Store) store.Place {
	t.Helper()
	return read(t, s.Place)
}

func TestOnlyOneGetsAWebhook(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		a, b, clock := twoStores(t, db)
		app := addApplication(t, a, "jira")
		register(t, a, app, "http://jira.example.test/x")
		dueHook := func(s *store.Store, want bool) *models.Webhook {
			t.Helper()
			hooks, err := s.WebhooksDue(t.Context(), s.Now())
			if err != nil || len(hooks) == 1 != want {
				t.Fatalf("due: %v, %v, want one: %t", hooks, err, want)
			}
			if want {
				return hooks[0]
			}
			return nil
		}
		claimHook := func(s *store.Store, hook *models.Webhook, want bool) {
			t.Helper()
			if got, err := s.ClaimWebhook(t.Context(), hook, time.Minute); err != nil || got != want {
				t.Errorf("ClaimWebhook = %t, %v, want %t", got, err, want)
			}
		}
		first, second := dueHook(a, true), dueHook(b, true)
		claimHook(a, first, true)
		claimHook(b, second, false)
		dueHook(b, false)
		clock.Advance(time.Minute)
		second = dueHook(b, true)
		claimHook(b, second, true)
		must(t, a.WebhookTold(t.Context(), first, 99, 0))
		must(t, a.WebhookFailed(t.Context(), first, "late", 0))
		must(t, a.ReleaseWebhook(t.Context(), first))
		must(t, a.DropWebhook(t.Context(), first, store.Act{Action: "test.late"}))
		dueHook(a, false)

		must(t, b.WebhookFailed(t.Context(), second, "it hangs", time.Minute))
		dueHook(a, false)
		clock.Advance(time.Minute)
		failed := dueHook(a, true)
		if failed.Failures != 1 || failed.OldestFailureAt != a.Now().Add(-time.Minute) || failed.LastError != "it hangs" || failed.Place == 99 {
			t.Errorf("after a failure: %+v", failed)
		}
		claimHook(a, failed, true)
		must(t, a.WebhookTold(t.Context(), failed, 99, 0))
		ok := dueHook(b, true)
		if ok.Failures != 0 || ok.OldestFailureAt != 0 || ok.LastError != "" || ok.Place != 99 {
			t.Errorf("after a success: %+v", ok)
		}
		off := *app
		off.Active = false
		write(t, a, func(tx *store.Tx) error { return tx.SaveApplication(app, &off) })
		dueHook(b, false)
	})
}

func TestNetworksOfWebhooks(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, _, _ := twoStores(t, db)
		app := addApplication(t, s, "jira")
		write(t, s, func(tx *store.Tx) error { return tx.SetApplicationAddresses(app, nil, []string{"10.9.0.0/16", "jira"}) })
		for _, networks := range [][]netip.Prefix{
			{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}, nil,
		} {
			must(t, s.SetWebhookNetworks(t.Context(), jane, app, networks))
			allowed, got, err := s.WebhookAddresses(t.Context(), app.ID)
			want := []string{}
			if networks != nil {
				want = []string{"10.0.0.0/8", "192.168.0.0/16"}
			}
			if err != nil {
				t.Fatal(err)
			}
			testkit.Diff(t, "allowed", []string{"10.9.0.0/16", "jira"}, allowed)
			testkit.Diff(t, "networks", fmt.Sprint(want), fmt.Sprint(got))
		}
	})
}
