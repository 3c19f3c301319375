package main_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Eight writers over two replicas, whose transactions commit in another order than the feed's
// numbers: the pages of /event/{token}, asked of both in turn, tell each write once, and each
// writer's in the order in which they were done.
func TestFeedKeepsItsOrderWhenCommitsComeLate(t *testing.T) {
	t.Parallel()
	t.Run(testkit.Postgres, func(t *testing.T) {
		t.Parallel()
		const writers, lives = 8, 10
		p := newLonelyPair(t)
		token := p.eventsUntilNow(t)
		p.delayCommits(t)
		late := p.countLateLines(t)

		var running atomic.Int64
		running.Store(writers)
		told := make([][]event, writers)
		written := make([][]event, writers)
		var group errgroup.Group
		for w := range writers {
			group.Go(func() (err error) {
				defer running.Add(-1)
				server := p.onA()
				if w%2 == 1 {
					server = p.onB()
				}
				written[w], err = liveAndNote(server, w, lives)
				return err
			})
		}
		pages, count := 0, 0
		for quiet := time.Now(); ; pages++ {
			reader := p.onA()
			if pages%2 == 1 {
				reader = p.onB()
			}
			var page []event
			page, token = eventsAfter(t, reader, token)
			for _, e := range page {
				var w int
				if _, err := fmt.Sscanf(e.writer(), "w%d", &w); err != nil || w >= writers {
					t.Fatalf("nobody wrote %v", e)
				}
				told[w] = append(told[w], e)
				count++
			}
			if len(page) > 0 || running.Load() > 0 {
				quiet = time.Now()
			}
			if time.Since(quiet) > 3*time.Second { // both replicas said often that there is no more
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		for w := range writers {
			if diff := cmp.Diff(written[w], told[w]); diff != "" {
				t.Errorf("writer %d: the pages tell something else than was written (-written +told):\n%s", w, diff)
			}
		}
		p.answerAlike(t, written)
		doctorAgrees(t, p.db)
		n := late()
		t.Logf("%d events on %d pages; %d lines of the feed appeared after one with a higher number", count, pages, n)
		if n == 0 {
			t.Error("no commit came late, so nothing was tested")
		}
	})
}

// answerAlike asks both replicas for every user: what late commits did is in their memory too.
func (p pair) answerAlike(t *testing.T, written [][]event) {
	t.Helper()
	want, got := map[string]string{}, map[string]string{}
	for _, e := range slices.Concat(written...) {
		switch {
		case e.User == "" || e.Group != "":
		case e.Operation == "DELETED":
			want[e.User] = " and " // neither has it
		default:
			want[e.User] = e.Mail + " and " + e.Mail
		}
	}
	for user := range want {
		onA, errA := mailOf(p.onA(), user)
		onB, errB := mailOf(p.onB(), user)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		got[user] = onA + " and " + onB
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the users as written, and as the replicas answer them (-want +got):\n%s", diff)
	}
}

// An event is what a page tells, as far as a writer knows it beforehand.
type event struct{ Operation, User, Mail, Group string }

// writer is the one whose names the event has: "w3".
func (e event) writer() string {
	name, _, _ := strings.Cut(e.User+e.Group, "-")
	return name
}

// eventsAfter asks for one page.
func eventsAfter(t *testing.T, p *probe, token string) (events []event, next string) {
	t.Helper()
	type named struct{ Name string }
	var page struct {
		NewEventToken string
		Events        []struct {
			Operation    string
			User         struct{ Name, Email string }
			Group        named
			ChildUser    named
			ParentGroups struct{ Groups []named }
		}
	}
	decode(t, p.must(t, 200, "GET", "/event/"+url.PathEscape(token), nil), &page)
	for _, e := range page.Events {
		read := event{e.Operation, e.User.Name + e.ChildUser.Name, e.User.Email, e.Group.Name}
		for _, parent := range e.ParentGroups.Groups {
			read.Group += parent.Name
		}
		events = append(events, read)
	}
	return events, page.NewEventToken
}

// eventsUntilNow gives a token behind everything that was written before. In the first two seconds
// after an application's directories changed, a token is from before that, and expired at once.
func (p pair) eventsUntilNow(t *testing.T) (token string) {
	t.Helper()
	within(t, 20*time.Second, "an event token that hasn't expired", func() bool {
		var first struct{ NewEventToken string }
		decode(t, p.onA().must(t, 200, "GET", "/event", nil), &first)
		token = first.NewEventToken
		got, err := p.onA().call("GET", "/event/"+url.PathEscape(token), nil)
		return err == nil && got.status == 200
	})
	quiet := 0
	within(t, 20*time.Second, "there are no more events", func() bool {
		var events []event
		events, token = eventsAfter(t, p.onA(), token)
		if quiet++; len(events) > 0 {
			quiet = 0
		}
		return quiet == 10
	})
	return token
}

// delayCommits makes each transaction that adds to the feed sleep a random while, after it was
// given its number and before it commits.
func (p pair) delayCommits(t *testing.T) {
	t.Helper()
	_, err := p.connect(t).Exec(t.Context(), `
		CREATE FUNCTION commit_late() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM pg_sleep(CASE WHEN random() < 0.1 THEN 0.15 ELSE random() * 0.03 END);
			RETURN NEW;
		END $$;
		CREATE TRIGGER commit_late BEFORE INSERT ON changes FOR EACH ROW EXECUTE FUNCTION commit_late()`)
	if err != nil {
		t.Fatal(err)
	}
}

// countLateLines looks at the feed all the time; late ends that, and tells how many lines appeared
// after one with a higher number had.
func (p pair) countLateLines(t *testing.T) (late func() int) {
	t.Helper()
	conn := p.connect(t)
	ctx, stop := context.WithCancel(t.Context())
	found := make(chan int, 1)
	go func() {
		seen, highest, n := map[int64]bool{}, int64(0), 0
		for ctx.Err() == nil {
			rows, err := conn.Query(ctx, "SELECT seq FROM changes ORDER BY seq")
			if err != nil {
				break
			}
			before := highest
			var seq int64
			for rows.Next() {
				if err := rows.Scan(&seq); err != nil {
					break
				}
				if !seen[seq] && len(seen) > 0 && seq < before {
					n++
				}
				seen[seq] = true
				highest = max(highest, seq)
			}
			rows.Close()
			time.Sleep(3 * time.Millisecond)
		}
		found <- n
	}()
	return func() int { stop(); return <-found }
}

// liveAndNote makes users and groups of the writer's own names, changes and removes them, and
// gives what it was told is done, in order.
func liveAndNote(p *probe, writer, lives int) (written []event, err error) {
	do := func(e event, method, path string, body any) {
		if err != nil {
			return
		}
		got, problem := p.call(method, path, body)
		if problem != nil || got.status >= 300 {
			err = fmt.Errorf("%s %s: %d %s %w", method, path, got.status, got.body, problem)
			return
		}
		written = append(written, e)
	}
	for i := range lives {
		user, group := fmt.Sprintf("w%d-user-%d", writer, i), fmt.Sprintf("w%d-group-%d", writer, i)
		members := named("/group/user/direct", "groupname", group)
		create := newUser(user, "first@x.test")
		delete(create, "password") // an argon2id hash is another test's matter
		do(event{"CREATED", user, "first@x.test", ""}, "POST", "/user", create)
		do(event{"CREATED", "", "", group}, "POST", "/group", map[string]any{"name": group})
		do(event{"CREATED", user, "", group}, "POST", members, map[string]any{"name": user})
		do(event{"UPDATED", user, "second@x.test", ""}, "PUT", named("/user", "username", user), map[string]any{"name": user, "email": "second@x.test"})
		if i%2 == 0 {
			do(event{"DELETED", user, "", group}, "DELETE", members+"&username="+user, nil)
			do(event{"DELETED", user, "", ""}, "DELETE", named("/user", "username", user), nil)
		}
	}
	return written, err
}
