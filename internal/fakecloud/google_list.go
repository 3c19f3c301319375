package fakecloud

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A googleListing is a list that comes in pages.
type googleListing[T any] struct {
	name, kind  string // "users", "admin#directory#users"
	usual, most int    // items of a page: without maxResults, and whatever it says
	fields      []googleField[T]
	from        func(place int) iter.Seq2[*T, int] // items with the place after each
}

// A googlePlace is a place in a list, as page tokens hold it. They are good for three days.
type googlePlace struct {
	At      int   `json:"at"`
	Expires int64 `json:"exp"`
	N       int   `json:"n"` // of the request: no two tokens are the same
}

const googlePageLife = 3 * 24 * time.Hour

// sendList answers one page. The directory's lock is held meanwhile.
func sendList[T any](g *Google, w http.ResponseWriter, r *http.Request, l googleListing[T]) {
	mask, ok := parseMask(r.FormValue("fields"))
	if !ok {
		invalidField(r.FormValue("fields")).send(w)
		return
	}
	for name := range mask {
		if !slices.Contains([]string{"kind", "etag", "nextPageToken", l.name, "*"}, name) {
			invalidField(name).send(w)
			return
		}
	}
	below, withItems := mask.of(l.name)
	fields, wrong := toldFields(l.fields, below)
	if wrong != nil {
		wrong.send(w)
		return
	}
	place, size, wrong := g.place(r, l.usual, l.most)
	if wrong != nil {
		wrong.send(w)
		return
	}
	g.Directory.mu.RLock()
	items, next := googlePage(l, place, size, fields, slices.Contains(g.settings().LeaveOut, l.name))
	g.Directory.mu.RUnlock()
	token := ""
	if next > 0 {
		token = g.pageToken(r, next)
	}
	switch fault, _ := linkFault(r); fault.Do {
	case RepeatLink:
		if token = r.FormValue("pageToken"); token == "" {
			token = g.pageToken(r, 0)
		}
	case EmptyPages:
		items, token = nil, g.pageToken(r, place)
	}

	body := append(make([]byte, 0, len(items)+256), '{')
	if mask.has("kind") {
		body = appendString(appendKey(body, "kind"), l.kind)
	}
	if mask.has("etag") {
		body = appendString(appendKey(body, "etag"), etag(items))
	}
	if withItems && len(items) > 0 { // an empty list is absent
		body = appendKey(body, l.name)
		body = append(append(append(body, '['), items...), ']')
	}
	if token != "" && mask.has("nextPageToken") {
		body = appendString(appendKey(body, "nextPageToken"), token)
	}
	g.send(w, r, append(body, '}'))
}

// googlePage appends the items of one page, and gives the place of the next; zero: there is none.
func googlePage[T any](l googleListing[T], place, size int, fields []toldField[T], leaveOut bool) (items []byte, next int) {
	count, last := 0, 0
	for item, after := range l.from(place) {
		if count == size {
			return items, last
		}
		if last = after; leaveOut && count%2 == 1 {
			count++
			continue
		}
		if count > 0 {
			items = append(items, ',')
		}
		items = appendObject(items, fields, item)
		count++
	}
	return items, 0
}

// send sends an answer, or 304 to whoever has it already.
func (g *Google) send(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Vary", "Origin, X-Origin, Referer")
	if g.settings().ETags {
		tag := etag(body)
		h.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	_, _ = w.Write(body) // a client that went away is its own business
}

// etag is different for what is different.
func etag(data []byte) string {
	h := fnv.New64a()
	_, _ = h.Write(data) // a hash takes everything
	return `"` + base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, h.Sum64())) + `"`
}

// tokenSign is what Google's page tokens begin with.
const tokenSign = "~!!~"

func (g *Google) pageToken(r *http.Request, at int) string {
	return tokenSign + g.places.seal(googleListAsked(r), googlePlace{at, g.now().Add(googlePageLife).Unix(), g.Requests("")})
}

// place says where a list goes on, and how many items may come.
func (g *Google) place(r *http.Request, usual, most int) (from, size int, wrong *googleRefusal) {
	size = usual
	if text := r.FormValue("maxResults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return 0, 0, googleInvalid("maxResults")
		}
		size = min(n, most) // more is not refused
	}
	if limit := g.settings().PageLimit; limit > 0 {
		size = min(size, limit)
	}
	token := r.FormValue("pageToken")
	if token == "" {
		return 0, size, nil
	}
	var place googlePlace
	if len(token) < len(tokenSign) || !g.places.open(googleListAsked(r), token[len(tokenSign):], &place) {
		g.requests.violation("%s was asked with a page token that was not given away for it", r.URL.Path)
		return 0, 0, googleInvalid("pageToken")
	}
	if !g.now().Before(time.Unix(place.Expires, 0)) {
		return 0, 0, googleInvalid("pageToken")
	}
	return place.At, size, nil
}

// listAsked is what a request asks for, without the place in it and without how it is told: a
// page token is good for that.
func googleListAsked(r *http.Request) string {
	q := r.URL.Query()
	for _, name := range append([]string{"pageToken", "maxResults"}, everywhere...) {
		q.Del(name)
	}
	return r.URL.Path + "?" + q.Encode()
}
