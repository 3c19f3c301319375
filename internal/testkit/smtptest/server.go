// Package smtptest gives tests a real mail server: Debian's Exim with a configuration of its
// own, on free ports of 127.0.0.1, which puts all mail for example.test into one folder.
//
//	nobody@example.test     is refused for good: 550
//	full@example.test       is refused for now: 451
//	refused@example.test    may not send: 550 to MAIL FROM
//	a subject with SPAM     is refused once the letter was seen: 550
//	anybody elsewhere       is refused: 550, no relaying
//
// It takes the password "sesame" of "rollcall". Exim's daemon belongs to root: other users'
// tests are skipped, those of CI are not.
package smtptest

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The account that the server knows.
const (
	User     = "rollcall"
	Password = "sesame"
)

//go:embed exim.conf
var configuration string

// A Server is a running Exim.
type Server struct {
	Port    int    // plain, with STARTTLS
	TLSPort int    // TLS from the first byte
	CAFile  string // PEM of who signed its certificate, which is for localhost and 127.0.0.1

	dir, exim string
	cmd       *exec.Cmd
}

// Options say how the server differs from an ordinary one.
type Options struct {
	WithoutSTARTTLS bool
}

// Start starts a server. It stops when the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("Exim's daemon has to be started by root: this test runs in CI and in containers")
	}
	s := &Server{exim: find(t)}
	var err error
	if s.dir, err = os.MkdirTemp("", "rollcall-exim-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			logs, _ := filepath.Glob(filepath.Join(s.dir, "log", "*log"))
			for _, log := range logs {
				text, _ := os.ReadFile(log)
				t.Logf("%s:\n%s", log, text)
			}
		}
		_ = os.RemoveAll(s.dir) // Exim's last child may still write there
	})
	s.furnish(t, o)
	s.Resume(t)
	return s
}

var path = sync.OnceValues(func() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(file), "..", "..", "..", "scripts", "exim.sh")
	cmd := exec.Command(script, "find")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("this test needs Exim (Debian: exim4-daemon-light): %w\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
})

func find(t testing.TB) string {
	t.Helper()
	exim, err := path()
	if err != nil {
		t.Fatal(err)
	}
	return exim
}

// furnish makes the server's folders, certificate and configuration. Exim gives root's rights
// up for its own user, to whom the folders belong.
func (s *Server) furnish(t testing.TB, o Options) {
	t.Helper()
	owner, group := eximUser(t, s.exim)
	s.Port, s.TLSPort = freePort(t), freePort(t)
	s.CAFile = filepath.Join(s.dir, "ca.pem")
	writeCertificates(t, s.dir)
	for _, folder := range []string{"spool", "log", "mail"} {
		must(t, os.Mkdir(filepath.Join(s.dir, folder), 0o750))
		must(t, os.Chown(filepath.Join(s.dir, folder), owner, group))
	}
	must(t, os.Chmod(s.dir, 0o711))
	must(t, os.Chown(filepath.Join(s.dir, "key.pem"), owner, group))
	starttls := "*"
	if o.WithoutSTARTTLS {
		starttls = ""
	}
	text := strings.NewReplacer("{exim}", s.exim, "{dir}", s.dir, "{port}", strconv.Itoa(s.Port), "{tlsport}", strconv.Itoa(s.TLSPort),
		"{starttls}", starttls, "{user}", strconv.Itoa(owner), "{group}", strconv.Itoa(group)).Replace(configuration)
	must(t, os.WriteFile(filepath.Join(s.dir, "exim.conf"), []byte(text), 0o644))
}

// eximUser asks Exim for its own user: distributions differ.
func eximUser(t testing.TB, exim string) (uid, gid int) {
	t.Helper()
	out, err := exec.Command(exim, "-C", "/dev/null", "-bP", "exim_user", "exim_group").Output()
	must(t, err)
	lookup := func(setting string, find func(name string) (string, error)) int {
		for line := range strings.Lines(string(out)) {
			if key, name, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && key == setting {
				id, err := find(name)
				must(t, err)
				n, err := strconv.Atoi(id)
				must(t, err)
				return n
			}
		}
		t.Fatalf("exim doesn't tell its %s: %s", setting, out)
		return 0
	}
	return lookup("exim_user", func(name string) (string, error) {
			u, err := user.Lookup(name)
			if err != nil {
				return "", err
			}
			return u.Uid, nil
		}), lookup("exim_group", func(name string) (string, error) {
			g, err := user.LookupGroup(name)
			if err != nil {
				return "", err
			}
			return g.Gid, nil
		})
}

// Resume starts the server, on the same ports, after Stop.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command(s.exim, "-C", filepath.Join(s.dir, "exim.conf"), "-bdf")
	var stderr bytes.Buffer
	s.cmd.Stderr = &stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, s.cmd.Start())
	ended := make(chan struct{})
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait()
		close(ended)
	}(s.cmd)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)))
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("exim ended: %s", stderr.String())
		case <-ctx.Done():
			t.Fatalf("exim doesn't answer: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the server as a power cut would; what it took stays in its folders.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // with its children
	for range 500 {
		if err := syscall.Kill(s.cmd.Process.Pid, 0); errors.Is(err, syscall.ESRCH) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.cmd = nil
}

// Await gives what has been delivered, as soon as that is n letters; more, or fewer after a
// while, fail the test.
func (s *Server) Await(t testing.TB, n int) []Letter {
	t.Helper()
	var letters []Letter
	for range 1000 {
		if letters = s.Letters(t); len(letters) >= n {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(letters) != n {
		t.Fatalf("%d letters were delivered, want %d", len(letters), n)
	}
	return letters
}

// A Letter is one that was delivered.
type Letter struct {
	*mail.Message
	Raw []byte
}

// Letters gives what has been delivered so far, in no order.
func (s *Server) Letters(t testing.TB) []Letter {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "mail", "new", "*"))
	must(t, err)
	var letters []Letter
	for _, file := range files {
		raw, err := os.ReadFile(file)
		must(t, err)
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		must(t, err)
		letters = append(letters, Letter{Message: m, Raw: raw})
	}
	return letters
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
