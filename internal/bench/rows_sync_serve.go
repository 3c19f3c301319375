package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

const rowSyncServe = "GET /user at 200/s during a first full sync, p99"

// besideSync compares how late users' answers come while another process synchronises a million
// users into the same database, from its first request to its end, and while the bare reader drains
// the same cloud. The users that are asked for are another directory's.
func (b *bench) besideSync(ctx context.Context) (err error) {
	cloud, err := b.play(ctx, b.cloudOf(models.KindEntra))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cloud.end(context.WithoutCancel(ctx))) }()
	empty, err := b.newCloudWorld(ctx, onPostgres, min(100_000, b.cloudUsers), cloud)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, empty.drop()) }()

	var all [2]latencies
	lasts := 0 // slices, of the run before
	ours := func(ctx context.Context) (float64, error) {
		return b.besideProcess(ctx, empty, &all[0], func(w *world, send func() error) error {
			cmd := b.syncCommand(ctx, w, "--full")
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				return err
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			for lasts = 0; ; lasts++ {
				select {
				case err := <-ended:
					if err != nil {
						return fmt.Errorf("rollcall sync: %w\n%s", err, out.Bytes())
					}
					return w.mustHold(ctx, cloud)
				default:
				}
				if err := send(); err != nil {
					return errors.Join(err, cmd.Process.Kill(), <-ended)
				}
			}
		})
	}
	anchor := func(ctx context.Context) (float64, error) {
		return b.besideProcess(ctx, empty, &all[1], func(_ *world, send func() error) error {
			reader, err := cloud.readAgain(ctx)
			if err != nil {
				return err
			}
			defer reader.stop()
			for range lasts {
				if err := send(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	c, err := b.compareRuns(ctx, ours, anchor)
	if err != nil {
		return fmt.Errorf("%s: %w", rowSyncServe, err)
	}
	p99, bare := all[0].p99().Seconds(), all[1].p99().Seconds()
	b.add(result{kind: times, name: rowSyncServe, database: onPostgres, ours: p99, anchor: bare, value: p99 / bare, goal: 2,
		spread: c.spread, maxSpread: maxSpreadP99})
	return nil
}

// besideProcess serves a clone of a world, and gives the p99 of what send sends while do lets
// something else run.
func (b *bench) besideProcess(ctx context.Context, empty *world, all *latencies, do func(w *world, send func() error) error) (p99 float64, err error) {
	w, err := empty.clone(ctx, b)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.drop()) }()
	p, err := b.serve(ctx, w)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	if err := w.checkUser(ctx, p.url, 0); err != nil {
		return 0, err
	}
	users := sender{rate: 200, ask: func(ctx context.Context, _ int) error {
		name := userName(rand.IntN(w.users))
		got, err := askUser(ctx, p.url, name)
		if err == nil && !bytes.Contains(got, []byte(`"name":"`+name+`"`)) {
			err = fmt.Errorf("wrong answer: %s is %s", name, got)
		}
		return err
	}}
	var took latencies
	if err := do(w, func() error {
		got, err := users.send(ctx, time.Second)
		took = append(took, got...)
		return err
	}); err != nil {
		return 0, err
	}
	*all = append(*all, took...)
	b.say("  p99 of %d answers: %v", len(took), took.p99())
	return took.p99().Seconds(), w.checkUser(ctx, p.url, 0)
}
