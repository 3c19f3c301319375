package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// creation compares creating users with inserting the same rows.
func (b *bench) creation(ctx context.Context) (err error) {
	s := shape{users: b.scaled(10_000)}
	return b.on(ctx, onSQLite, s, false, func(w *world, p *program) (err error) {
		other, err := b.newWorld(ctx, onSQLite, s, false)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, other.drop()) }()
		body := func(name string) string {
			return `{"name":"` + name + `","first-name":"New","last-name":"User","display-name":"New User","email":"` + name + `@example.test","active":true}`
		}
		said, err := ask(ctx, http.MethodPost, p.url, "/user", body("new00-0000000"))
		if err != nil {
			return err
		}
		if said.status != http.StatusCreated {
			return fmt.Errorf("wrong answer: POST /user: %d %s", said.status, said.body)
		}
		o := repeat(http.MethodPost, "/user", said)
		o.File = other.file()
		a, err := startAnchor(ctx, "create", o)
		if err != nil {
			return err
		}
		defer a.stop()
		l, err := b.newLoad(8, "wrk.headers[\"Content-Type\"] = \"application/json\"\nlocal body = [["+body("%s")+"]]",
			"\tlocal name = string.format(\"new%02d-%07d\", window, n)\n\treturn wrk.format(\"POST\", base .. \"/user\", nil, (body:gsub(\"%%s\", name)))")
		if err != nil {
			return err
		}
		send := func(w *world, url string) side {
			var answered float64
			return side{func(ctx context.Context, window int, d time.Duration) (float64, error) {
				rate, err := l.send(ctx, url, window, d)
				answered += rate * d.Seconds()
				return rate, err
			}, func(ctx context.Context) error {
				users, err := w.created(ctx)
				// wrk's windows are a little longer than asked for, and it leaves some requests unanswered.
				if err == nil && float64(users) < 0.9*answered {
					err = fmt.Errorf("wrong rows: %.0f answers and %d users", answered, users)
				}
				return err
			}}
		}
		ours := send(w, p.url)
		rows := ours.check
		ours.check = func(ctx context.Context) error { return errors.Join(rows(ctx), checkCreated(ctx, p.url, body)) }
		return b.addRatio(ctx, rowCreate, w.kind, 0.60, ours, send(other, a.url), b.window)
	})
}

// checkCreated asks for the user that the first request made, and makes it again.
func checkCreated(ctx context.Context, url string, body func(string) string) error {
	const name = "new00-0000000"
	var got struct{ Name, Email, Reason string }
	if err := askJSON(ctx, http.MethodGet, url, "/user?username="+name, "", http.StatusOK, &got); err != nil {
		return err
	}
	if got.Name != name || got.Email != name+"@example.test" {
		return fmt.Errorf("wrong answer: the new user is %v", got)
	}
	return askJSON(ctx, http.MethodPost, url, "/user", body(name), http.StatusBadRequest, &got)
}
