package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is how long anything but a measurement may take.
const patience = 5 * time.Minute

// buildProgram builds the program as it is released, stripped, and gives its path.
func buildProgram(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "rollcall")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/rollcall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
}

// A process is something that we started and that ends with us.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	stdin io.Closer

	mu  sync.Mutex
	log []string
}

// launch starts cmd and reads lines from its output; each line is given to see until that says
// true, and launch returns then.
func launch(ctx context.Context, cmd *exec.Cmd, see func(line string) bool) (*process, error) {
	out, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		out.Close()
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	seen := make(chan struct{})
	go func() {
		defer out.Close()
		lines, waiting := bufio.NewScanner(out), true
		for lines.Scan() {
			p.note(lines.Text())
			if waiting && see(lines.Text()) {
				waiting = false
				close(seen)
			}
		}
	}()
	go func() {
		_ = cmd.Wait() // whoever wants its code looks into ProcessState
		close(p.ended)
	}()
	select {
	case <-seen:
		return p, nil
	case <-p.ended:
		err = errors.New("ended before it was ready")
	case <-time.After(patience):
		err = errors.New("did not become ready")
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.stop()
	return nil, fmt.Errorf("%s %w:\n%s", filepath.Base(cmd.Path), err, p.tail())
}

// note keeps the last lines.
func (p *process) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.log = append(p.log, line); len(p.log) > 40 {
		p.log = p.log[1:]
	}
}

func (p *process) tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

// stop asks the process to end, and ends it when it doesn't.
func (p *process) stop() {
	if p.stdin != nil {
		p.stdin.Close()
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// status gives a figure in kB of /proc/PID/status, in bytes.
func (p *process) status(name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kB, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kB * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc has no %s", name)
}

// resident gives the memory that the process has now.
func (p *process) resident() (int64, error) { return p.status("VmRSS") }

// peak gives the most that the process had since forgetPeak.
func (p *process) peak() (int64, error) { return p.status("VmHWM") }

func (p *process) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// cpu gives the processor seconds that the process has used.
func (p *process) cpu() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The second field is a name in brackets; times are the 14th and the 15th, in ticks of which
	// every Linux tells a hundred a second (proc(5)).
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks [2]int64
	for i := range ticks {
		if ticks[i], err = strconv.ParseInt(fields[11+i], 10, 64); err != nil {
			return 0, err
		}
	}
	return float64(ticks[0]+ticks[1]) / 100, nil
}

// A program is a running `rollcall serve` with default settings.
type program struct {
	*process
	url string
}

// serve starts `rollcall serve` on the world's database and returns when the roster serves.
func (b *bench) serve(ctx context.Context, w *world) (*program, error) {
	listen, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(b.program, "serve")
	cmd.Dir = w.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "ROLLCALL_LISTEN=" + listen,
		"ROLLCALL_MANAGEMENT_LISTEN=127.0.0.1:0", "ROLLCALL_DRAIN_TIME=0s"}, w.settings()...)
	p, err := launch(ctx, cmd, func(line string) bool { return strings.Contains(line, "the roster serves") })
	if err != nil {
		return nil, err
	}
	return &program{process: p, url: "http://" + listen}, nil
}

// freePort gives an address of 127.0.0.1 on which nobody listens now.
func freePort(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
