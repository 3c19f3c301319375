package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/server"
)

// BenchmarkServer runs the whole server in this process, and wrk beside it: its CPU profile shows
// where a request's time goes, from the socket to the roster and back. The bare handler, which says
// the same, shows how much of that is the way there.
//
//	go test ./internal/bench -run '^$' -bench 'Server/GET_/user,/ours' -cpuprofile cpu.out
func BenchmarkServer(b *testing.B) {
	run := &bench{dir: b.TempDir(), wanted: regexp.MustCompile(""), quick: true}
	w, err := run.newWorld(b.Context(), onSQLite, shape{users: 10_000, groups: true}, true)
	if err != nil {
		b.Fatal(err)
	}
	p := inProcess(b, w)
	if err := w.checkUser(b.Context(), p.url, 0); err != nil { // from now on the application is known
		b.Fatal(err)
	}
	rows := []httpRow{w.userRow(rowUser, 0), w.groupsRow(), w.membersRow()}
	for _, row := range append(rows, httpRow{name: rowSession}) {
		b.Run(row.name, func(b *testing.B) {
			if row.name == rowSession { // its logins are in no other row's profile
				if row, err = w.sessionRow(b.Context(), p); err != nil {
					b.Fatal(err)
				}
			}
			l, err := run.newLoad(32, row.locals, row.request)
			if err != nil {
				b.Fatal(err)
			}
			b.Run("ours", func(b *testing.B) { measureSpending(b, l, p.url) })
			b.Run("bare", func(b *testing.B) { measureSpending(b, l, bareInProcess(b, p.url, row)) })
		})
	}
}

// measureSpending tells what an answer takes of this process.
func measureSpending(b *testing.B, l load, url string) {
	var answers float64
	before := spent(b)
	for b.Loop() {
		rate, err := l.send(b.Context(), url, 1, 5*time.Second)
		if err != nil {
			b.Fatal(err)
		}
		answers += rate * 5
		b.ReportMetric(rate, "answers/s")
	}
	after := spent(b)
	b.ReportMetric(float64(after.cpu-before.cpu)/answers, "cpu-ns/answer")
	b.ReportMetric(float64(after.allocs-before.allocs)/answers, "allocs/answer")
	b.ReportMetric(float64(after.bytes-before.bytes)/answers, "B/answer")
}

// bareInProcess is a row's anchor in this process, until the benchmark ends.
func bareInProcess(b *testing.B, ours string, row httpRow) string {
	said, err := ask(b.Context(), row.method, ours, row.path, row.body)
	if err != nil {
		b.Fatal(err)
	}
	o := repeat(row.method, row.route, said)
	e := echo.New()
	e.Add(o.Method, o.Path, o.answer)
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &http.Server{Handler: e} // as Echo makes its own
	b.Cleanup(func() { s.Close() })
	go s.Serve(l)
	return "http://" + l.Addr().String()
}

// inProcess serves a world until the benchmark ends.
func inProcess(b *testing.B, w *world) *program {
	c, _, err := server.Load(nil, append(w.settings(), "ROLLCALL_LISTEN=127.0.0.1:0",
		"ROLLCALL_MANAGEMENT_LISTEN=127.0.0.1:0", "ROLLCALL_DRAIN_TIME=0s"))
	if err != nil {
		b.Fatal(err)
	}
	serves := make(chan struct{})
	listens := make(chan string, 1)
	log := slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.MessageKey && a.Value.String() == "the roster serves" {
			close(serves)
		}
		return a
	}}))
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Options{Config: c, Log: log, Ready: func(listen, _ string) { listens <- listen }})
	}()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	<-serves
	return &program{url: "http://" + <-listens}
}

// A spending is what this process, without wrk, has taken so far.
type spending struct {
	cpu           time.Duration
	allocs, bytes uint64
}

func spent(b *testing.B) spending {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return spending{time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), memory.Mallocs, memory.TotalAlloc}
}
