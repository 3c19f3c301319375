//go:build long

package main_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

const (
	largeUsers   = 100_000
	largeGroups  = 10_000
	largePerUser = 5 // groups of a user
	mostGrowth   = 16_000_000
)

// A client's full synchronisation of a large directory costs the real program a few megabytes, also
// when the client reads slowly: what it asks for is made as it is read.
//
// What it costs is the peak of the process's resident memory (VmHWM) above what the server had at
// rest: the roster serves, one ordinary request was answered, and the memory has stopped falling.
// No long answer came before that, so the first one's buffers count.
func TestLongAnswersTakeLittleMemory(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		newStaff(t, db)
		fillLarge(t, db)
		server := testkit.StartServer(t, db, nil)
		p := newProbe(server.URL, "probe", probePassword)
		within(t, time.Minute, "the roster serves", func() bool { return strings.Contains(server.Log(), "the roster serves") })
		p.must(t, 200, "GET", named("/user", "username", "user1000000"), nil)
		idle := restingMemory(t, server)
		t.Logf("at rest: %.1f MB", float64(idle)/1e6)

		const search = "/search?entity-type=user&max-results=-1&expand=user"
		for _, answer := range []struct {
			name, path, accept string
			read               func(io.Reader) (*largeAnswer, error)
			users, groups      int
		}{
			{"membership dump", "/group/membership", "application/xml", readXML, largeUsers * largePerUser, largeGroups},
			{"search, XML", search, "application/xml", readXML, largeUsers, 0},
			{"search, JSON", search, "application/json", readJSON, largeUsers, 0},
		} {
			t.Run(answer.name, func(t *testing.T) {
				forgetPeak(t, server)
				slow := ask(t, server, answer.path, answer.accept)
				got, err := answer.read(slow)
				if err != nil {
					t.Fatalf("after %d bytes: %v", slow.bytes, err)
				}
				if got.users != answer.users || got.groups != answer.groups {
					t.Errorf("want %d users and %d groups, got %d and %d", answer.users, answer.groups, got.users, got.groups)
				}
				grown := memory(t, server, "VmHWM") - idle
				t.Logf("%.1f MB more for %.1f MB; the first byte came after %v", float64(grown)/1e6, float64(slow.bytes)/1e6, slow.first)
				if grown > mostGrowth {
					t.Errorf("the server's memory grew by %.1f MB, want %.0f at most", float64(grown)/1e6, mostGrowth/1e6)
				}
			})
		}
	})
}

// fillLarge makes users and groups, and puts user u into the five groups from group 5u on; the
// last group is followed by the first.
func fillLarge(t *testing.T, db testkit.Database) {
	t.Helper()
	raw := db.Raw(t)
	defer raw.Close()
	numbers := func(n int) string {
		return fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) ", n)
	}
	for _, text := range []string{
		numbers(largeUsers) + `INSERT INTO users (id, directory_id, name, name_key, first_name, first_key, last_name, last_key, display_name, display_key,
			email, email_key, active, external_id, created_at, updated_at)
			SELECT i + 1, d.id, 'user' || (1000000 + i), 'user' || (1000000 + i), 'Ada', 'ada', 'Lovelace', 'lovelace', 'Ada Lovelace', 'ada lovelace',
			'user' || (1000000 + i) || '@x.test', 'user' || (1000000 + i) || '@x.test', true, 'u-' || i, 1700000000000, 1700000000000 FROM n, directories d`,
		numbers(largeGroups) + `INSERT INTO groups (id, directory_id, name, name_key, active, external_id, created_at, updated_at)
			SELECT i + 1, d.id, 'group' || (1000000 + i), 'group' || (1000000 + i), true, 'g-' || i, 1700000000000, 1700000000000 FROM n, directories d`,
		numbers(largeUsers*largePerUser) + fmt.Sprintf(`INSERT INTO memberships (group_id, user_id, directory_id)
			SELECT i %% %d + 1, i / %d + 1, d.id FROM n, directories d`, largeGroups, largePerUser),
		"ANALYZE",
	} {
		if _, err := raw.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
}

// memory gives a figure of /proc/PID/status in bytes.
func memory(t *testing.T, server *testkit.Server, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", server.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in %s", name, text)
	}
	kB, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return 1024 * kB
}

func forgetPeak(t *testing.T, server *testkit.Server) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", server.Pid()), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

