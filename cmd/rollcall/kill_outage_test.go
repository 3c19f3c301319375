package main_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// unavailable checks that a call is refused as Crowd's API refuses what it can't do now: 503, when
// to try again, the version header that clients look for first, and an Error entity in the
// caller's format.
func unavailable(t *testing.T, p *probe, method, path string, body any) {
	t.Helper()
	began := time.Now()
	got, err := p.call(method, path, body)
	if err != nil {
		t.Errorf("%s %s: want an answer, got %v", method, path, err)
		return
	}
	if got.status != http.StatusServiceUnavailable {
		t.Errorf("%s %s: want 503, got %d %s", method, path, got.status, got.body)
		return
	}
	if seconds, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || seconds < 1 {
		t.Errorf("%s %s: want seconds in Retry-After, got %q", method, path, got.header.Get("Retry-After"))
	}
	if got.header.Get("X-Embedded-Crowd-Version") == "" {
		t.Errorf("%s %s: no X-Embedded-Crowd-Version", method, path)
	}
	format, start := "application/json", `{"reason":"OPERATION_FAILED","message":"`
	if p.accept == "application/xml" {
		format, start = p.accept, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><error><reason>OPERATION_FAILED</reason><message>`
	}
	if !strings.HasPrefix(got.header.Get("Content-Type"), format) || !strings.HasPrefix(got.body, start) {
		t.Errorf("%s %s: want an error in %s, got %s %s", method, path, format, got.header.Get("Content-Type"), got.body)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("%s %s: the answer took %v", method, path, took)
	}
}

func TestDatabaseGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	t.Run(testkit.Postgres, func(t *testing.T) {
		t.Parallel()
		postgres := startPostgres(t)
		db := testkit.Database{Kind: testkit.Postgres, URL: postgres.url, Key: make([]byte, 32)}
		server := testkit.StartServer(t, db, nil) // makes the schema
		newStaff(t, db)
		testkit.Command{Env: db.Env(t), Stdin: probePassword + "\n", Args: []string{"app", "create", "stranger",
			"--directory", "staff", "--address", "127.0.0.1/32", "--password-stdin"}}.Must(t)
		p := newProbe(server.URL, "probe", probePassword)
		p.must(t, 201, "POST", "/user", newUser("ada", "ada@x.test"))

		for name, stop := range map[string]func(*testing.T){"shut down": postgres.shutDown, "killed": postgres.kill} {
			t.Run(name, func(t *testing.T) {
				work := keepWorking(server.URL, strings.ReplaceAll(name, " ", "-"))
				within(t, 30*time.Second, "some writes", func() bool { return work.count() > 10 })
				stop(t)
				within(t, 15*time.Second, "/readyz says no", func() bool { return !server.Ready(t.Context()) })
				work.end()

				xml := newProbe(server.URL, "probe", probePassword)
				xml.accept = "application/xml"
				// What the roster knows is answered for half a minute more.
				for _, p := range []*probe{p, xml, newProbe(server.URL, "stranger", probePassword)} {
					p.must(t, 200, "GET", named("/user", "username", "ada"), nil)
				}
				for _, p := range []*probe{p, xml, newProbe(server.URL, "stranger", probePassword)} {
					unavailable(t, p, "GET", named("/user", "username", "nobody"), nil)
					unavailable(t, p, "POST", named("/authentication", "username", "ada"), map[string]string{"value": "difference"})
				}
				unavailable(t, p, "POST", "/user", newUser("eve", "eve@x.test"))
				unavailable(t, p, "POST", "/session", map[string]string{"username": "ada", "password": "difference"})
				if body := manage(t, server, "/readyz?verbose", 503); !strings.Contains(body, "database") {
					t.Errorf("/readyz?verbose does not name the database:\n%s", body)
				}
				manage(t, server, "/livez", 200) // a restart would not help
				if name == "killed" {
					within(t, time.Minute, "old news is no longer told", func() bool {
						got, err := p.call("GET", named("/user", "username", "ada"), nil)
						return err == nil && got.status == http.StatusServiceUnavailable
					})
					unavailable(t, xml, "GET", named("/user", "username", "ada"), nil)
				}

				postgres.start(t)
				within(t, 30*time.Second, "the server is ready again, without a restart", func() bool { return server.Ready(t.Context()) })
				for _, p := range []*probe{p, xml, newProbe(server.URL, "stranger", probePassword)} {
					p.must(t, 200, "GET", named("/user", "username", "ada"), nil)
					p.must(t, 200, "POST", named("/authentication", "username", "ada"), map[string]string{"value": "difference"})
				}
				p.must(t, 404, "GET", named("/user", "username", "eve"), nil)
				p.must(t, 201, "POST", "/user", newUser("eve", "eve@x.test"))
				p.must(t, 204, "DELETE", named("/user", "username", "eve"), nil)
				p.must(t, 201, "POST", "/session", map[string]string{"username": "ada", "password": "difference"})
				for _, user := range work.acknowledged {
					p.must(t, 200, "GET", named("/user", "username", user), nil)
				}
				for _, odd := range work.odd {
					t.Errorf("while the database went away: %s", odd)
				}
				doctorAgrees(t, db)
			})
		}
	})
}

func manage(t *testing.T, server *testkit.Server, path string, status int) string {
	t.Helper()
	resp, err := http.Get(server.Management + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		t.Errorf("%s: want %d, got %s %v\n%s", path, status, resp.Status, err, body)
	}
	return string(body)
}

// A workload creates and reads users over several connections until it is ended.
type workload struct {
	ended atomic.Bool
	group sync.WaitGroup

	mu           sync.Mutex
	acknowledged []string
	odd          []string // answers that were neither the right one nor 503
}

func keepWorking(server, name string) *workload {
	w := &workload{}
	for writer := range 8 {
		w.group.Go(func() {
			p := newProbe(server, "probe", probePassword)
			for i := 0; !w.ended.Load(); i++ {
				user := fmt.Sprintf("%s-%d-%d", name, writer, i)
				if w.call(p, 201, "POST", "/user", newUser(user, "ada@x.test")) {
					w.mu.Lock()
					w.acknowledged = append(w.acknowledged, user)
					w.mu.Unlock()
				}
				w.call(p, 200, "GET", named("/user", "username", "ada"), nil)
			}
		})
	}
	return w
}

// call tells whether the answer has the status.
func (w *workload) call(p *probe, status int, method, path string, body any) bool {
	got, err := p.call(method, path, body)
	if err != nil || got.status != status && got.status != http.StatusServiceUnavailable {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.odd = append(w.odd, fmt.Sprintf("%s %s: %d %s %v", method, path, got.status, got.body, err))
	}
	return err == nil && got.status == status
}

func (w *workload) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acknowledged)
}

func (w *workload) end() {
	w.ended.Store(true)
	w.group.Wait()
}

// A postgres is a server of one test's own, which may come and go.
type postgres struct {
	url     string
	address string
	data    string              // its folder
	line    []string            // how it is started
	user    *syscall.Credential // as whom; nil: as us
}

// startPostgres starts one by scripts/postgres.sh, also where the other tests have another's.
func startPostgres(t *testing.T) *postgres {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("..", "..", "scripts", "postgres.sh"))
	if err != nil {
		t.Fatal(err)
	}
	above, err := os.MkdirTemp("", "rollcall-outage-") // not t.TempDir: the server's user has to get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(above) })
	if err := os.Chmod(above, 0o711); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(above, "postgres")
	start := exec.Command(script, "start", dir, strconv.Itoa(os.Getpid()))
	start.Env = append(os.Environ(), "ROLLCALL_TEST_POSTGRES=") // that one is not ours to stop
	var stderr strings.Builder
	start.Stderr = &stderr
	out, err := start.Output()
	if err != nil {
		t.Fatalf("scripts/postgres.sh start: %v\n%s", err, stderr.String())
	}
	t.Cleanup(func() {
		if out, err := exec.Command(script, "stop", dir).CombinedOutput(); err != nil {
			t.Errorf("scripts/postgres.sh stop: %v\n%s", err, out)
		}
	})
	u, err := url.Parse(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	// The tests' servers don't wait for the disk. Here what is acknowledged has to outlive one.
	u.RawQuery += "&synchronous_commit=on"
	p := &postgres{url: u.String(), address: u.Host, data: filepath.Join(dir, "data")}
	p.line = p.startedAs(t)
	info, err := os.Stat(p.data)
	if err != nil {
		t.Fatal(err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Getuid() == 0 {
		p.user = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
	return p
}

// startedAs gives the words of the command line that the server keeps of its own start, each in
// quotes but the first.
func (p *postgres) startedAs(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.data, "postmaster.opts"))
	if err != nil {
		t.Fatal(err)
	}
	program, rest, _ := strings.Cut(strings.TrimSpace(string(text)), ` "`)
	return append([]string{program}, strings.Split(strings.TrimSuffix(rest, `"`), `" "`)...)
}

// shutDown ends the server as an operator does who waits for nobody, and returns when it is gone.
func (p *postgres) shutDown(t *testing.T) {
	t.Helper()
	p.signal(t, p.postmaster(t), syscall.SIGINT)
	within(t, 30*time.Second, "PostgreSQL has shut down", func() bool {
		_, err := os.Stat(p.pidFile())
		return errors.Is(err, os.ErrNotExist)
	})
}

// kill ends the server as a power cut does: no process of it says goodbye, or lives on to serve
// one more connection.
func (p *postgres) kill(t *testing.T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	postmaster := p.postmaster(t)
	p.signal(t, postmaster, syscall.SIGSTOP)
	time.Sleep(100 * time.Millisecond) // what it has just started appears in the list
	rows, err := conn.Query(t.Context(), "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
	if err != nil {
		t.Fatal(err)
	}
	backends, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(backends) < 2 {
		t.Fatalf("find the processes of PostgreSQL: %v %v", backends, err)
	}
	for _, pid := range append(backends, postmaster) {
		p.signal(t, pid, syscall.SIGKILL)
	}
	within(t, 30*time.Second, "PostgreSQL is gone", func() bool {
		conn, err := net.Dial("tcp", p.address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if err := os.Remove(p.pidFile()); err != nil { // its number may be of a process that nobody waits for
		t.Fatal(err)
	}
}

func (p *postgres) pidFile() string { return filepath.Join(p.data, "postmaster.pid") }

func (p *postgres) postmaster(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(p.pidFile())
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func (p *postgres) signal(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatalf("%v to PostgreSQL's process %d: %v", signal, pid, err)
	}
}

// start starts the server again, at the same address with the same data.
func (p *postgres) start(t *testing.T) {
	t.Helper()
	cmd := exec.Command(p.line[0], p.line[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.user}
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("start PostgreSQL again: %v", err)
	}
	ended := make(chan struct{}) // by scripts/postgres.sh, or at once
	go func() { _ = cmd.Wait(); close(ended) }()
	within(t, 30*time.Second, "PostgreSQL is back", func() bool {
		select {
		case <-ended:
			t.Fatalf("PostgreSQL did not start again:\n%s", said.String())
		default:
		}
		conn, err := pgx.Connect(t.Context(), p.url)
		if err == nil {
			_ = conn.Close(t.Context())
		}
		return err == nil
	})
}
