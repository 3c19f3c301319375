package login_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
)

const serverURL = "https://id.example.test"

// letters is a replica that can send letters, with ada of staff, and jira that sees her.
func letters(t *testing.T, db testkit.Database) (*replica, *models.User, *testkit.Clock) {
	t.Helper()
	clock := testkit.NewClock()
	r := newReplica(t, db, clock, login.Options{Letters: login.LetterOptions{Mail: true, URL: serverURL}})
	r.furnish()
	ada := r.user("staff", "Ada", withMail("Ada@Example.test"))
	clock.Advance(time.Minute)
	return r, ada, clock
}

func withMail(address string) func(*directory.NewUser) {
	return func(n *directory.NewUser) { n.Email = address }
}

// posted reads the letters that wait in the outbox, oldest first.
func (r *replica) posted() (all []models.Letter) {
	r.t.Helper()
	items, err := r.store.OutboxDue(r.t.Context(), r.store.Now(), 1000)
	r.must(err)
	slices.SortFunc(items, func(a, b models.OutboxItem) int { return int(a.ID - b.ID) })
	for _, item := range items {
		var l models.Letter
		r.must(json.Unmarshal(item.Payload, &l))
		all = append(all, l)
	}
	return all
}

// token asks for a reset of ada and gives the token of the letter's link.
func (r *replica) token() string {
	r.t.Helper()
	r.must(r.RequestReset(r.t.Context(), r.view("jira"), "ada"))
	all := r.posted()
	token, ok := strings.CutPrefix(all[len(all)-1].Link, serverURL+login.ResetPath)
	if !ok || len(token) != 43 {
		r.t.Fatalf("the link is %q", all[len(all)-1].Link)
	}
	return token
}

func (r *replica) finish(token string, secret models.Secret) error {
	return r.FinishReset(r.t.Context(), token, secret, login.Person{Address: "203.0.113.5", Request: "r9"})
}

func (r *replica) wantsCode(what string, want models.Code, err error) {
	r.t.Helper()
	if got := models.CodeOf(err); got != want {
		r.t.Errorf("%s: %v, want %q", what, err, want)
	}
}

func TestAResetFromLetterToLogin(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, ada, clock := letters(t, db)
		started, err := r.StartSession(t.Context(), r.view("jira"), login.Start{Username: "ada", Factors: []session.Factor{}})
		r.must(err)
		token := r.token()
		want := models.Letter{
			Kind: models.LetterReset, To: "Ada@Example.test", Server: serverURL, Application: "jira", Name: "Ada",
			Link: serverURL + login.ResetPath + token, Until: "2 March 2026, 12:31 UTC",
		}
		testkit.Diff(t, "the letter", []models.Letter{want}, r.posted())
		for range 3 { // programs that look for viruses open every link
			found, err := r.FindReset(t.Context(), token)
			if err != nil || found.Username != "Ada" || found.UserID != ada.ID {
				t.Errorf("FindReset = %v, %v", found, err)
			}
		}
		clock.Advance(time.Minute)
		r.must(r.finish(token, "another"))
		r.answers(models.InvalidPassword, "ada", right)
		r.answers("", "ada", "another")
		_, err = r.Session(t.Context(), r.view("jira"), started.Token)
		r.wantsCode("a session from before", models.InvalidToken, err)
		notice := r.posted()[1]
		if notice.Kind != models.LetterPasswordChanged || notice.To != "Ada@Example.test" || notice.Name != "Ada" || notice.Link != "" {
			t.Errorf("the notice: %+v", notice)
		}
		var said []string
		entries, err := r.store.SearchAudit(t.Context(), store.AuditSearch{Action: "password", Limit: 10})
		r.must(err)
		for _, e := range entries {
			said = append(said, fmt.Sprintf("%s %s by %s %s from %s", e.Action, e.Subject, e.ActorKind, e.Actor, e.Address))
		}
		testkit.Diff(t, "audited", []string{
			"password.reset Ada by user Ada from 203.0.113.5", "password.reset.request Ada by application jira from " + appAddress,
		}, said)
	})
}

