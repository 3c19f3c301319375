package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

const (
	rowReplica    = "write on one replica until another answers it, 2,000 times, p99"
	rowReplicaCut = "the same with LISTEN cut, the slowest"

	replicaWrites = 2000
	cutWriters    = 20 // at once, since each of them waits for half a second
)

// replicas measures how long a write on one server takes until the other answers it.
func (b *bench) replicas(ctx context.Context) error {
	return b.on(ctx, onPostgres, shape{users: 10_000}, false, func(w *world, from *program) error {
		to, err := b.serve(ctx, w)
		if err != nil {
			return err
		}
		defer to.stop()
		if b.wants(rowReplica) {
			if err := b.replicated(ctx, w, from, to); err != nil {
				return err
			}
		}
		if b.wants(rowReplicaCut) {
			return b.replicatedByPoll(ctx, w, from, to)
		}
		return nil
	})
}

// replicated compares it with a notification from one connection to another.
func (b *bench) replicated(ctx context.Context, w *world, from, to *program) error {
	ours := lagSide{func(ctx context.Context, window int, _ time.Duration) (latencies, error) {
		var took latencies
		for n := range replicaWrites / b.windows {
			d, err := untilAnswered(ctx, from, to, userName(n%w.users), fmt.Sprintf("%d-%d@example.test", window, n), 200*time.Microsecond)
			if err != nil {
				return nil, err
			}
			took = append(took, d)
		}
		return took, nil
	}, nothing}
	sends, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer sends.Close(context.WithoutCancel(ctx))
	listens, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer listens.Close(context.WithoutCancel(ctx))
	if _, err := listens.Exec(ctx, "LISTEN bench"); err != nil {
		return err
	}
	anchor := lagSide{func(ctx context.Context, _ int, d time.Duration) (latencies, error) {
		var took latencies
		for end := time.Now().Add(d); time.Now().Before(end); {
			begun := time.Now()
			if _, err := sends.Exec(ctx, "SELECT pg_notify('bench', '')"); err != nil {
				return nil, err
			}
			if _, err := listens.WaitForNotification(ctx); err != nil {
				return nil, err
			}
			took = append(took, time.Since(begun))
		}
		return took, nil
	}, nothing}
	return b.addP99(ctx, rowReplica, w.kind, 20, ours, anchor)
}

// replicatedByPoll cuts every connection that listens, so that the poll each second is all there is.
func (b *bench) replicatedByPoll(ctx context.Context, w *world, from, to *program) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var cuts atomic.Int64
	cutting := make(chan error, 1)
	go func() { cutting <- cutListening(ctx, conn, &cuts) }()
	for begun := time.Now(); cuts.Load() < 2; { // of both
		if time.Since(begun) > patience {
			stop()
			return fmt.Errorf("nobody listens: %w", <-cutting)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	took := make(latencies, replicaWrites)
	var group errgroup.Group
	for writer := range cutWriters {
		group.Go(func() (err error) {
			for n := writer; n < len(took) && err == nil; n += cutWriters {
				took[n], err = untilAnswered(ctx, from, to, userName(writer), fmt.Sprintf("cut-%d@example.test", n), 5*time.Millisecond)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	stop()
	if err := <-cutting; err != nil {
		return err
	}
	b.say("LISTEN was cut %d times; p99 %v", cuts.Load(), took.p99())
	b.add(result{kind: sizes, name: rowReplicaCut, database: w.kind, value: 1000 * slices.Max(took).Seconds(), goal: 1100, unit: "ms"})
	return nil
}

// cutListening cuts each connection that listens as soon as there is one, until the context ends.
func cutListening(ctx context.Context, conn *pgx.Conn, cuts *atomic.Int64) error {
	for pause(ctx, 3*time.Millisecond) == nil {
		var n int64
		err := conn.QueryRow(context.WithoutCancel(ctx), `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND query = 'LISTEN rollcall'`).Scan(&n)
		if err != nil {
			return fmt.Errorf("cut LISTEN: %w", err)
		}
		cuts.Add(n)
	}
	return nil
}

// untilAnswered changes a user's mail on one server and asks the other until it says so, with so much
// time between two questions: who asked without a pause would take the servers' processors. The time
// begins when the write is sent.
func untilAnswered(ctx context.Context, from, to *program, user, mail string, between time.Duration) (time.Duration, error) {
	body, err := json.Marshal(map[string]any{"name": user, "email": mail, "active": true})
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, from.url+base+"/user?username="+user, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", authorization())
	r.Header.Set("Content-Type", "application/json")
	begun := time.Now()
	got, err := kept.Do(r)
	if err != nil {
		return 0, err
	}
	got.Body.Close()
	if got.StatusCode != http.StatusNoContent {
		return 0, fmt.Errorf("wrong answer: PUT user %s: %s", user, got.Status)
	}
	for ; ; time.Sleep(between) {
		text, err := askUser(ctx, to.url, user)
		took := time.Since(begun)
		if err != nil || bytes.Contains(text, []byte(`"email":"`+mail+`"`)) {
			return took, err
		}
		if took > time.Minute {
			return took, fmt.Errorf("wrong answer: after %v the other replica says %s", took, text)
		}
	}
}
