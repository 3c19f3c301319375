package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/crypto/argon2"
)

// The defaults of the program's password hashes.
const (
	hashMemory = 19 * 1024 // KiB
	hashTime   = 2
)

// An order tells an anchor what to do. It comes on its standard input, and the anchor ends when
// that ends, so that none is left behind.
type order struct {
	Method, Path string // the route as Echo has it
	Status       int
	Header       http.Header
	Body         []byte

	File string        // create: the database
	For  time.Duration // argon2id: how long

	Cloud cloudShape // cloud: what to play
	Read  readOrder  // read: what to read
}

// runAnchor is the other side of a comparison.
func runAnchor(ctx context.Context, kind string) error {
	var o order
	in := json.NewDecoder(os.Stdin)
	if err := in.Decode(&o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	switch kind {
	case "http":
		return o.serve(ctx, func(c echo.Context) error { return o.answer(c) })
	case "create":
		return o.serveCreate(ctx)
	case "cloud":
		return o.Cloud.playCloud(ctx)
	case "read":
		return o.Read.readBare(ctx)
	case "spin":
		fmt.Println("spins")
		for ctx.Err() == nil {
		}
		return nil
	case "argon2id":
		fmt.Println(hashLoop(o.For))
		return nil
	}
	return fmt.Errorf("%q is no anchor", kind)
}

// serve answers one route by handle, with nothing around it.
func (o *order) serve(ctx context.Context, handle echo.HandlerFunc) error {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Add(o.Method, o.Path, handle)
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e.Listener = l
	fmt.Println("listens", l.Addr())
	context.AfterFunc(ctx, func() { e.Close() })
	if err := e.Start(""); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// answer writes the bytes of the order.
func (o *order) answer(c echo.Context) error {
	h := c.Response().Header()
	for name, values := range o.Header {
		h[name] = values
	}
	c.Response().WriteHeader(o.Status)
	_, err := c.Response().Write(o.Body)
	return err
}

// hashLoop gives how many hashes all processors compute per second.
func hashLoop(d time.Duration) float64 {
	var hashes atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for time.Since(start) < d {
				argon2.IDKey([]byte(userPassword), []byte("sixteen bytes of"), hashTime, hashMemory, 1, 32)
				hashes.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(hashes.Load()) / time.Since(start).Seconds()
}

// repeat is the order to say what ours said.
func repeat(method, route string, a answer) order {
	h := a.header.Clone()
	h.Del("Date") // net/http adds its own
	if a.length >= 0 {
		h.Set("Content-Length", fmt.Sprint(a.length))
	}
	return order{Method: method, Path: base + route, Status: a.status, Header: h, Body: a.body}
}

// An anchor is a server that runs in a process of its own.
type anchor struct {
	*process
	url string
}

func startAnchor(ctx context.Context, kind string, o order) (*anchor, error) {
	cmd, err := anchorCommand(kind)
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	go func() { _, _ = in.Write(text) }() // it reads once it runs
	a := new(anchor)
	a.process, err = launch(ctx, cmd, func(line string) bool {
		address, ok := strings.CutPrefix(line, "listens ")
		a.url = "http://" + address
		return ok
	})
	if err != nil {
		return nil, err
	}
	a.stdin = in
	return a, nil
}

func anchorCommand(kind string) (*exec.Cmd, error) {
	self, err := os.Executable()
	return exec.Command(self, "anchor", kind), err
}

// countHashes runs the bare loop in a process of its own.
func countHashes(ctx context.Context, d time.Duration) (rate float64, err error) {
	out, err := runOnce(ctx, "argon2id", order{For: d})
	if err != nil {
		return 0, fmt.Errorf("hash loop: %w", err)
	}
	_, err = fmt.Sscan(string(out), &rate)
	return rate, err
}

// runOnce gives what an anchor writes until it ends by itself.
func runOnce(ctx context.Context, kind string, o order) ([]byte, error) {
	cmd, err := anchorCommand(kind)
	if err != nil {
		return nil, err
	}
	in, w, err := os.Pipe() // stays open as long as the anchor runs
	if err != nil {
		return nil, err
	}
	defer in.Close()
	defer w.Close()
	if err := json.NewEncoder(w).Encode(o); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, os.Stderr
	stop := context.AfterFunc(ctx, func() { w.Close() })
	defer stop()
	err = cmd.Run()
	return out.Bytes(), err
}
