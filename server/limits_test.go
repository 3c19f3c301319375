package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// testLimits are settings with short times.
var testLimits = Config{
	Listen: "127.0.0.1:0", ManagementListen: "127.0.0.1:0",
	MaxHeader: 8 * KiB, MaxBody: 100 * KiB,
	ReadHeaderTimeout: time.Second, ReadTimeout: 500 * time.Millisecond, WriteStall: 500 * time.Millisecond,
	IdleTimeout: 10 * time.Second, ShutdownTimeout: 10 * time.Second,
}

// serve runs a front for the time of the test.
func serve(t *testing.T, c Config, h http.Handler) *front {
	t.Helper()
	f, err := openFront(t.Context(), c, h, newHealth(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return f
}

// echoBody answers with the size of the body, or with how reading it failed.
func echoBody(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		http.Error(w, fmt.Sprintf("more than %d", tooLarge.Limit), http.StatusRequestEntityTooLarge)
		return
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(w, "too slow", http.StatusRequestTimeout)
	case errors.Is(err, io.ErrUnexpectedEOF):
		http.Error(w, "half a body", http.StatusBadRequest)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		fmt.Fprint(w, n)
	}
}

// dial opens a connection that gives up after ten seconds.
func dial(t *testing.T, f *front) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", f.address().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn, bufio.NewReader(conn)
}

// read gives status and body of the next answer.
func read(t *testing.T, from *bufio.Reader) (string, *http.Response) {
	t.Helper()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(response.StatusCode, " ", strings.TrimSpace(string(body))), response
}

func TestBodies(t *testing.T) {
	t.Parallel()
	f := serve(t, testLimits, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" { // answered without a look at the body
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		echoBody(w, r)
	}))
	const most, ten = 100 << 10, 10 << 20
	chunk := func(n int) string { return fmt.Sprintf("%x\r\n%s\r\n", n, strings.Repeat("x", n)) }
	for _, test := range []struct {
		name string
		path string
		head string
		body string
		want string
		kept bool // the connection goes on
	}{
		{name: "none", head: "Content-Length: 0", want: "200 0", kept: true},
		{name: "as large as may be", head: fmt.Sprint("Content-Length: ", most), body: strings.Repeat("x", most), want: "200 102400", kept: true},
		{name: "in chunks", head: "Transfer-Encoding: chunked", body: chunk(most/2) + chunk(most/2) + "0\r\n\r\n", want: "200 102400", kept: true},
		{name: "one byte more", head: fmt.Sprint("Content-Length: ", most+1), body: strings.Repeat("x", most+1), want: "413 more than 102400", kept: true},
		{name: "one byte more in chunks", head: "Transfer-Encoding: chunked", body: chunk(most) + chunk(1) + "0\r\n\r\n", want: "413 more than 102400", kept: true},
		{name: "ten megabytes", head: fmt.Sprint("Content-Length: ", ten), body: strings.Repeat("x", ten), want: "413 more than 102400", kept: true},
		{name: "ten megabytes in chunks", head: "Transfer-Encoding: chunked", body: strings.Repeat(chunk(1<<20), 10) + "0\r\n\r\n", want: "413 more than 102400", kept: true},
		{name: "ten megabytes from a stranger", path: "/refused", head: fmt.Sprint("Content-Length: ", ten), body: strings.Repeat("x", ten), want: "401 who are you?", kept: true},
		{name: "half a body, then silence", head: "Content-Length: 100", body: "half", want: "408 too slow"},
		{name: "announced and not sent", head: fmt.Sprintf("Content-Length: %d\r\nExpect: 100-continue", ten), want: "413 more than 102400"},
		{name: "announced by a stranger and not sent", path: "/refused", head: "Content-Length: 100\r\nExpect: 100-continue", want: "401 who are you?"},
		{name: "a header that is too large", head: "X: " + strings.Repeat("x", 20<<10), want: "431 431 Request Header Fields Too Large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn, reader := dial(t, f)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", "/"+strings.TrimPrefix(test.path, "/"), test.head)
			if _, err := io.WriteString(conn, test.body); err != nil {
				t.Fatal("the client can't send its body to the end:", err)
			}
			start := time.Now()
			got, response := read(t, reader)
			if got != test.want || response.Close == test.kept {
				t.Errorf("want %s (kept %v), got %s (kept %v)", test.want, test.kept, got, !response.Close)
			}
			if !test.kept && !strings.HasPrefix(test.want, "408") && time.Since(start) > 400*time.Millisecond {
				t.Errorf("the answer waits %v for the body", time.Since(start))
			}
			if !test.kept {
				return
			}
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
			if got, _ := read(t, reader); got != "200 2" {
				t.Errorf("the next request on the connection: %s", got)
			}
		})
	}
	t.Run("half a body, then the end", func(t *testing.T) {
		t.Parallel()
		conn, reader := dial(t, f)
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
		_ = conn.(*net.TCPConn).CloseWrite()
		if got, _ := read(t, reader); got != "400 half a body" {
			t.Error(got)
		}
	})
}

