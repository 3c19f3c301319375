package server

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// syncMetrics show the synchronisation of directories. How a directory is stands in the database,
// whichever process ran it, and is read at each scrape; what its runs took is counted by the
// process that ran them.
type syncMetrics struct {
	sync  *dirsync.Service
	store *store.Store

	success, duration, failures, held, skipped *prometheus.Desc

	mu   sync.Mutex
	read map[models.ID]readRun // by directory
}

// A readRun is a run whose report was read.
type readRun struct {
	run     models.ID
	skipped int
}

// countRun counts what a run took.
func (m *metrics) countRun(r *models.Run) {
	m.syncRuns.WithLabelValues(r.Directory, string(r.Outcome)).Inc()
	m.syncRequests.WithLabelValues(r.Directory).Add(float64(r.Requests))
	m.syncThrottled.WithLabelValues(r.Directory).Add(float64(r.Throttled))
}

// watchSync shows how directories are. The labels are their names: operators make directories,
// requests don't.
func (m *metrics) watchSync(s *Services) {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("rollcall_sync_"+name, help, []string{"directory"}, nil)
	}
	m.registry.MustRegister(&syncMetrics{
		sync: s.Sync, store: s.Store, read: map[models.ID]readRun{},
		success:  desc("last_success_timestamp_seconds", "When the directory was last made equal to its source; 0 is never."),
		duration: desc("last_run_duration_seconds", "How long the last run took that has ended."),
		failures: desc("failures_in_a_row", "Runs that failed since the last one that ended well."),
		held:     desc("held", "1 while a plan waits for an operator."),
		skipped:  desc("last_run_skipped", "Objects of the source that the last run left out."),
	})
}

// Describe lists the metrics.
func (c *syncMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.success, c.duration, c.failures, c.held, c.skipped} {
		to <- d
	}
}

// Collect reads how each directory is. While the database can't be read, nothing is shown: /readyz
// says that.
func (c *syncMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	all, err := c.sync.Conditions(ctx)
	if err != nil {
		return
	}
	for _, one := range all {
		show := func(d *prometheus.Desc, value float64) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, one.Directory)
		}
		show(c.success, float64(one.State.CompletedAt)/1000)
		show(c.failures, float64(one.State.Failures))
		show(c.held, map[bool]float64{true: 1}[one.State.HeldRun != 0])
		if run := one.Last; run != nil && run.Ended != 0 {
			show(c.duration, run.Ended.Sub(run.Started).Seconds())
			if n, ok := c.skippedBy(ctx, run); ok {
				show(c.skipped, float64(n))
			}
		}
	}
}

// skippedBy tells how many objects a directory's last run skipped. Reports are large, and each is
// read once.
func (c *syncMetrics) skippedBy(ctx context.Context, last *models.Run) (n int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.read[last.DirectoryID]; known.run == last.ID {
		return known.skipped, true
	}
	run, err := c.store.RunByID(ctx, last.ID)
	if err != nil {
		return 0, false
	}
	n = len(run.Skipped) + run.MoreSkipped
	c.read[last.DirectoryID] = readRun{last.ID, n}
	return n, true
}
