package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// When the disk of a SQLite database is full, the server refuses a write as a whole and goes on
// reading; when there is room again, it writes. SQLite tells a disk without space (SQLITE_FULL)
// from a file that may not grow, as under a quota (an I/O error).
func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run(testkit.SQLite, func(t *testing.T) {
		t.Parallel()
		t.Run("no space left", func(t *testing.T) {
			t.Parallel()
			dir := smallDisk(t)
			db := testkit.NewSQLite(t)
			moved := filepath.Join(dir, "rollcall.db")
			if text, err := os.ReadFile(db.Path()); err != nil || os.WriteFile(moved, text, 0o600) != nil {
				t.Fatalf("move the database to %s: %v", moved, err)
			}
			db.URL = "sqlite:" + moved
			ballast := filepath.Join(dir, "ballast")
			goesFull(t, db, testkit.StartServer(t, db, nil),
				func() { fill(t, ballast) },
				func() {
					if err := os.Remove(ballast); err != nil {
						t.Fatal(err)
					}
				})
		})
		t.Run("file too large", func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("prlimit"); err != nil {
				t.Skipf("a process can't be limited from outside here: %v", err)
			}
			db := testkit.NewSQLite(t)
			server := testkit.StartServer(t, db, nil)
			limit := func(size string) {
				t.Helper()
				if out, err := exec.Command("prlimit", "--pid", strconv.Itoa(server.Pid()), "--fsize="+size+":unlimited").CombinedOutput(); err != nil {
					t.Fatalf("prlimit: %v\n%s", err, out)
				}
			}
			goesFull(t, db, server,
				func() {
					log, err := os.Stat(db.Path() + "-wal")
					if err != nil {
						t.Fatal(err)
					}
					limit(strconv.FormatInt(log.Size()+64<<10, 10))
				},
				func() { limit("unlimited") })
		})
	})
}

// goesFull works before, while and after there is no room.
func goesFull(t *testing.T, db testkit.Database, server *testkit.Server, fill, free func()) {
	newStaff(t, db)
	p := newProbe(server.URL, "probe", probePassword)
	p.must(t, 201, "POST", "/user", newUser("ada", "ada@x.test"))
	p.must(t, 201, "POST", "/user", newUser("grace", "grace@x.test"))
	p.must(t, 201, "POST", "/group", map[string]any{"name": "team"})
	p.must(t, 201, "POST", named("/group/user/direct", "groupname", "team"), map[string]any{"name": "ada"})
	var session struct{ Token string }
	decode(t, p.must(t, 201, "POST", "/session", map[string]string{"username": "ada", "password": "difference"}), &session)

	fill()
	colour := map[string]any{"attributes": []any{map[string]any{"name": "colour", "values": []string{"red"}}}}
	user := func(i int) map[string]any {
		u := newUser(fmt.Sprintf("user-%d", i), "user@x.test")
		u["attributes"] = colour
		return u
	}
	written := untilRefused(t, p, func(i int) (method, path string, body any) { return "POST", "/user", user(i) })
	// A smaller write may still fit where that one did not.
	untilRefused(t, p, func(i int) (method, path string, body any) {
		return "POST", named("/user/attribute", "username", "ada"), map[string]any{"attributes": []any{
			map[string]any{"name": "size", "values": []string{strconv.Itoa(i)}}}}
	})

	xml := newProbe(server.URL, "probe", probePassword)
	xml.accept = "application/xml"
	for _, p := range []*probe{p, xml} {
		unavailable(t, p, "POST", "/user", user(written))
		unavailable(t, p, "DELETE", named("/user", "username", "ada"), nil)
		unavailable(t, p, "PUT", named("/user/password", "username", "ada"), map[string]string{"value": "engine"})
		unavailable(t, p, "POST", "/group", map[string]any{"name": "another"})
		unavailable(t, p, "DELETE", named("/group/user/direct", "groupname", "team")+"&username=ada", nil)
		unavailable(t, p, "POST", "/session", map[string]any{"username": "ada", "password": "difference",
			"validation-factors": map[string]any{"validationFactors": []any{map[string]string{"name": "remote_address", "value": "10.0.0.7"}}}})
	}

	stillThere := func() {
		t.Helper()
		for i := range written {
			p.must(t, 200, "GET", named("/user", "username", fmt.Sprintf("user-%d", i)), nil)
		}
		p.must(t, 404, "GET", named("/user", "username", fmt.Sprintf("user-%d", written)), nil)
		p.must(t, 404, "GET", named("/group", "groupname", "another"), nil)
		p.must(t, 200, "GET", named("/group/user/direct", "groupname", "team")+"&username=ada", nil)
		p.must(t, 200, "POST", named("/authentication", "username", "ada"), map[string]string{"value": "difference"})
		p.must(t, 400, "POST", named("/authentication", "username", "ada"), map[string]string{"value": "engine"})
		p.must(t, 200, "POST", "/session/"+session.Token, map[string]any{})
		manage(t, server, "/livez", 200)
	}
	stillThere()
	p.must(t, 200, "POST", named("/authentication", "username", "grace"), map[string]string{"value": "difference"})

	free()
	stillThere()
	p.must(t, 201, "POST", "/user", user(written))
	p.must(t, 204, "DELETE", named("/group/user/direct", "groupname", "team")+"&username=ada", nil)
	p.must(t, 204, "PUT", named("/user/password", "username", "ada"), map[string]string{"value": "engine"})
	within(t, 15*time.Second, "the login of the meantime is noted", func() bool {
		return strings.Contains(p.must(t, 200, "GET", named("/user/attribute", "username", "grace"), nil), "lastAuthenticated")
	})
	doctorAgrees(t, db)
}

// untilRefused writes until that is refused, and tells how many were done: the log has some room
// that was taken before.
func untilRefused(t *testing.T, p *probe, write func(i int) (method, path string, body any)) int {
	t.Helper()
	for i := range 5000 {
		method, path, body := write(i)
		got, err := p.call(method, path, body)
		switch {
		case err != nil:
			t.Fatalf("%s %s: %v", method, path, err)
		case got.status == 503:
			return i
		case got.status >= 300:
			t.Fatalf("%s %s: want that it is done or 503, got %d %s", method, path, got.status, got.body)
		}
	}
	t.Fatal("the disk is not full after 5000 writes")
	return 0
}

// smallDisk mounts a file system of 16 MiB in memory. Only root may, as CI does.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "rollcall-test", dir).CombinedOutput()
	if err != nil {
		t.Skipf("a small file system can't be mounted here: %v: %s", err, strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount %s: %v\n%s", dir, err, out)
		}
	})
	return dir
}

// fill takes all the room that there is.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for page := make([]byte, os.Getpagesize()); err == nil; {
		_, err = f.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
}
