package fakecloud

import (
	"net/http"
	"strconv"
	"strings"
)

// A graphKind is users or groups: what is the same for both.
type graphKind[T any] struct {
	name   string // as in the address of their list
	fields []graphField[T]
	// The numbers of all there are, generated, created and deleted ones, are below count.
	count func(*Directory) int
	live  func(*Directory) int
	life  func(*Directory, int) life
	get   func(*Directory, int) T
}

var graphUsers = graphKind[User]{
	name: "users", fields: graphUserFields,
	count: func(d *Directory) int { return d.userCount }, live: func(d *Directory) int { return d.liveUsers },
	life: func(d *Directory, n int) life { return d.userLife(UserNo(n)) },
	get:  func(d *Directory, n int) User { u, _ := d.user(UserNo(n)); return u },
}

var graphGroups = graphKind[Group]{
	name: "groups", fields: graphGroupFields,
	count: func(d *Directory) int { return d.groupCount }, live: func(d *Directory) int { return d.liveGroups },
	life: func(d *Directory, n int) life { return d.groupLife(GroupNo(n)) },
	get:  func(d *Directory, n int) Group { g, _ := d.group(GroupNo(n)); return g },
}

// listObjects answers with a page of those that are alive, or of those that are deleted. Without
// access their fields are null.
func listObjects[T any](e *Entra, w http.ResponseWriter, r *http.Request, k graphKind[T], q graphQuery, fields []graphField[T], state life, access bool) {
	d := e.Directory
	e.list(w, r, q, k.name, func() int { return countObjects(e, k, q, state) }, func(b []byte, at, room int) ([]byte, int, bool) {
		for ; at < k.count(d); at++ {
			if k.life(d, at) != state {
				continue
			}
			of := k.get(d, at)
			if !wanted(e, k, q, at, &of) {
				continue
			}
			if room == 0 {
				return b, at, true
			}
			room--
			b = append(appendFields(e, append(comma(b), '{'), fields, at, &of, access), '}')
		}
		return b, at, false
	})
}

// wanted says whether a query's filter and search find an object.
func wanted[T any](e *Entra, k graphKind[T], q graphQuery, n int, of *T) bool {
	value := func(name string) string { return valueOf(e, k.fields, name, n, of) }
	if q.search != "" {
		name, text, _ := strings.Cut(strings.Trim(q.search, `"`), ":")
		if !strings.Contains(fold(value(name)), fold(text)) {
			return false
		}
	}
	return q.filter == nil || q.filter.holds(value)
}

// countObjects counts those that a query finds.
func countObjects[T any](e *Entra, k graphKind[T], q graphQuery, state life) (count int) {
	d := e.Directory
	if q.filter == nil && q.search == "" && state == alive {
		return k.live(d)
	}
	for n := range k.count(d) {
		if k.life(d, n) == state {
			if of := k.get(d, n); wanted(e, k, q, n, &of) {
				count++
			}
		}
	}
	return count
}

// writeCount answers with how many there are, in plain text.
func writeCount[T any](e *Entra, w http.ResponseWriter, r *http.Request, k graphKind[T], access bool) {
	if !access {
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$filter")
	if !ok {
		return
	}
	q.count = true // it is what the address says
	if !e.checkAdvanced(w, r, q, true) {
		return
	}
	e.Directory.mu.RLock()
	n := countObjects(e, k, q, alive)
	e.Directory.mu.RUnlock()
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(strconv.Itoa(n))) // a client that went away is its own business
}

// writeObject answers with one object.
func writeObject[T any](e *Entra, w http.ResponseWriter, r *http.Request, k graphKind[T], fields []graphField[T], n int, of *T, access bool) {
	b := append([]byte(nil), '{')
	b = appendString(appendKey(b, "@odata.context"), e.base(r)+"/v1.0/$metadata#"+k.name+"/$entity")
	b = append(appendFields(e, b, fields, n, of, access), '}')
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // a client that went away is its own business
}
