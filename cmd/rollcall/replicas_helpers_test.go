package main_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// A pair is two real processes on one PostgreSQL.
type pair struct {
	db   testkit.Database
	a, b *testkit.Server
}

// newPair starts two replicas with the directory staff and the application probe.
func newPair(t *testing.T, db testkit.Database) pair {
	t.Helper()
	p := pair{db: db, a: testkit.StartServer(t, db, nil)} // the first makes the schema, where there is none
	p.b = testkit.StartServer(t, db, nil)
	newStaff(t, db)
	return p
}

// newLonelyPair starts two on a PostgreSQL of their own: transactions of other tests would hold
// back their events, and theirs those of other tests.
func newLonelyPair(t *testing.T) pair {
	t.Helper()
	return newPair(t, testkit.Database{Kind: testkit.Postgres, URL: startPostgres(t).url, Key: make([]byte, 32)})
}

func (p pair) onA() *probe { return newProbe(p.a.URL, "probe", probePassword) }
func (p pair) onB() *probe { return newProbe(p.b.URL, "probe", probePassword) }

// connect opens a connection to the pair's database that is nobody's but the test's.
func (p pair) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// cutListening cuts each connection that listens, as soon as there is one, until the test ends.
// cuts tells how many there were.
func (p pair) cutListening(t *testing.T) (cuts func() int64) {
	t.Helper()
	conn := p.connect(t)
	var n atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
			}
			var cut int64
			err := conn.QueryRow(context.Background(), `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND query = 'LISTEN rollcall'`).Scan(&cut)
			if err != nil {
				t.Errorf("cut LISTEN: %v", err)
				return
			}
			n.Add(cut)
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	within(t, 10*time.Second, "LISTEN of both replicas is cut", func() bool { return n.Load() >= 2 })
	return n.Load
}

// lags are how long writes on one replica took until the other answered them, counted from the
// writer's answer, in order.
type lags []time.Duration

func (l lags) p99() time.Duration { return l[len(l)*99/100] }
func (l lags) max() time.Duration { return l[len(l)-1] }

func (l lags) String() string {
	return fmt.Sprintf("%d writes, p50 %v, p99 %v, max %v", len(l), l[len(l)/2], l.p99(), l.max())
}

// lags measures each of the users' writes, from A to B and from B to A in turn.
func (p pair) lags(t *testing.T, users []string, each int) lags {
	t.Helper()
	measured := make([]lags, len(users))
	var group errgroup.Group
	for i, user := range users {
		group.Go(func() (err error) {
			from, to := p.onA(), p.onB()
			for n := range each {
				var lag time.Duration
				if lag, err = untilRead(from, to, user, fmt.Sprintf("%d-%d@x.test", n, time.Now().UnixNano())); err != nil {
					return err
				}
				measured[i] = append(measured[i], lag)
				from, to = to, from
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(measured...)
	slices.Sort(all)
	return all
}

// untilRead changes a user's mail on one replica and asks the other until it says so.
func untilRead(from, to *probe, user, mail string) (time.Duration, error) {
	got, err := from.call("PUT", named("/user", "username", user), map[string]any{"name": user, "email": mail})
	if err != nil || got.status >= 300 {
		return 0, fmt.Errorf("write %s: %d %s %w", user, got.status, got.body, err)
	}
	for written := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		mails, err := mailOf(to, user)
		switch since := time.Since(written); {
		case err != nil:
			return 0, err
		case mails == mail:
			return since, nil
		case since > 20*time.Second:
			return 0, fmt.Errorf("%s: after %v the other replica says %q, want %q", user, since, mails, mail)
		}
	}
}
