package main_test

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// A topology is what docker-compose.yml starts, without Docker.
type topology struct {
	db       testkit.Database
	args     []string // of each replica
	replicas []*testkit.Server
	proxy    *nginx
}

// secretFile writes a secret to a file of its own.
func secretFile(t *testing.T, name, value string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(value+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	return file
}

// startTopology starts what docker-compose.yml does: two replicas at once on an empty PostgreSQL,
// with secrets from files, and Debian's nginx with deploy/nginx.conf before them.
func startTopology(t *testing.T) *topology {
	t.Helper()
	db := testkit.Empty(t, testkit.Postgres)
	testkit.Binary(t)
	top := &topology{db: db, replicas: make([]*testkit.Server, 2), args: []string{
		"--database-url-file", secretFile(t, "database-url", db.URL),
		"--secret-key-file", secretFile(t, "secret-key", base64.StdEncoding.EncodeToString(db.Key)),
		"--trusted-proxies", "127.0.0.1/32",
	}}
	started := make(chan bool)
	for i := range top.replicas {
		go func() {
			defer func() { started <- true }()
			top.replicas[i] = testkit.StartServer(t, db, nil, top.args...)
		}()
	}
	for range top.replicas {
		<-started
	}
	if t.Failed() {
		t.FailNow()
	}
	top.proxy = startProxy(t, top.replicas)
	return top
}

// startProxy starts nginx with deploy/nginx.conf, where only names of machines, and the folder for
// what it writes, are other ones.
func startProxy(t *testing.T, replicas []*testkit.Server) *nginx {
	t.Helper()
	dir := t.TempDir()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	text := delivered(t, "deploy/nginx.conf")
	replace := func(old, by string) {
		t.Helper()
		if !strings.Contains(text, old) {
			t.Fatalf("deploy/nginx.conf has no %q", old)
		}
		text = strings.ReplaceAll(text, old, by)
	}
	replace("listen 8080;", "listen "+address+";")
	replace("/tmp/", dir+"/")
	for i, replica := range replicas {
		replace(fmt.Sprintf("server rollcall-%d:8095 ", i+1), "server "+strings.TrimPrefix(replica.URL, "http://")+" ")
	}
	text = "daemon off;\n" + text
	if os.Getuid() == 0 {
		text = "user root;\n" + text // another user can't write to the test's folder
	}
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n := &nginx{address: address, dir: dir, ended: make(chan struct{})}
	n.cmd = exec.Command(nginxProgram(t), "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr")
	n.cmd.Stdout, n.cmd.Stderr = &n.output, &n.output
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = n.cmd.Wait()
		close(n.ended)
	}()
	t.Cleanup(func() {
		n.stop()
		if t.Failed() {
			t.Logf("nginx says:\n%s", n.output.String())
		}
	})
	n.untilItAnswers(t)
	return n
}

// from gives a client of the proxy at an address of its own. Nothing binds it to a replica: nginx
// asks them in turn, also for the requests of one connection.
func (top *topology) from(address string) *probe {
	p := newProbe("http://"+top.proxy.address, "probe", probePassword)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	p.client = &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1}, Timeout: time.Minute}
	return p
}

// answered tells how many requests a replica has answered with a status.
func answered(t *testing.T, replica *testkit.Server, code string) (n float64) {
	t.Helper()
	for line := range strings.Lines(manage(t, replica, "/metrics", 200)) {
		if strings.HasPrefix(line, "rollcall_http_requests_total{code=\""+code+"\"") {
			var value float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &value); err != nil {
				t.Fatal(err)
			}
			n += value
		}
	}
	return n
}

// clientsAddress is where requests come from: not where nginx sits, whom the replicas believe.
const clientsAddress = "127.0.0.2"

func TestTopology(t *testing.T) {
	t.Parallel()
	t.Run(testkit.Postgres, func(t *testing.T) {
		t.Parallel()
		top := startTopology(t)
		command := func(stdin string, args ...string) {
			t.Helper()
			testkit.Command{Env: top.db.Env(t), Stdin: stdin, Args: args}.Must(t)
		}
		command("", "directory", "create", "staff")
		command(probePassword+"\n", "app", "create", "probe", "--directory", "staff", "--permit", "all", "--address", clientsAddress, "--password-stdin")

		t.Run("the client's address counts, not the proxy's", func(t *testing.T) {
			top.from(clientsAddress).must(t, 404, "GET", named("/user", "username", "nobody"), nil)
			top.from("127.0.0.3").must(t, 403, "GET", named("/user", "username", "nobody"), nil)
		})
		t.Run("what is written through nginx is read through it", top.writesAreRead)
		t.Run("sessions belong to no replica", top.sessionsBelongToNone)
		t.Run("a replica that is killed loses what is in flight", top.killLosesWhatIsInFlight)
		doctorAgrees(t, top.db)
	})
}

