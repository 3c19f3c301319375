package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Clients that keep their connections see a whole answer to each request, or a new connection
// refused; never a cut or reset one, while the server stops in the middle of their work.
func TestStopLosesNoRequest(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		newStaff(t, db)
		server := testkit.StartServer(t, db, []string{"ROLLCALL_DRAIN_TIME=1500ms"})
		address := strings.TrimPrefix(server.URL, "http://")

		var group sync.WaitGroup
		var hammers []*hammer
		for i, pause := range []time.Duration{0, 0, 0, 0, time.Millisecond, 20 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
			h := &hammer{name: fmt.Sprintf("hammer-%d", i), pause: pause}
			hammers = append(hammers, h)
			group.Go(func() { h.run(address) })
		}
		within(t, 30*time.Second, "an answer on each connection", func() bool {
			for _, h := range hammers {
				if h.answers.Load() == 0 {
					return false
				}
			}
			return true
		})
		slow := startSlowRequest(t, address, "slow")
		stopped := make(chan int)
		go func() {
			code, _ := server.Stop(t)
			stopped <- code
		}()
		within(t, 10*time.Second, "/readyz says no while the server drains", func() bool { return !server.Ready(t.Context()) })
		time.Sleep(2 * time.Second) // the drain time is over, and the request is still half there
		slow.finish(t)
		group.Wait()
		if code := <-stopped; code != 0 {
			t.Errorf("exit code %d, want 0:\n%s", code, server.Log())
		}

		server = testkit.StartServer(t, db, nil)
		p := newProbe(server.URL, "probe", probePassword)
		p.must(t, 200, "GET", named("/user", "username", "slow"), nil)
		answers := 0
		for _, h := range hammers {
			if h.problem != nil {
				t.Errorf("%s, after %d answers: %v", h.name, h.answers.Load(), h.problem)
			}
			if h.told == 0 {
				t.Errorf("%s was never told to close its connection, in %d answers", h.name, h.answers.Load())
			}
			for i := range h.answers.Load() {
				p.must(t, 200, "GET", named("/user", "username", fmt.Sprintf("%s-%d", h.name, i)), nil)
				answers++
			}
		}
		t.Logf("%d requests were answered before, during and after SIGTERM on %s", answers, db.Kind)
	})
}

// A hammer creates users over one connection after the other, each when the one before was
// answered, until a new connection is refused.
type hammer struct {
	name    string
	pause   time.Duration // after each answer; the connection is idle then
	answers atomic.Int64
	told    int   // answers that said "Connection: close"
	problem error // of a request on a connection that was opened
}

func (h *hammer) run(address string) {
	for h.problem == nil {
		conn, err := net.DialTimeout("tcp", address, 10*time.Second)
		if err != nil {
			return
		}
		h.problem = h.use(conn)
		conn.Close()
	}
}

// use sends requests until it is told to close the connection.
func (h *hammer) use(conn net.Conn) error {
	answers := bufio.NewReader(conn)
	for {
		body, err := json.Marshal(newUser(fmt.Sprintf("%s-%d", h.name, h.answers.Load()), "ada@x.test"))
		if err != nil {
			return err
		}
		if err := creation(string(body)).Write(conn); err != nil {
			return fmt.Errorf("send: %w", err)
		}
		last, err := created(conn, answers)
		if err != nil {
			return err
		}
		h.answers.Add(1)
		if last {
			h.told++
			return nil
		}
		time.Sleep(h.pause)
	}
}

// creation is the request that creates the user in body.
func creation(body string) *http.Request {
	req, err := http.NewRequest("POST", "http://rollcall.test/crowd/rest/usermanagement/1/user", strings.NewReader(body))
	if err != nil {
		panic(err) // it is always the same one
	}
	req.SetBasicAuth("probe", probePassword)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	return req
}

// created reads the answer to a creation, and tells whether it is the connection's last.
func created(conn net.Conn, answers *bufio.Reader) (last bool, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return false, fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, fmt.Errorf("half an answer, %q: %w", body, err)
	}
	if resp.StatusCode != http.StatusCreated || !json.Valid(body) {
		return false, fmt.Errorf("%s %s", resp.Status, body)
	}
	return resp.Close, nil
}

// A slowRequest has reached the server, but for the end of its body.
type slowRequest struct {
	conn net.Conn
	rest string
}

func startSlowRequest(t *testing.T, address, name string) slowRequest {
	t.Helper()
	body, err := json.Marshal(newUser(name, "ada@x.test"))
	if err != nil {
		t.Fatal(err)
	}
	var whole strings.Builder
	if err := creation(string(body)).Write(&whole); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	sent := whole.Len() - len(body)/2
	if _, err := io.WriteString(conn, whole.String()[:sent]); err != nil {
		t.Fatal(err)
	}
	return slowRequest{conn, whole.String()[sent:]}
}

// finish sends the rest, and expects the answer.
func (s slowRequest) finish(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(s.conn, s.rest); err != nil {
		t.Errorf("the end of a request that was half sent when the stop began: %v", err)
		return
	}
	last, err := created(s.conn, bufio.NewReader(s.conn))
	if err != nil || !last {
		t.Errorf("a request that was half sent when the stop began: last %v, %v", last, err)
	}
}