func TestHeadersThatNeverEnd(t *testing.T) {
	t.Parallel()
	f := serve(t, testLimits, http.NotFoundHandler())
	conn, reader := dial(t, f)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	start := time.Now()
	_, err := io.ReadAll(reader)
	if took := time.Since(start); err != nil || took > 5*time.Second {
		t.Error("not cut off:", err, took)
	}
}

// A long answer to a client that keeps reading goes on, however long it takes; neither the time
// for the request's body nor the one for a piece of the answer ends it.
func TestALongAnswerGoesOn(t *testing.T) {
	t.Parallel()
	for name, withHTTP2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := tlsConfig(t, testLimits, time.Now().Add(time.Hour))
			c.HTTP2 = withHTTP2
			f := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				for range 6 {
					time.Sleep(100 * time.Millisecond)
					fmt.Fprintln(w, "a line")
					if err := http.NewResponseController(w).Flush(); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(2 * testLimits.WriteStall) // nothing to say isn't the client's fault
				fmt.Fprint(w, r.Context().Err())
			}))
			client := clientOf(f, withHTTP2)
			defer client.CloseIdleConnections()
			response, err := client.Post("https://"+f.address().String(), "text/plain", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if want := strings.Repeat("a line\n", 6) + "<nil>"; err != nil || string(body) != want {
				t.Errorf("want %q, got %q, %v", want, body, err)
			}
		})
	}
}

// A client that stops reading holds a handler for the time of one stall, not for ever.
func TestAStalledClientIsCutOff(t *testing.T) {
	t.Parallel()
	for name, withHTTP2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := make(chan error, 1)
			c := tlsConfig(t, testLimits, time.Now().Add(time.Hour))
			c.HTTP2 = withHTTP2
			f := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				row := []byte(strings.Repeat("x", 300_000))
				for range 1000 {
					if _, err := w.Write(row); err != nil {
						failed <- err
						return
					}
				}
				failed <- nil
			}))
			client := clientOf(f, withHTTP2)
			defer client.CloseIdleConnections()
			start := time.Now()
			response, err := client.Get("https://" + f.address().String())
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			select {
			case err := <-failed:
				if took := time.Since(start); err == nil || took < 300*time.Millisecond {
					t.Errorf("%v after %v", err, took)
				}
			case <-time.After(10 * time.Second):
				t.Error("still writing")
			}
		})
	}
}

// After a pause longer than the stall, a kept connection still gets an answer without a body.
func TestAKeptConnectionAfterAPause(t *testing.T) {
	t.Parallel()
	c := testLimits
	c.WriteStall = 100 * time.Millisecond
	f := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			time.Sleep(2 * c.WriteStall)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	conn, reader := dial(t, f)
	for _, path := range []string{"/", "/slow", "/"} {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		if got, _ := read(t, reader); got != "204 " {
			t.Error(got)
		}
		time.Sleep(2 * c.WriteStall)
	}
}
