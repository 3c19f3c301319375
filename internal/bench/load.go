package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// base is where Crowd's API begins.
const base = "/rest/usermanagement/1"

func authorization() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(appName+":"+appPassword))
}

// An answer is what a server said.
type answer struct {
	status int
	header http.Header
	length int64 // as the answer declared it; negative: it did not
	body   []byte
}

var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}

// ask sends one request; path begins after base.
func ask(ctx context.Context, method, url, path, body string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, url+base+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", authorization())
	r.Header.Set("Accept", "application/json")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, got.ContentLength, text}, err
}

// askJSON sends one request and reads the answer into v; any other status than the wanted one is
// an error.
func askJSON(ctx context.Context, method, url, path, body string, status int, v any) error {
	a, err := ask(ctx, method, url, path, body)
	if err != nil {
		return err
	}
	if a.status != status {
		return fmt.Errorf("wrong answer: %s %s: want %d, got %d %s", method, path, status, a.status, a.body)
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("wrong answer: %s %s: %w: %s", method, path, err, a.body)
	}
	return nil
}

// A load is what wrk sends. Its script ends with what it has counted, for us to read.
type load struct {
	script      string
	connections int
}

// newLoad writes the script of a load. request is the body of a Lua function that returns one
// request; it may use base, and the number of the window.
func (b *bench) newLoad(connections int, locals, request string) (load, error) {
	text := fmt.Sprintf(`wrk.headers["Authorization"] = %q
wrk.headers["Accept"] = "application/json"
local base, window, n = %q, 0, 0
%s
function init(args)
	window = tonumber(args[1])
	math.randomseed(window)
end
function request()
	n = n + 1
%s
end
function done(summary)
	local e = summary.errors
	io.write(string.format("\nbench %%d %%d %%d\n", summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
`, authorization(), base, locals, request)
	f, err := os.CreateTemp(b.dir, "load-*.lua")
	if err != nil {
		return load{}, err
	}
	_, err = f.WriteString(text)
	return load{f.Name(), connections}, errors.Join(err, f.Close())
}

// send loads the server at url for a window and gives how many answers came per second.
func (l load) send(ctx context.Context, url string, window int, d time.Duration) (float64, error) {
	answers, took, err := l.count(ctx, url, window, d)
	if err != nil {
		return 0, err
	}
	return float64(answers) / took.Seconds(), nil
}

// count loads the server and gives how many answers came in which time. An answer of 400 or more,
// or none at all, is an error.
func (l load) count(ctx context.Context, url string, window int, d time.Duration) (answers int64, took time.Duration, err error) {
	cmd := exec.CommandContext(ctx, "wrk", "-t1", fmt.Sprintf("-c%d", l.connections), "-d"+d.String(), "--timeout", "30s",
		"-s", l.script, url, "--", fmt.Sprint(window))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	_, counted, _ := strings.Cut(string(out), "\nbench ")
	var micros, wrong int64
	if _, err := fmt.Sscan(counted, &answers, &micros, &wrong); err != nil {
		return 0, 0, fmt.Errorf("wrk told %q: %w", out, err)
	}
	if wrong > 0 || answers == 0 {
		return 0, 0, fmt.Errorf("wrong answers: %d of %d requests of %s failed\n%s", wrong, answers, filepath.Base(l.script), out)
	}
	return answers, time.Duration(micros) * time.Microsecond, nil
}
