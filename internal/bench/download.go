package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"time"
)

// A download is what curl tells of an answer that it has read into nothing.
type download struct {
	first, total float64 // seconds
	size         int64
}

// download has curl read an answer as XML. One of another size than it should have is an error.
func (p *program) download(ctx context.Context, path string, size int64) (d download, err error) {
	cmd := exec.CommandContext(ctx, "curl", "-sS", "-u", appName+":"+appPassword, "-H", "Accept: application/xml", "-o", "/dev/null",
		"-w", "%{http_code} %{time_starttransfer} %{time_total} %{size_download}", p.url+base+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return d, fmt.Errorf("curl: %w\n%s", err, out)
	}
	var status int
	if _, err := fmt.Sscan(string(out), &status, &d.first, &d.total, &d.size); err != nil {
		return d, fmt.Errorf("curl told %q: %w", out, err)
	}
	if status != http.StatusOK || d.size != size {
		return d, fmt.Errorf("wrong answer: GET %s: %d with %d bytes, want %d", path, status, d.size, size)
	}
	return d, nil
}

// measure gives an answer's size, and an error unless word is in it so many times and its last bytes
// are the end.
func (p *program) measure(ctx context.Context, path, word string, times int, end string) (size int64, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+base+path, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", authorization())
	r.Header.Set("Accept", "application/xml")
	got, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer got.Body.Close()
	found := 0
	var piece, last []byte
	for buffer := make([]byte, 1<<20); ; {
		n, err := got.Body.Read(buffer)
		size += int64(n)
		// What is cut in two is found with what was left of the piece before.
		piece = append(append(piece[:0], last...), buffer[:n]...)
		found += bytes.Count(piece, []byte(word)) - bytes.Count(last, []byte(word))
		last = append(last[:0], piece[max(0, len(piece)-len(word)-len(end)):]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			return size, err
		}
	}
	if got.StatusCode != http.StatusOK || found != times || !bytes.HasSuffix(last, []byte(end)) {
		return size, fmt.Errorf("wrong answer: GET %s: %d with %d of %q, want %d; it ends with %q", path, got.StatusCode, found, word, times, last)
	}
	return size, nil
}

// A longRow compares an answer that curl reads with a COPY of the same data that psql reads.
type longRow struct {
	name, first, memory string // the names of its rows; the latter two may be empty
	goal                float64
	path                string
	element             string // which of the answer's elements is there so many times
	elements            int
	end                 string // with which it ends
	copy                string // COPY … TO STDOUT
}

// longAnswer measures the row, and what the server's memory was at most above what it was idle.
func (b *bench) longAnswer(ctx context.Context, w *world, p *program, idle int64, r longRow) error {
	if !b.wants(r.name, r.first, r.memory) {
		return nil
	}
	if err := p.forgetPeak(); err != nil {
		return err
	}
	size, err := p.measure(ctx, r.path, r.element, r.elements, r.end)
	if err != nil {
		return err
	}
	var first []float64
	ours := side{func(ctx context.Context, _ int, _ time.Duration) (float64, error) {
		d, err := p.download(ctx, r.path, size)
		first = append(first, d.first)
		return d.total, err
	}, func(ctx context.Context) error { return w.checkUser(ctx, p.url, 0) }}
	anchor := side{func(ctx context.Context, _ int, _ time.Duration) (float64, error) {
		cmd := exec.CommandContext(ctx, "psql", "-X", "-q", w.url, "-c", r.copy)
		cmd.Stdout = io.Discard
		begun := time.Now()
		err := cmd.Run()
		return time.Since(begun).Seconds(), err
	}, nothing}
	if err := b.addTimes(ctx, r.name, w.kind, r.goal, ours, anchor); err != nil {
		return err
	}
	peak, err := p.peak()
	if err != nil {
		return err
	}
	if r.first != "" {
		b.add(result{kind: sizes, name: r.first, database: w.kind, value: 1000 * median(first), goal: 100, unit: "ms"})
	}
	b.add(result{kind: sizes, name: r.memory, database: w.kind, value: megabytes(peak - idle), goal: 16, unit: "MB"})
	return nil
}