// The token itself is nowhere: neither in its row nor, readable, in the letter's.
func TestAResetTokenIsNotStored(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _, _ := letters(t, db)
		token := r.token()
		for table, rows := range db.Contents(t) {
			if strings.Contains(strings.Join(rows, "\n"), token) {
				t.Errorf("the token can be read in %s", table)
			}
		}
	})
}

// Lesson 7, CVE-2026-18963: whoever has no valid token sets no password, in whatever
// order the steps are taken. Each history ends with the token that it made first.
func TestEveryOrderOfStepsOfAReset(t *testing.T) {
	t.Parallel()
	steps := map[string]struct {
		do   func(r *replica, clock *testkit.Clock, first string) error
		ends bool // the first token
	}{
		"look": {func(r *replica, _ *testkit.Clock, first string) error {
			_, _ = r.FindReset(r.t.Context(), first)
			return nil
		}, false},
		"another letter": {func(r *replica, _ *testkit.Clock, _ string) error {
			return r.RequestReset(r.t.Context(), r.view("jira"), "ada")
		}, true},
		"wait a little":  {func(_ *replica, clock *testkit.Clock, _ string) error { clock.Advance(5 * time.Minute); return nil }, false},
		"wait long":      {func(_ *replica, clock *testkit.Clock, _ string) error { clock.Advance(30 * time.Minute); return nil }, true},
		"a bad password": {func(r *replica, _ *testkit.Clock, first string) error { _ = r.finish(first, ""); return nil }, false},
		"a made up token": {func(r *replica, _ *testkit.Clock, first string) error {
			_ = r.finish("_"+first, "guess")
			return nil
		}, false},
		"change address": {func(r *replica, _ *testkit.Clock, _ string) error {
			return r.directories.Edit(r.t.Context(), models.System, func(e *directory.Edit) error {
				_, err := e.UpdateUser(r.dir("staff"), "ada", directory.UserPatch{Email: new("eve@example.test")})
				return err
			})
		}, true},
		"switch off": {func(r *replica, _ *testkit.Clock, _ string) error {
			return r.directories.Edit(r.t.Context(), models.System, func(e *directory.Edit) error {
				_, err := e.UpdateUser(r.dir("staff"), "ada", directory.UserPatch{Active: new(false)})
				return err
			})
		}, true},
		"set the password": {func(r *replica, clock *testkit.Clock, _ string) error {
			clock.Advance(time.Millisecond)
			return r.directories.SetPassword(r.t.Context(), models.System, r.dir("staff"), "ada", "operators")
		}, true},
		"use it": {func(r *replica, _ *testkit.Clock, first string) error { _ = r.finish(first, "used"); return nil }, true},
	}
	names := slices.Sorted(maps.Keys(steps))
	var histories [][]string
	for _, a := range names {
		for _, b := range names {
			histories = append(histories, []string{a, b})
		}
	}
	clock := testkit.NewClock()
	all := newReplica(t, testkit.NewSQLite(t), clock, login.Options{Letters: login.LetterOptions{Mail: true, URL: serverURL}})
	for i, history := range histories {
		r := *all
		r.t, r.suffix = t, fmt.Sprint("-", i)
		r.furnish()
		ada := r.user("staff", "ada", withMail("ada@example.test"))
		first, valid, elapsed := r.token(), true, clock.Now()
		for _, step := range history {
			r.must(steps[step].do(&r, clock, first))
			valid = valid && !steps[step].ends
		}
		valid = valid && clock.Now().Sub(elapsed) < 30*time.Minute
		before, err := r.store.Credential(t.Context(), ada.ID)
		r.must(err)
		clock.Advance(time.Millisecond)
		err = r.finish(first, "last")
		after, cerr := r.store.Credential(t.Context(), ada.ID)
		r.must(cerr)
		if valid && (err != nil || after.Hash == before.Hash) || !valid && (!models.Is(err, models.InvalidToken) || after.Hash != before.Hash) {
			t.Errorf("%v: %v, password changed: %t; want the token valid: %t", history, err, after.Hash != before.Hash, valid)
		}
		if _, err := r.FindReset(t.Context(), first); !models.Is(err, models.InvalidToken) {
			t.Errorf("%v: in the end the token is there: %v", history, err)
		}
	}
}

