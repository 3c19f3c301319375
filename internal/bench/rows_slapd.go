package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	slapdConnections = 32 // as many as wrk has
	slapdRate        = 10_000
)

// slapd compares the processor time that one user costs our server, and OpenLDAP's. Their rates are
// not compared: wrk and ldapsearch are clients of different cost on the same processors.
func (b *bench) slapd(ctx context.Context, w *world, p *program) error {
	if b.quick || !b.wants(rowSlapd) {
		return nil
	}
	row := w.userRow(rowSlapd, 0)
	l, err := b.newLoad(slapdConnections, row.locals, row.request)
	if err != nil {
		return err
	}
	s, err := w.startSlapd(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	ours := side{func(ctx context.Context, window int, d time.Duration) (float64, error) {
		return costOfEach(p.process, func() (int64, error) {
			answers, _, err := l.count(ctx, p.url, window, d)
			return answers, err
		})
	}, func(ctx context.Context) error { return row.checkSample(ctx, p.url) }}
	anchor := side{func(ctx context.Context, _ int, d time.Duration) (float64, error) {
		names := make([]string, int(d.Seconds()*slapdRate)) // the processor time of a search hangs on no clock
		for i := range names {
			names[i] = userName(rand.IntN(w.users))
		}
		return costOfEach(s.process, func() (int64, error) {
			found, err := s.search(ctx, slapdConnections, names)
			if err == nil && found != len(names) {
				err = fmt.Errorf("wrong answer: slapd found %d of %d users", found, len(names))
			}
			return int64(found), err
		})
	}, func(ctx context.Context) error {
		for _, u := range samples(w.users) {
			got, err := s.ask(ctx, "(uid="+userName(u)+")")
			if err != nil {
				return err
			}
			for _, line := range []string{"uid: " + userName(u), "givenName: " + firstName(u), "sn: " + lastName(u), "mail: " + userName(u) + "@example.test"} {
				if !strings.Contains(string(got), "\n"+line+"\n") {
					return fmt.Errorf("wrong answer: slapd says %s of user %d", got, u)
				}
			}
		}
		return nil
	}}
	return b.addTimes(ctx, rowSlapd, w.kind, 0.6, ours, anchor)
}

// costOfEach gives the processor seconds that a server took for each of the answers that do counts.
func costOfEach(server *process, do func() (answers int64, err error)) (float64, error) {
	before, err := server.cpu()
	if err != nil {
		return 0, err
	}
	answers, err := do()
	if err != nil {
		return 0, err
	}
	after, err := server.cpu()
	return (after - before) / float64(answers), err
}
