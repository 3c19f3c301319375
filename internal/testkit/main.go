package testkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// process is what one test process has of its own until it ends.
var process struct {
	mu     sync.Mutex
	inMain bool
	dir    string // removed at the end
	atEnd  []func() error
}

// Main runs a package's tests and removes afterwards what testkit made for all of them.
// TestMain calls it:
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
func Main(m interface{ Run() int }) int {
	process.mu.Lock()
	process.inMain = true
	process.mu.Unlock()
	defer end()
	return m.Run()
}

func end() {
	process.mu.Lock()
	defer process.mu.Unlock()
	process.inMain = false
	for _, do := range slices.Backward(process.atEnd) {
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, "testkit:", err)
		}
	}
	process.atEnd = nil
}

// needMain fails a test whose package doesn't clean up.
func needMain(t testing.TB) {
	t.Helper()
	process.mu.Lock()
	defer process.mu.Unlock()
	if !process.inMain {
		t.Fatal("this test's package needs: func TestMain(m *testing.M) { testkit.Main(m) }")
	}
}

// whenProcessEnds registers what Main does after the last test, latest first.
func whenProcessEnds(do func() error) {
	process.mu.Lock()
	defer process.mu.Unlock()
	process.atEnd = append(process.atEnd, do)
}

// processDir gives a folder that lives as long as the process. Everybody may enter it: the
// private PostgreSQL server runs as another user when the tests run as root.
func processDir() (string, error) {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.dir != "" {
		return process.dir, nil
	}
	dir, err := os.MkdirTemp("", "rollcall-test-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", err
	}
	process.dir = dir
	process.atEnd = append([]func() error{func() error { return os.RemoveAll(dir) }}, process.atEnd...)
	return dir, nil
}

// moduleRoot finds the folder of go.mod, above that of the package under test.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", errors.New("there is no go.mod above the tests' folder")
		}
		dir = above
	}
}

// Go runs a loop such as Store.Follow until the test ends, and waits for it then.
func Go(t testing.TB, loop func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- loop(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("a loop of the test: %v", err)
		}
	})
}
