package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"
)

// An httpRow compares requests to ours with the same requests to a server that knows one answer.
type httpRow struct {
	name        string
	goal        float64
	locals      string // Lua
	request     string // Lua: the body of a function that returns a request
	method      string
	route       string // the anchor's
	path, body  string // of the request whose answer the anchor repeats
	checkSample func(ctx context.Context, url string) error
}

func (b *bench) measureHTTP(ctx context.Context, w *world, p *program, r httpRow) error {
	if !b.wants(r.name) {
		return nil
	}
	l, err := b.newLoad(32, r.locals, r.request)
	if err != nil {
		return err
	}
	said, err := ask(ctx, r.method, p.url, r.path, r.body)
	if err != nil {
		return err
	}
	if said.status != http.StatusOK {
		return fmt.Errorf("wrong answer: %s %s: %d %s", r.method, r.path, said.status, said.body)
	}
	a, err := startAnchor(ctx, "http", repeat(r.method, r.route, said))
	if err != nil {
		return err
	}
	defer a.stop()
	send := func(url string) func(context.Context, int, time.Duration) (float64, error) {
		return func(ctx context.Context, window int, d time.Duration) (float64, error) {
			return l.send(ctx, url, window, d)
		}
	}
	ours := side{send(p.url), func(ctx context.Context) error { return r.checkSample(ctx, p.url) }}
	anchor := side{send(a.url), func(ctx context.Context) error {
		again, err := ask(ctx, r.method, a.url, r.path, r.body)
		if err == nil && (again.status != said.status || !bytes.Equal(again.body, said.body) || headerSize(again.header) != headerSize(said.header)) {
			err = fmt.Errorf("the anchor answers %d %v %s, and ours %d %v %s", again.status, again.header, again.body, said.status, said.header, said.body)
		}
		return err
	}}
	return b.addRatio(ctx, r.name, w.kind, r.goal, ours, anchor, b.window)
}

func headerSize(h http.Header) (n int) {
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}

// random is the Lua of a random number below n.
func random(n int) string { return fmt.Sprintf("math.random(0, %d)", n-1) }

// samples are some of n, the first and the last among them.
func samples(n int) []int { return []int{0, n / 3, n / 2, n - 1} }

// userRow asks for users by random names.
func (w *world) userRow(name string, goal float64) httpRow {
	return httpRow{
		name: name, goal: goal, method: http.MethodGet, route: "/user", path: "/user?username=" + userName(1),
		request: `	return wrk.format("GET", base .. string.format("/user?username=user%07d", ` + random(w.users) + `))`,
		checkSample: func(ctx context.Context, url string) error {
			for _, u := range samples(w.users) {
				if err := w.checkUser(ctx, url, u); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (w *world) checkUser(ctx context.Context, url string, u int) error {
	type user struct {
		Name    string `json:"name"`
		First   string `json:"first-name"`
		Last    string `json:"last-name"`
		Display string `json:"display-name"`
		Email   string `json:"email"`
		Active  bool   `json:"active"`
	}
	var got user
	if err := askJSON(ctx, http.MethodGet, url, "/user?username="+userName(u), "", http.StatusOK, &got); err != nil {
		return err
	}
	want := user{userName(u), firstName(u), lastName(u), firstName(u) + " " + lastName(u), userName(u) + "@example.test", true}
	if got != want {
		return fmt.Errorf("wrong answer: user %d: want %v, got %v", u, want, got)
	}
	return nil
}

// groupsRow asks for all groups of random users.
func (w *world) groupsRow() httpRow {
	path := func(u int) string { return "/user/group/nested?username=" + userName(u) }
	return httpRow{
		name: rowGroupsNested, goal: 0.65, method: http.MethodGet, route: "/user/group/nested", path: path(1),
		request: `	return wrk.format("GET", base .. string.format("/user/group/nested?username=user%07d", ` + random(w.half()) + `))`,
		checkSample: func(ctx context.Context, url string) error {
			for _, u := range samples(w.half()) {
				if err := checkNames(ctx, url, path(u), w.groupsOf(u)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// membersRow asks for the thousand users of random depts.
func (w *world) membersRow() httpRow {
	path := func(dept int) string { return "/group/user/nested?groupname=" + deptName(dept) }
	return httpRow{
		name: rowMembersNested, goal: 0.30, method: http.MethodGet, route: "/group/user/nested", path: path(1),
		request: `	return wrk.format("GET", base .. string.format("/group/user/nested?groupname=dept%07d", ` + random(w.depts()) + `))`,
		checkSample: func(ctx context.Context, url string) error {
			for _, dept := range []int{0, w.depts() - 1} {
				if err := checkNames(ctx, url, path(dept), w.membersOf(dept)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// checkNames asks for a list of users or groups and compares their names, in any order.
func checkNames(ctx context.Context, url, path string, want map[string]bool) error {
	type named struct {
		Name string `json:"name"`
	}
	var got struct {
		Users, Groups []named
	}
	if err := askJSON(ctx, http.MethodGet, url, path, "", http.StatusOK, &got); err != nil {
		return err
	}
	names := map[string]bool{}
	for _, n := range append(got.Users, got.Groups...) {
		if !want[n.Name] || names[n.Name] {
			return fmt.Errorf("wrong answer: GET %s: has %s", path, n.Name)
		}
		names[n.Name] = true
	}
	if len(names) != len(want) {
		return fmt.Errorf("wrong answer: GET %s: want %d names, got %d", path, len(want), len(names))
	}
	return nil
}
