package testkit

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Server is a running `rollcall serve`: the real program, in a process of its own.
type Server struct {
	URL        string // of the public listener: http://127.0.0.1:PORT
	Management string // of the management listener

	cmd   *exec.Cmd
	log   *logBuffer
	ended chan struct{} // closed when the process is gone
}

// StartServer starts `rollcall serve` with args on the database, on free ports of 127.0.0.1,
// and returns when it is ready. env is added to the settings of Database.Env and may overrule
// them. The server stops when the test ends; its log is shown if the test failed.
func StartServer(t testing.TB, db Database, env []string, args ...string) *Server {
	t.Helper()
	return StartProgram(t, Binary(t), db, env, args...)
}

// StartProgram does as StartServer with another build of the program.
func StartProgram(t testing.TB, program string, db Database, env []string, args ...string) *Server {
	t.Helper()
	// Between our look at a port and the server's, another process may take it.
	for try := 1; ; try++ {
		s := launch(t, program, db, env, args)
		if s.waitReady(t) {
			return s
		}
		if try == 3 || !strings.Contains(s.Log(), "address already in use") {
			t.Fatalf("rollcall serve ended before it was ready:\n%s", s.Log())
		}
	}
}

func launch(t testing.TB, program string, db Database, env, args []string) *Server {
	t.Helper()
	public, management := freePort(t), freePort(t)
	for management == public { // a port that was just let go may be given again
		management = freePort(t)
	}
	s := &Server{URL: "http://" + public, Management: "http://" + management, log: new(logBuffer), ended: make(chan struct{})}
	s.cmd = exec.Command(program, append([]string{"serve"}, args...)...)
	s.cmd.Dir = t.TempDir()
	s.cmd.Env = append(plainEnv(t), db.Env(t)...)
	s.cmd.Env = append(s.cmd.Env, "ROLLCALL_LISTEN="+public, "ROLLCALL_MANAGEMENT_LISTEN="+management, "ROLLCALL_DRAIN_TIME=0s")
	s.cmd.Env = append(s.cmd.Env, env...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.WaitDelay = time.Second
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start rollcall serve: %v", err)
	}
	go func() {
		_ = s.cmd.Wait() // its code is in ProcessState
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.Stop(t)
		if t.Failed() {
			t.Logf("log of rollcall serve at %s:\n%s", s.URL, s.Log())
		}
	})
	return s
}

// waitReady tells whether the server became ready; false when it ended instead.
func (s *Server) waitReady(t testing.TB) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if s.Ready(ctx) {
			return true
		}
		select {
		case <-s.ended:
			return false
		case <-ctx.Done():
			t.Fatalf("rollcall serve did not become ready:\n%s", s.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Ready tells whether /readyz answers 200.
func (s *Server) Ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Management+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Kill ends the process as a power cut would: SIGKILL.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may be gone
	<-s.ended
}

// Stop asks the process to end (SIGTERM), waits for it, and gives its exit code and its whole
// log. A process that is gone already is asked nothing.
func (s *Server) Stop(t testing.TB) (code int, log string) {
	t.Helper()
	select {
	case <-s.ended:
	default:
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.ended:
		case <-time.After(patience):
			s.Kill()
			t.Errorf("rollcall serve did not stop within %s of SIGTERM", patience)
		}
	}
	return s.cmd.ProcessState.ExitCode(), s.Log()
}

// Ended is closed when the process is gone.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Pid gives the number of the process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Log gives what the server wrote so far.
func (s *Server) Log() string { return s.log.String() }

// freePort gives an address of 127.0.0.1 on which nobody listens now.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A logBuffer gathers what a process writes while others read it.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
