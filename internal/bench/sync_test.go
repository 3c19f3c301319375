package main

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/server"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// BenchmarkSync synchronises 100,000 users for the first time, and then in full again; the made-up
// cloud is in this process, too. Its profiles show where a run's time and memory go: the heap is
// written each time that it is larger than ever.
//
//	go test ./internal/bench -run '^$' -bench Sync -benchtime 1x -cpuprofile cpu.out
//	HEAP=heap.out go test ./internal/bench -run '^$' -bench Sync/first -benchtime 1x
func BenchmarkSync(b *testing.B) {
	shape := cloudShape{models.KindEntra, 100_000, 10_000}
	cloud, settings, err := shape.start(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cloud.Close)
	run := &bench{dir: b.TempDir(), wanted: regexp.MustCompile("")}
	w, err := run.newCloudWorld(b.Context(), onSQLite, 0, &played{shape: shape, state: cloudState{Settings: settings}})
	if err != nil {
		b.Fatal(err)
	}
	c, _, err := server.Load(nil, w.settings())
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.OpenServices(context.WithoutCancel(b.Context()), c, slog.New(slog.DiscardHandler), server.Opening{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Store.Close() })
	for _, name := range []string{"first", "nothing changed"} {
		b.Run(name, func(b *testing.B) {
			stop := writeHeaps(os.Getenv("HEAP"))
			defer stop()
			for b.Loop() {
				r, err := s.Sync.Apply(b.Context(), cloudDirectory, dirsync.Options{By: models.System, Full: true})
				if err != nil {
					b.Fatal(err)
				}
				b.Log(r.Outcome, phasesOf(r))
			}
		})
	}
}

// writeHeaps writes a profile of the heap whenever it is larger than ever before.
func writeHeaps(path string) (stop func()) {
	if path == "" {
		return func() {}
	}
	ended, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		for most := uint64(0); ; {
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
			}
			runtime.GC()
			var m runtime.MemStats
			if runtime.ReadMemStats(&m); m.HeapAlloc <= most {
				continue
			}
			most = m.HeapAlloc
			if f, err := os.Create(path); err == nil {
				_ = pprof.Lookup("heap").WriteTo(f, 0)
				_ = f.Close()
			}
		}
	}()
	return func() { close(ended); <-written }
}
