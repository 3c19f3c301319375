package fakecloud

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// A graphPlace is where a page of a list begins.
type graphPlace struct {
	At     int   `json:"a"`
	Issued int64 `json:"i"` // Unix time
	Empty  bool  `json:"e,omitempty"`
	Round  int   `json:"r,omitempty"` // of pages that are empty for ever
}

// A filler appends objects to the array at the end of b, from a place on, room of them at most.
// It gives the place after them, and whether there may be more. The directory is locked.
type filler func(b []byte, at, room int) (_ []byte, next int, more bool)

// graphBuffers are buffers for the values of pages.
var graphBuffers = sync.Pool{New: func() any { return new([]byte) }}

// list answers with one page. about is what its context says, total how many objects there are.
func (e *Entra) list(w http.ResponseWriter, r *http.Request, q graphQuery, about string, total func() int, fill filler) {
	c := e.settings()
	place, ok := e.openPlace(w, r, c, q)
	if !ok {
		return
	}
	b := graphBuffers.Get().(*[]byte)
	defer graphBuffers.Put(b)
	p := graphPage{about: about, value: append((*b)[:0], '[')}
	next, more, room := place.At, true, min(q.top, c.PageLimit)
	fault, led := linkFault(r)
	switch {
	case led && fault.Do == EmptyPages:
		place.Round++
	case c.EmptyPages && place.At > 0 && !place.Empty:
		place.Empty = true
	default:
		place = graphPlace{}
		e.Directory.mu.RLock()
		p.value, next, more = fill(p.value, next, room)
		if q.count && q.tokenIs == "" {
			p.count, p.counted = total(), true
		}
		e.Directory.mu.RUnlock()
	}
	p.value = append(p.value, ']')
	*b = p.value
	if more || led {
		place.At, place.Issued = next, e.now().Unix()
		address := listAddress(r, q)
		p.next = e.base(r) + address + "$skiptoken=" + e.places.seal(address, place)
	}
	e.write(w, r, p)
}

// listAddress is what stands before the token in the link to a page.
func listAddress(r *http.Request, q graphQuery) string {
	if q.options == "" {
		return r.URL.Path + "?"
	}
	return r.URL.Path + "?" + q.options + "&"
}

func (e *Entra) openPlace(w http.ResponseWriter, r *http.Request, c EntraConfig, q graphQuery) (place graphPlace, ok bool) {
	if q.tokenIs == "" {
		return place, true
	}
	address := listAddress(r, q)
	if r.URL.Path+"?"+r.URL.RawQuery != address+"$skiptoken="+q.token || !e.places.open(address, q.token, &place) {
		return place, e.badQuery(w, r, "The skip token is not one that was handed out for this address.")
	}
	return place, e.checkLinkAge(w, r, c, place.Issued)
}

func (e *Entra) checkLinkAge(w http.ResponseWriter, r *http.Request, c EntraConfig, issued int64) bool {
	if e.now().Sub(time.Unix(issued, 0)) <= c.LinkLife {
		return true
	}
	e.refuse(w, r, http.StatusBadRequest, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
	return false
}

// A graphPage is one answer of a list or a delta query.
type graphPage struct {
	about       string
	counted     bool
	count       int
	next, delta string // links; one of them at most
	value       []byte
}

// write writes a page; a fault may lead its link astray.
func (e *Entra) write(w http.ResponseWriter, r *http.Request, p graphPage) {
	if fault, led := linkFault(r); led {
		p.delta = ""
		switch {
		case fault.Do == RepeatLink:
			p.next = e.base(r) + r.URL.RequestURI()
		case fault.Link != "":
			p.next = fault.Link
		case fault.Do == ForeignLink:
			p.next = otherName(e.base(r)) + strings.TrimPrefix(p.next, e.base(r))
		}
	}
	head := append(make([]byte, 0, 1024), '{')
	head = appendString(appendKey(head, "@odata.context"), e.base(r)+"/v1.0/$metadata#"+p.about)
	if p.counted {
		head = appendInt(appendKey(head, "@odata.count"), p.count)
	}
	if p.next != "" {
		head = appendString(appendKey(head, "@odata.nextLink"), p.next)
	}
	if p.delta != "" {
		head = appendString(appendKey(head, "@odata.deltaLink"), p.delta)
	}
	head = appendKey(head, "value")
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	// A client that went away is its own business.
	_, _ = w.Write(head)
	_, _ = w.Write(p.value)
	_, _ = w.Write([]byte("}"))
}

// otherName is the same machine by another name: a host that a client must not trust, and whose
// visitors the cloud sees all the same.
func otherName(base string) string {
	if strings.Contains(base, "localhost") {
		return strings.Replace(base, "localhost", "127.0.0.1", 1)
	}
	return strings.Replace(base, hostOf(base), "localhost"+base[strings.LastIndex(base, ":"):], 1)
}
