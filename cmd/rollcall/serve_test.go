package main

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

func TestServeStopsWhenToldTo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := testkit.StartServer(t, db, nil)
		answer, err := http.Get(s.URL + "/crowd/rest/usermanagement/1/user?username=ada")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("want 401 for nobody in particular, got %d", answer.StatusCode)
		}
		if code, log := s.Stop(t); code != exitDone {
			t.Errorf("want exit code 0 after SIGTERM, got %d\n%s", code, log)
		}
	})
}

func TestSecondSignalEndsServeAtOnce(t *testing.T) {
	t.Parallel()
	s := testkit.StartServer(t, testkit.NewSQLite(t), []string{"ROLLCALL_DRAIN_TIME=2m", "ROLLCALL_SHUTDOWN_TIMEOUT=3m"})
	for range 2 {
		if err := syscall.Kill(s.Pid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
	}
	select {
	case <-s.Ended():
	case <-time.After(30 * time.Second):
		t.Error("the second signal didn't end the server")
	}
}

func TestServeSaysWhyItCannotListen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r := testkit.Run(t, testkit.NewSQLite(t).Env(t), "serve", "--listen", taken.Addr().String(), "--management-listen", "127.0.0.1:0")
	if r.Code != exitFailed || !strings.Contains(r.Stderr, "error: ") || !strings.Contains(r.Stderr, "address already in use") {
		t.Errorf("want exit code 1 and the reason, got %d\n%s", r.Code, r.Stderr)
	}
}