func TestAResetTokenIsForOneUserAndOneUse(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _, _ := letters(t, db)
		r.user("staff", "bob", withMail("bob@example.test"))
		token := r.token()
		other := newReplica(t, db, testkit.NewClock(), login.Options{Letters: login.LetterOptions{Mail: true, URL: serverURL}})
		var mu sync.Mutex
		codes := map[models.Code]int{}
		var rivals sync.WaitGroup
		for i := range 8 {
			one := []*replica{r, other}[i%2]
			rivals.Go(func() {
				err := one.FinishReset(t.Context(), token, models.Secret(fmt.Sprint("password ", i)), login.Person{})
				mu.Lock()
				defer mu.Unlock()
				codes[models.CodeOf(err)]++
			})
		}
		rivals.Wait()
		testkit.Diff(t, "answers", map[models.Code]int{"": 1, models.InvalidToken: 7}, codes)
		r.answers("", "bob", right)
	})
}

// A refused password doesn't use the token up.
func TestAResetHeedsThePolicy(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _, _ := letters(t, db)
		_, err := r.directories.Set(t.Context(), models.System, "staff", directory.Patch{Settings: map[string]string{
			"password-min-length": "12", "password-message": "Twelve characters, please.", "password-history": "3",
		}})
		r.must(err)
		token := r.token()
		for _, bad := range []models.Secret{"", "short", models.Secret(strings.Repeat("x", 10_000))} {
			err := r.finish(token, bad)
			r.wantsCode("refused", models.InvalidCredential, err)
		}
		if err := r.finish(token, "short"); !strings.HasSuffix(message(err), "Twelve characters, please.") {
			t.Errorf("the refusal says %q", message(err))
		}
		r.must(r.finish(token, "long enough to be taken"))
		r.answers("", "ada", "long enough to be taken")
	})
}

func TestWhoGetsNoReset(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _, _ := letters(t, db)
		r.user("staff", "nomail", nil)
		r.user("staff", "badmail", withMail("ada at example"))
		r.user("staff", "evilmail", withMail("ada@example.test, eve@example.test"))
		r.directory("hidden", nil)
		r.user("hidden", "eve", withMail("eve@example.test"))
		_, _, err := r.apps.Create(t.Context(), models.System, application.NewApplication{
			Name: "reader", Password: appPassword, Addresses: []string{appAddress}, Directories: []string{"staff"}, Permissions: models.ReadOnly,
		})
		r.must(err)
		for _, c := range []struct {
			app, user string
			want      models.Code
		}{
			{"jira", "nomail", models.InvalidEmail}, {"jira", "badmail", models.InvalidEmail}, {"jira", "evilmail", models.InvalidEmail},
			{"jira", "nobody", models.UserNotFound}, {"jira", "eve", models.UserNotFound}, {"jira", "", models.UserNotFound},
			{"reader", "ada", models.PermissionDenied}, {"reader", "nomail", models.PermissionDenied}, {"reader", "nobody", models.UserNotFound},
		} {
			r.wantsCode(c.app+" "+c.user, c.want, r.RequestReset(t.Context(), r.view(c.app), c.user))
		}
		if got := r.posted(); len(got) != 0 {
			t.Errorf("posted: %v", got)
		}
		for _, token := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("x", 1<<16), "../../etc/passwd", "' OR 1=1 --", "\x00"} {
			_, err := r.FindReset(t.Context(), token)
			r.wantsCode("find "+token[:min(len(token), 10)], models.InvalidToken, err)
			r.wantsCode("finish "+token[:min(len(token), 10)], models.InvalidToken, r.finish(token, "another"))
		}
	})
}

func TestWhereLettersCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o    login.LetterOptions
		says string
	}{
		"no mail server":    {login.LetterOptions{URL: serverURL}, "ROLLCALL_MAIL_HOST"},
		"no public address": {login.LetterOptions{Mail: true}, "ROLLCALL_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReplica(t, testkit.NewSQLite(t), testkit.NewClock(), login.Options{Letters: c.o})
			r.furnish()
			r.user("staff", "ada", withMail("ada@example.test"))
			for _, err := range []error{
				r.RequestReset(t.Context(), r.view("jira"), "ada"), r.RequestUsernames(t.Context(), r.view("jira"), "ada@example.test"),
			} {
				if !models.Is(err, models.Unsupported) || !strings.Contains(message(err), c.says) {
					t.Errorf("%v, want %s and %q", err, models.Unsupported, c.says)
				}
			}
		})
	}
}

func TestAnInactiveUserIsToldWhy(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _, _ := letters(t, db)
		r.user("staff", "gone", func(n *directory.NewUser) { n.Email, n.Active = "gone@example.test", false })
		r.must(r.RequestReset(t.Context(), r.view("jira"), "gone"))
		testkit.Diff(t, "the letter", []models.Letter{{
			Kind: models.LetterResetInactive, To: "gone@example.test", Server: serverURL, Application: "jira", Name: "gone",
		}}, r.posted())
	})
}

// Nobody's mailbox is flooded: three letters in an hour, whoever asks, and however.
func TestResetsAreLimited(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _, clock := letters(t, db)
		r.app("wiki", "staff")
		other := newReplica(t, db, clock, login.Options{Letters: login.LetterOptions{Mail: true, URL: serverURL}})
		var asks sync.WaitGroup
		errs := make([]error, 12)
		for i := range errs {
			one, app := []*replica{r, other}[i%2], []string{"jira", "wiki"}[i/2%2]
			v := one.view(app)
			asks.Go(func() { errs[i] = one.RequestReset(t.Context(), v, "ADA") })
		}
		asks.Wait()
		r.must(errors.Join(errs...))
		all := r.posted()
		if len(all) != 3 {
			t.Fatalf("%d letters, want 3", len(all))
		}
		valid := 0
		for _, l := range all {
			if _, err := r.FindReset(t.Context(), strings.TrimPrefix(l.Link, serverURL+login.ResetPath)); err == nil {
				valid++
			}
		}
		if valid != 1 {
			t.Errorf("%d of the links work, want the last", valid)
		}
		entries, err := r.store.SearchAudit(t.Context(), store.AuditSearch{Action: "password.reset.request", Outcome: "too-many", Limit: 100})
		r.must(err)
		if len(entries) != 9 {
			t.Errorf("%d refusals are audited, want 9", len(entries))
		}
		clock.Advance(time.Hour)
		r.must(r.RequestReset(t.Context(), r.view("jira"), "ada"))
		if n := len(r.posted()); n != 4 {
			t.Errorf("%d letters an hour later, want 4", n)
		}
	})
}

func TestUsernamesByMail(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		r, _, clock := letters(t, db)
		r.user("staff", "backup", func(n *directory.NewUser) { n.Email, n.Active = "ada@example.TEST", false })
		r.user("staff", "bob", withMail("bob@example.test"))
		r.directory("hidden", nil)
		r.user("hidden", "eve", withMail("ada@example.test"))
		ask := func(email string) error { return r.RequestUsernames(t.Context(), r.view("jira"), email) }
		r.must(ask("nobody@example.test")) // that is not told
		for _, bad := range []string{"", "ada", "ada@", "ada@example.test, bob@example.test", "Ada <ada@example.test>", "ada@example.test\r\nBcc: eve@example.test"} {
			r.wantsCode(bad, models.InvalidEmail, ask(bad))
		}
		r.must(ask("ADA@example.test"))
		testkit.Diff(t, "the letter", []models.Letter{{
			Kind: models.LetterUsernames, To: "Ada@Example.test", Server: serverURL, Application: "jira",
			Names: []models.LetterName{{Name: "Ada", Active: true}, {Name: "backup"}},
		}}, r.posted())
		for range 4 {
			r.must(ask("ada@example.test"))
		}
		if n := len(r.posted()); n != 3 {
			t.Errorf("%d letters, want 3", n)
		}
		r.must(ask("bob@example.test"))
		clock.Advance(time.Hour)
		r.must(ask("ada@example.test"))
		if n := len(r.posted()); n != 5 {
			t.Errorf("%d letters, want 5", n)
		}
	})
}