// restingMemory waits until the resident memory has not fallen for three seconds.
func restingMemory(t *testing.T, server *testkit.Server) int {
	t.Helper()
	least, since := memory(t, server, "VmRSS"), time.Now()
	within(t, time.Minute, "the server's memory rests", func() bool {
		if now := memory(t, server, "VmRSS"); now < least {
			least, since = now, time.Now()
		}
		return time.Since(since) > 3*time.Second
	})
	return least
}

// A slowReader is a client that takes its time: it reads one byte and then nothing for two seconds,
// goes on in small pieces, and at full speed in the end.
type slowReader struct {
	t      *testing.T
	server *testkit.Server
	body   io.Reader
	first  time.Duration // until the first byte
	bytes  int
	pieces int
}

// ask sends a request and gives its answer after the first byte was read.
func ask(t *testing.T, server *testkit.Server, path, accept string) *slowReader {
	t.Helper()
	// What waits in the client's own buffers is read, as the server sees it. Let that be little.
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(32 << 10)
		}
		return conn, err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/crowd/rest/usermanagement/1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("probe", probePassword)
	req.Header.Set("Accept", accept)
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, resp.Status)
	}
	var first [1]byte
	if _, err := io.ReadFull(resp.Body, first[:]); err != nil {
		t.Fatal(err)
	}
	r := &slowReader{t: t, server: server, first: time.Since(began)}
	r.body = io.MultiReader(strings.NewReader(string(first[:])), resp.Body)
	return r
}

// Read reads a piece. The server has to be at work on the answer until the last slow one was read.
func (r *slowReader) Read(p []byte) (int, error) {
	const slowPieces = 200
	r.pieces++
	switch {
	case r.pieces == 1:
		time.Sleep(2 * time.Second)
		r.expectInFlight()
	case r.pieces < slowPieces:
		time.Sleep(5 * time.Millisecond)
	case r.pieces == slowPieces:
		r.expectInFlight()
	}
	n, err := r.body.Read(p)
	r.bytes += n
	return n, err
}

func (r *slowReader) expectInFlight() {
	r.t.Helper()
	if !strings.Contains(manage(r.t, r.server, "/metrics", 200), "\nrollcall_http_requests_in_flight 1\n") {
		r.t.Errorf("the server had done with the answer when %d bytes of it were read", r.bytes)
	}
}

// A largeAnswer checks what is in an answer, one thing after the other.
type largeAnswer struct {
	users, groups int
	group, user   string // the latest
}

func (a *largeAnswer) startGroup(name string) error {
	if name <= a.group {
		return fmt.Errorf("%s comes after %s", name, a.group)
	}
	a.groups, a.group, a.user = a.groups+1, name, ""
	return nil
}

func (a *largeAnswer) add(name string) error {
	if name <= a.user {
		return fmt.Errorf("%s comes after %s", name, a.user)
	}
	a.users, a.user = a.users+1, name
	if a.group == "" {
		return nil
	}
	var user, group int
	if _, err := fmt.Sscanf(a.group+" "+name, "group%d user%d", &group, &user); err != nil {
		return err
	}
	const base = 1_000_000
	if past := (group - base - (user-base)*largePerUser) % largeGroups; (past+largeGroups)%largeGroups >= largePerUser {
		return fmt.Errorf("%s is not in %s", name, a.group)
	}
	return nil
}

// readXML reads <membership group="…"> and <user name="…"> of either answer.
func readXML(r io.Reader) (*largeAnswer, error) {
	a := &largeAnswer{}
	d := xml.NewDecoder(r)
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return a, nil
		}
		if start, ok := token.(xml.StartElement); ok && err == nil {
			for _, attr := range start.Attr {
				switch start.Name.Local + " " + attr.Name.Local {
				case "membership group":
					err = a.startGroup(attr.Value)
				case "user name":
					err = a.add(attr.Value)
				}
			}
		}
		if err != nil {
			return a, err
		}
	}
}

// readJSON reads the users of a search.
func readJSON(r io.Reader) (*largeAnswer, error) {
	a := &largeAnswer{}
	d := json.NewDecoder(r)
	for { // up to the list
		token, err := d.Token()
		if err != nil {
			return a, err
		}
		if token == json.Delim('[') {
			break
		}
	}
	for d.More() {
		var user struct{ Name string }
		if err := d.Decode(&user); err != nil {
			return a, err
		}
		if err := a.add(user.Name); err != nil {
			return a, err
		}
	}
	for _, end := range []json.Delim{']', '}'} {
		if token, err := d.Token(); err != nil || token != end {
			return a, fmt.Errorf("want %v at the end, got %v, %w", end, token, err)
		}
	}
	return a, nil
}
