package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func clientOf(_ *front, withHTTP2 bool) *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: withHTTP2, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
}

// Many clients send one POST after the other over connections of their own, some kept, some new
// each time, while the server stops. Not one request that could be sent stays without its answer.
func TestStopUnderLoadLosesNoRequest(t *testing.T) {
	t.Parallel()
	c := testLimits
	c.DrainTime = 500 * time.Millisecond
	health := newHealth()
	f, err := openFront(t.Context(), c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasSuffix(r.URL.Path, "7") {
			time.Sleep(20 * time.Millisecond)
		}
		_, _ = w.Write(body)
	}), health, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx) }()

	var answered, refused atomic.Int64
	var clients sync.WaitGroup
	for i := range 40 {
		clients.Go(func() {
			client := hammer{address: f.address().String(), kept: i%4 != 0, pause: time.Duration(i%5) * 3 * time.Millisecond}
			n, err := client.run(i)
			answered.Add(int64(n))
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("client %d after %d answers: %v", i, n, err)
				return
			}
			refused.Add(1)
		})
	}
	time.Sleep(300 * time.Millisecond)
	before := answered.Load()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	clients.Wait()
	t.Logf("%d answers, %d clients refused at last", answered.Load(), refused.Load())
	if answered.Load() == before {
		t.Error("nothing was sent during the stop")
	}
}

// A hammer sends requests until it can't connect any more.
type hammer struct {
	address string
	kept    bool
	pause   time.Duration

	conn   net.Conn
	reader *bufio.Reader
}

// run gives the number of answers and why there were no more. A broken connection counts as a
// lost request: a POST isn't sent again.
func (h *hammer) run(client int) (answers int, err error) {
	for ; ; answers++ {
		if h.conn == nil {
			if h.conn, err = net.DialTimeout("tcp", h.address, 10*time.Second); err != nil {
				return answers, err
			}
			h.reader = bufio.NewReader(h.conn)
		}
		if err := h.ask(fmt.Sprintf("%d-%d", client, answers)); err != nil {
			return answers, errors.Join(err, h.conn.Close())
		}
		time.Sleep(h.pause)
	}
}

func (h *hammer) ask(body string) error {
	_ = h.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(h.conn, "POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", body, len(body), body); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	response, err := http.ReadResponse(h.reader, nil)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	got, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 || string(got) != body {
		return fmt.Errorf("answer %d %q: %w", response.StatusCode, got, err)
	}
	if response.Close || !h.kept {
		h.conn.Close()
		h.conn = nil
	}
	return nil
}

func TestStopTellsFirstAndWaitsForRunningRequests(t *testing.T) {
	t.Parallel()
	c := testLimits
	c.DrainTime = 300 * time.Millisecond
	health, began, release := newHealth(), make(chan struct{}), make(chan struct{})
	f, err := openFront(t.Context(), c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			close(began)
			<-release
		}
		fmt.Fprint(w, "done")
	}), health, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx) }()

	long, longReader := dial(t, f)
	fmt.Fprint(long, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
	<-began
	kept, keptReader := dial(t, f)
	fmt.Fprint(kept, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if got, response := read(t, keptReader); got != "200 done" || response.Close {
		t.Error(got, response.Close)
	}
	stop()
	for !health.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	fmt.Fprint(kept, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if got, response := read(t, keptReader); got != "200 done" || !response.Close {
		t.Error("while draining:", got, response.Close)
	}
	fresh, freshReader := dial(t, f)
	fmt.Fprint(fresh, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if got, response := read(t, freshReader); got != "200 done" || !response.Close {
		t.Error("a new connection while draining:", got, response.Close)
	}
	select {
	case err := <-ended:
		t.Error("a running request wasn't waited for:", err)
	case <-time.After(c.DrainTime + 3*settle):
	}
	close(release)
	if got, response := read(t, longReader); got != "200 done" || !response.Close {
		t.Error("the running request:", got, response.Close)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStopCutsOffWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	c := testLimits
	c.ShutdownTimeout = 200 * time.Millisecond
	began := make(chan struct{})
	f, err := openFront(t.Context(), c, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	}), newHealth(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx) }()
	conn, _ := dial(t, f)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-began
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Error(err)
	}
}

func TestManagement(t *testing.T) {
	t.Parallel()
	f, err := openManagement(t.Context(), testLimits, newHealth(), newMetrics("dev"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx) }()
	for target, want := range map[string]string{"/livez": "200 ok", "/readyz": "200 ok", "/metrics": "200 # HELP", "/": "404 404 page"} {
		conn, reader := dial(t, f)
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target)
		if got, _ := read(t, reader); !strings.HasPrefix(got, want) {
			t.Errorf("%s: want %s, got %.40s", target, want, got)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnAddressThatIsTaken(t *testing.T) {
	t.Parallel()
	f := serve(t, testLimits, http.NotFoundHandler())
	c := testLimits
	c.Listen = f.address().String()
	if _, err := openFront(t.Context(), c, http.NotFoundHandler(), newHealth(), slog.New(slog.DiscardHandler)); err == nil || !strings.HasPrefix(err.Error(), "listen: ") {
		t.Error(err)
	}
}
