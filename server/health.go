package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Check is one condition for answering requests.
type Check struct {
	Name string // one word: "database"
	Run  func(ctx context.Context) error
}

// Remark is what a check returns that passes and has something to tell all the same.
type Remark string

// Error gives the remark.
func (r Remark) Error() string { return string(r) }

// checkTimeout ends a check that takes too long; Kubernetes waits a second by default.
const checkTimeout = 900 * time.Millisecond

// health answers the probes of the management listener, in the form that Kubernetes made usual:
//
//	/livez              the process works; a failure means "restart me"
//	/readyz, /healthz   every check passes and the server isn't stopping; else "no requests, please"
//
// With ?verbose each check has a line.
type health struct {
	checks   []Check
	draining atomic.Bool
}

// newHealth takes the checks of /readyz.
func newHealth(checks ...Check) *health { return &health{checks: checks} }

// drain makes /readyz fail from now on: the server is about to stop.
func (h *health) drain() { h.draining.Store(true) }

// register puts the probes on mux.
func (h *health) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) {
		answerProbe(w, r, "livez", []result{{name: "ping"}})
	})
	ready := func(w http.ResponseWriter, r *http.Request) {
		answerProbe(w, r, strings.TrimPrefix(r.URL.Path, "/"), h.results(r.Context()))
	}
	mux.HandleFunc("GET /readyz", ready)
	mux.HandleFunc("GET /healthz", ready)
}

type result struct {
	name string
	err  error
}

func (r result) failed() bool {
	_, remark := r.err.(Remark)
	return r.err != nil && !remark
}

// results runs all checks at once.
func (h *health) results(ctx context.Context) []result {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	results := make([]result, len(h.checks)+1)
	var group sync.WaitGroup
	for i, check := range h.checks {
		group.Go(func() { results[i] = result{check.Name, check.Run(ctx)} })
	}
	group.Wait()
	results[len(h.checks)] = result{name: "shutdown"}
	if h.draining.Load() {
		results[len(h.checks)].err = errors.New("the server is stopping")
	}
	return results
}

// answerProbe writes "ok", or a line per check when asked to or when one failed.
func answerProbe(w http.ResponseWriter, r *http.Request, probe string, results []result) {
	status, verdict := http.StatusOK, "passed"
	var lines strings.Builder
	for _, result := range results {
		switch {
		case result.failed():
			status, verdict = http.StatusServiceUnavailable, "failed"
			fmt.Fprintf(&lines, "[-]%s failed: %s\n", result.name, oneLine(result.err))
		case result.err != nil:
			fmt.Fprintf(&lines, "[+]%s ok: %s\n", result.name, oneLine(result.err))
		default:
			fmt.Fprintf(&lines, "[+]%s ok\n", result.name)
		}
	}
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if status == http.StatusOK && !r.URL.Query().Has("verbose") {
		fmt.Fprint(w, "ok")
		return
	}
	fmt.Fprintf(w, "%s%s check %s\n", &lines, probe, verdict)
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