func (top *topology) writesAreRead(t *testing.T) {
	const users = 60
	p := top.from(clientsAddress)
	for i := range users {
		p.must(t, 201, "POST", "/user", newUser(fmt.Sprintf("user-%d", i), "ada@x.test"))
	}
	for i := range users { // each is asked for twice: nginx asks both replicas in turn
		for range 2 {
			within(t, time.Second, "a new user is found", func() bool {
				mail, err := mailOf(p, fmt.Sprintf("user-%d", i))
				return err == nil && mail == "ada@x.test"
			})
		}
	}
	for i, replica := range top.replicas {
		if got, read := answered(t, replica, "201"), answered(t, replica, "200"); got < users/4 || read < users/4 {
			t.Errorf("replica %d answered %v writes and %v reads, want about half of all", i+1, got, read)
		}
	}
}

func (top *topology) sessionsBelongToNone(t *testing.T) {
	p := top.from(clientsAddress)
	direct := func(replica *testkit.Server) *probe {
		q := top.from(clientsAddress)
		q.base = strings.Replace(q.base, "http://"+top.proxy.address, replica.URL, 1)
		return q
	}
	session := newSession(t, p, "user-1")
	for range 10 {
		p.must(t, 200, "POST", session, map[string]any{})
	}
	for _, replica := range top.replicas { // whichever of them made it
		direct(replica).must(t, 200, "POST", session, map[string]any{})
	}
	p.must(t, 204, "DELETE", session, nil)
	for _, replica := range top.replicas {
		within(t, time.Second, "the session has ended", func() bool {
			got, err := direct(replica).call("POST", session, map[string]any{})
			return err == nil && got.status == 404
		})
	}
}

// killLosesWhatIsInFlight kills a replica while clients read and write through nginx, starts it
// again, and does the same to the other one. A client has one request on its way at a time, so
// each may lose one; nothing that was acknowledged is lost, and none fails that begins later.
func (top *topology) killLosesWhatIsInFlight(t *testing.T) {
	for i, replica := range top.replicas {
		var work sync.WaitGroup
		var stop atomic.Bool
		clients := make([]*client, 8)
		for n := range clients {
			clients[n] = &client{name: fmt.Sprintf("kill-%d-%d", i, n)}
			work.Go(func() { clients[n].run(top.from(clientsAddress), &stop) })
		}
		within(t, 30*time.Second, "every client works", func() bool {
			for _, c := range clients {
				if c.done.Load() < 10 {
					return false
				}
			}
			return true
		})
		replica.Kill()
		killed := time.Now()
		time.Sleep(3 * time.Second) // longer than nginx keeps away from it
		// It comes back where it was.
		address := strings.TrimPrefix(replica.URL, "http://")
		back := testkit.StartServer(t, top.db, []string{"ROLLCALL_LISTEN=" + address}, top.args...)
		time.Sleep(3 * time.Second)
		stop.Store(true)
		work.Wait()

		lost, total := 0, int64(0)
		var slowest time.Duration
		p := top.from(clientsAddress)
		for _, c := range clients {
			total += c.done.Load()
			slowest = max(slowest, c.slowest)
			lost += len(c.lost)
			if len(c.lost) > 1 {
				t.Errorf("%s lost more than what was in flight: %v", c.name, c.lost)
			}
			for _, l := range c.lost {
				// A moment for nginx to hear that the connection it keeps is gone.
				if l.began.After(killed.Add(100 * time.Millisecond)) {
					t.Errorf("%s: a request that began %v after the kill failed: %s", c.name, l.began.Sub(killed), l.what)
				}
			}
			for _, user := range c.acknowledged {
				p.must(t, 200, "GET", named("/user", "username", user), nil)
			}
		}
		if got := answered(t, back, "200"); got == 0 {
			t.Errorf("replica %d is back, and nginx doesn't ask it", i+1)
		}
		t.Logf("replica %d was killed: of %d requests %d were lost, the slowest took %v", i+1, total, lost, slowest)
	}
}

// A client creates users and reads them, one request after the other.
type client struct {
	name         string
	done         atomic.Int64
	acknowledged []string
	lost         []loss
	slowest      time.Duration
}

type loss struct {
	began time.Time
	what  string
}

// String says what was lost.
func (l loss) String() string { return l.began.Format("15:04:05.000 ") + l.what }

func (c *client) run(p *probe, stop *atomic.Bool) {
	for i := 0; !stop.Load(); i++ {
		user := fmt.Sprintf("%s-%d", c.name, i)
		if c.call(p, 201, "POST", "/user", map[string]any{"name": user, "first-name": "Ada", "last-name": "L", "email": "ada@x.test", "active": true}) {
			c.acknowledged = append(c.acknowledged, user)
		}
		c.call(p, 200, "GET", named("/user", "username", "user-1"), nil)
		time.Sleep(5 * time.Millisecond)
	}
}

func (c *client) call(p *probe, status int, method, path string, body any) bool {
	began := time.Now()
	got, err := p.call(method, path, body)
	c.slowest = max(c.slowest, time.Since(began))
	c.done.Add(1)
	if err != nil || got.status != status {
		c.lost = append(c.lost, loss{began, fmt.Sprintf("%s %s: %d %s %v", method, path, got.status, got.body, err)})
		return false
	}
	return true
}
