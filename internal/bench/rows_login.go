package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"
)

const (
	factors  = `{"validationFactors":[{"name":"remote_address","value":"127.0.0.1"}]}`
	sessions = 64 // that are asked for
)

// sessionRow logs some users in and asks whether their sessions are valid.
func (w *world) sessionRow(ctx context.Context, p *program) (httpRow, error) {
	tokens := make([]string, sessions)
	for u := range tokens {
		body, _ := json.Marshal(map[string]any{"username": userName(u), "password": userPassword, "validation-factors": json.RawMessage(factors)})
		var got struct{ Token string }
		if err := askJSON(ctx, http.MethodPost, p.url, "/session", string(body), http.StatusCreated, &got); err != nil {
			return httpRow{}, err
		}
		tokens[u] = got.Token
	}
	return httpRow{
		name: rowSession, goal: 0.60, method: http.MethodPost, route: "/session/:token", path: "/session/" + tokens[0], body: factors,
		locals: fmt.Sprintf("wrk.headers[\"Content-Type\"] = \"application/json\"\nlocal factors = [[%s]]\nlocal tokens = {\"%s\"}",
			factors, strings.Join(tokens, `", "`)),
		request: "\treturn wrk.format(\"POST\", base .. \"/session/\" .. tokens[math.random(1, #tokens)], nil, factors)",
		checkSample: func(ctx context.Context, url string) error {
			for _, u := range samples(sessions) {
				var got struct {
					Token string
					User  struct{ Name string }
				}
				if err := askJSON(ctx, http.MethodPost, url, "/session/"+tokens[u], factors, http.StatusOK, &got); err != nil {
					return err
				}
				if got.Token != tokens[u] || got.User.Name != userName(u) {
					return fmt.Errorf("wrong answer: the session of %s is %v", userName(u), got)
				}
			}
			var refusal struct{ Reason string }
			return askJSON(ctx, http.MethodPost, url, "/session/"+strings.Repeat("x", len(tokens[0])), factors, http.StatusNotFound, &refusal)
		},
	}, nil
}

// authentication compares logins of distinct users with the bare hash, and watches the memory.
func (b *bench) authentication(ctx context.Context, w *world, p *program) error {
	if !b.wants(rowAuthentication, rowMemory) {
		return nil
	}
	body := fmt.Sprintf(`{"value":%q}`, userPassword)
	each := w.users / (b.windows + 2) // users of a window; the last are for samples
	// Who waits two seconds for a hash is sent away; a few clients are enough to keep all processors
	// at work.
	l, err := b.newLoad(4*runtime.GOMAXPROCS(0), fmt.Sprintf("wrk.headers[\"Content-Type\"] = \"application/json\"\nlocal body = [[%s]]", body),
		fmt.Sprintf("\treturn wrk.format(\"POST\", base .. string.format(\"/authentication?username=user%%07d\", window * %d + n), nil, body)", each))
	if err != nil {
		return err
	}
	wrong := 1
	check := func(ctx context.Context) error {
		name := userName(w.users - 1)
		wrong++ // one who was refused may have to wait before the next attempt
		var got struct{ Name, Reason string }
		if err := askJSON(ctx, http.MethodPost, p.url, "/authentication?username="+name, body, http.StatusOK, &got); err != nil {
			return err
		}
		if got.Name != name {
			return fmt.Errorf("wrong answer: %s logged in as %s", name, got.Name)
		}
		return askJSON(ctx, http.MethodPost, p.url, "/authentication?username="+userName(w.users-wrong), `{"value":"wrong"}`, http.StatusBadRequest, &got)
	}
	idle, err := p.resident()
	if err != nil {
		return err
	}
	if err := p.forgetPeak(); err != nil {
		return err
	}
	ours := side{func(ctx context.Context, window int, d time.Duration) (float64, error) {
		rate, err := l.send(ctx, p.url, window, d)
		if err == nil && rate*d.Seconds() > float64(each) {
			err = fmt.Errorf("%d users were too few for a window", each)
		}
		return rate, err
	}, check}
	anchor := side{func(ctx context.Context, _ int, d time.Duration) (float64, error) { return countHashes(ctx, d) },
		nothing}
	// A login takes as long as forty requests of the other rows: in one second there are too few.
	if err := b.addRatio(ctx, rowAuthentication, w.kind, 0.95, ours, anchor, max(b.window, 3*time.Second)); err != nil {
		return err
	}
	peak, err := p.peak()
	if err != nil {
		return err
	}
	b.add(result{kind: sizes, name: rowMemory, database: w.kind, value: megabytes(peak - idle),
		goal: megabytes(int64(runtime.GOMAXPROCS(0))*hashMemory*1024) + 50, unit: "MB"})
	return nil
}
