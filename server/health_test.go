package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestProbes(t *testing.T) {
	t.Parallel()
	good := Check{"database", func(context.Context) error { return nil }}
	bad := Check{"feed", func(context.Context) error { return errors.New("can't be read\nsince 12:00") }}
	told := Check{"certificate", func(context.Context) error { return Remark("expires on 2026-08-01") }}
	for _, test := range []struct {
		name       string
		checks     []Check
		draining   bool
		target     string
		wantStatus int
		want       string
	}{
		{name: "alive", checks: []Check{bad}, target: "/livez", wantStatus: 200, want: "ok"},
		{name: "alive, each check", checks: []Check{bad}, target: "/livez?verbose", wantStatus: 200, want: "[+]ping ok\nlivez check passed\n"},
		{name: "alive while stopping", draining: true, target: "/livez", wantStatus: 200, want: "ok"},
		{name: "ready", checks: []Check{good, told}, target: "/readyz", wantStatus: 200, want: "ok"},
		{name: "ready, each check", checks: []Check{good, told}, target: "/readyz?verbose", wantStatus: 200,
			want: "[+]database ok\n[+]certificate ok: expires on 2026-08-01\n[+]shutdown ok\nreadyz check passed\n"},
		{name: "a check fails", checks: []Check{good, bad}, target: "/readyz", wantStatus: 503,
			want: "[+]database ok\n[-]feed failed: can't be read since 12:00\n[+]shutdown ok\nreadyz check failed\n"},
		{name: "by its older name", checks: []Check{good}, target: "/healthz?verbose=1", wantStatus: 200,
			want: "[+]database ok\n[+]shutdown ok\nhealthz check passed\n"},
		{name: "stopping", checks: []Check{good}, draining: true, target: "/readyz", wantStatus: 503,
			want: "[+]database ok\n[-]shutdown failed: the server is stopping\nreadyz check failed\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHealth(test.checks...)
			if test.draining {
				h.drain()
			}
			mux := http.NewServeMux()
			h.register(mux)
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("GET", test.target, nil))
			if w.Code != test.wantStatus || w.Body.String() != test.want {
				t.Errorf("want %d %q\ngot  %d %q", test.wantStatus, test.want, w.Code, w.Body)
			}
		})
	}
}

func TestACheckThatHangsFails(t *testing.T) {
	t.Parallel()
	h := newHealth(Check{"database", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
	start := time.Now()
	if results := h.results(t.Context()); !results[0].failed() || time.Since(start) > 5*time.Second {
		t.Error(results, time.Since(start))
	}
}
