package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const dumpsAtOnce = 10

// dumps compares how late users' answers come beside ten dumps, and beside two processes that do
// nothing but take the processors' time.
func (b *bench) dumps(ctx context.Context, w *world, p *program) error {
	if !b.wants(rowDumps) {
		return nil
	}
	const path = "/group/membership"
	size, err := p.measure(ctx, path, "<user ", w.users*w.perUser, "</memberships>")
	if err != nil {
		return err
	}
	users := sender{rate: 200, ask: func(ctx context.Context, _ int) error {
		name := userName(rand.IntN(w.users))
		got, err := askUser(ctx, p.url, name)
		if err == nil && !bytes.Contains(got, []byte(`"name":"`+name+`"`)) {
			err = fmt.Errorf("wrong answer: %s is %s", name, got)
		}
		return err
	}}
	ours := func(ctx context.Context, _ int, d time.Duration) (latencies, error) {
		var over atomic.Bool
		var group errgroup.Group
		for range dumpsAtOnce {
			group.Go(func() error {
				for !over.Load() {
					if _, err := p.download(ctx, path, size); err != nil {
						return err
					}
				}
				return nil
			})
		}
		took, err := latencies(nil), pause(ctx, 200*time.Millisecond) // until all dumps have begun
		if err == nil {
			took, err = users.send(ctx, d)
		}
		over.Store(true)
		return took, errors.Join(err, group.Wait())
	}
	anchor := func(ctx context.Context, _ int, d time.Duration) (latencies, error) {
		for range 2 {
			spinning, err := startSpinning(ctx)
			if err != nil {
				return nil, err
			}
			defer spinning.stop()
		}
		return users.send(ctx, d)
	}
	check := func(ctx context.Context) error { return w.checkUser(ctx, p.url, 0) }
	return b.addP99(ctx, rowDumps, w.kind, 2, lagSide{ours, check}, lagSide{anchor, check})
}

// startSpinning starts a process that needs a whole processor.
func startSpinning(ctx context.Context) (*process, error) {
	cmd, err := anchorCommand("spin")
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	go func() { _, _ = in.Write([]byte("{}")) }() // it reads once it runs
	p, err := launch(ctx, cmd, func(line string) bool { return strings.HasPrefix(line, "spins") })
	if err != nil {
		return nil, err
	}
	p.stdin = in
	return p, nil
}
