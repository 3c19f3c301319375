package server

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// stalling gives a connection whose client reads nothing.
func stalling(t *testing.T, stall time.Duration) net.Conn {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	conn, err := stallListener{l, stall}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestAStalledConnectionIsCutOff(t *testing.T) {
	t.Parallel()
	conn := stalling(t, 200*time.Millisecond)
	for range 3 { // requests one after another, with pauses longer than the stall
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetWriteDeadline(time.Time{}) // as net/http does after each
		time.Sleep(300 * time.Millisecond)
	}
	start := time.Now()
	if _, err := conn.Write(make([]byte, 100<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if took := time.Since(start); took < 150*time.Millisecond || took > 5*time.Second {
		t.Errorf("cut off after %v", took)
	}
}

func TestAnotherDeadlineStandsUntilItIsTakenAway(t *testing.T) {
	t.Parallel()
	conn := stalling(t, time.Minute)
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_ = conn.SetDeadline(time.Now().Add(-time.Second))
		if _, err := conn.Write([]byte("hello")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a deadline that is over:", err)
		}
		_ = conn.SetDeadline(time.Time{})
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Error("no deadline any more:", err)
		}
	}
}
