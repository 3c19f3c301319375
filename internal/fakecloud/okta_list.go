package fakecloud

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An oktaPlace is where the next page of a list begins.
type oktaPlace struct {
	At   int   `json:"n"`           // the number of what comes next
	Last int   `json:"l,omitempty"` // one more than the number that the page before ended with
	Seen int   `json:"s,omitempty"` // how many came before
	Gap  bool  `json:"g,omitempty"` // an empty page comes first
	Made int64 `json:"t"`           // when the link was made, in seconds
}

// A listing says what a list takes.
type listing struct {
	parameters  []string // beside limit and after
	usual, most int      // the size of a page
}

// place reads where a page begins and how long it is; false: the request was refused.
func (o *Okta) place(w http.ResponseWriter, r *http.Request, l listing) (p oktaPlace, limit int, ok bool) {
	query := r.URL.Query()
	for name, values := range query {
		if len(values) != 1 || name != "limit" && name != "after" && !slices.Contains(l.parameters, name) {
			// Okta ignores it, and so a client that counts offsets reads the first page for ever.
			o.requests.violation("%s %s has the parameter %q, which isn't one", r.Method, r.URL.Path, name)
		}
	}
	limit = l.usual
	if text := query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > l.most {
			o.invalid(w, "E0000001", "Api validation failed: limit", "limit: must be between 1 and "+strconv.Itoa(l.most))
			return p, 0, false
		}
	}
	if c := o.settings(); c.PageLimit > 0 {
		limit = min(limit, c.PageLimit)
	}
	token := query.Get("after")
	if token == "" {
		return p, limit, true
	}
	if !o.places.open(oktaListAddress(r.URL.Path, query), token, &p) {
		o.requests.violation("%s %s has a cursor that nobody handed out", r.Method, r.URL.Path)
		o.invalid(w, "E0000001", "Api validation failed: after", "after: The cursor is invalid.")
		return p, 0, false
	}
	if o.now().Sub(time.Unix(p.Made, 0)) > o.settings().LinkLife {
		o.invalid(w, "E0000001", "Api validation failed: after", "after: The cursor has expired.")
		return p, 0, false
	}
	if p.Gap {
		p.Gap = false
		o.sendList(w, r, emptyPage, &p)
		return p, 0, false
	}
	return p, limit, true
}

// oktaListAddress is what a cursor is valid for.
func oktaListAddress(path string, query url.Values) string {
	rest := url.Values{}
	for name, values := range query {
		if name != "after" && name != "since" { // a log's cursor stands for the time that it began at
			rest[name] = values
		}
	}
	return path + "?" + rest.Encode()
}

var emptyPage = []byte("[]")

// sendList sends a page, and in two header lines where it is and where the next one is, if there
// is one.
func (o *Okta) sendList(w http.ResponseWriter, r *http.Request, page []byte, next *oktaPlace) {
	link := func(u, rel string) { w.Header().Add("Link", "<"+u+`>; rel="`+rel+`"`) }
	link(o.base(r)+r.URL.RequestURI(), "self")
	fault, led := linkFault(r)
	switch {
	case led && fault.Do == EmptyPages:
		page, next = emptyPage, &oktaPlace{Seen: o.Requests("")}
	case led && next == nil:
		next = &oktaPlace{}
	}
	if next != nil {
		next.Made = o.now().Unix()
		next.Gap = o.settings().Gaps && len(page) > len(emptyPage) && r.URL.Path != "/api/v1/logs" // there it would be the end
		link(o.nextLink(r, next, fault), "next")
	}
	o.write(w, http.StatusOK, page)
}

// nextLink is the link to the next page, as a fault leaves it.
func (o *Okta) nextLink(r *http.Request, next *oktaPlace, fault Fault) string {
	base := o.base(r)
	switch {
	case fault.Do == RepeatLink:
		return base + r.URL.RequestURI()
	case fault.Link != "":
		return fault.Link
	case fault.Do == ForeignLink:
		base = otherName(base)
	}
	address := oktaListAddress(r.URL.Path, r.URL.Query())
	token := "after=" + url.QueryEscape(o.places.seal(address, *next))
	if !strings.HasSuffix(address, "?") {
		token = "&" + token
	}
	return base + address + token
}
