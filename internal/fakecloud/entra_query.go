package fakecloud

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// What Graph does without $top, and the most that it takes.
const (
	defaultTop = 100
	maxTop     = 999
)

// A graphQuery is what the options of an address ask for.
type graphQuery struct {
	selected []string // nil: nothing was said
	top      int
	filter   *graphFilter
	search   string
	count    bool
	options  string // as the client wrote them, without the token
	token    string // of $skiptoken or $deltatoken
	tokenIs  string // which of the two; empty when there is none
	eventual bool   // the client takes answers from an index that may be behind
}

// readQuery reads the options that a resource knows. What it doesn't know is refused, as in
// Graph; a client that means well never gets there.
func (e *Entra) readQuery(w http.ResponseWriter, r *http.Request, known ...string) (graphQuery, bool) {
	q := graphQuery{top: defaultTop, eventual: strings.EqualFold(r.Header.Get("ConsistencyLevel"), "eventual")}
	var kept []string
	for option := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if option == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(option, "=")
		name, err := url.QueryUnescape(rawName)
		value, err2 := url.QueryUnescape(rawValue)
		if err != nil || err2 != nil || !slices.Contains(known, name) {
			return q, e.badQuery(w, r, "The query parameter '"+name+"' isn't supported here.")
		}
		if name == "$skiptoken" || name == "$deltatoken" {
			if q.tokenIs != "" {
				return q, e.badQuery(w, r, "There can be only one of $skiptoken and $deltatoken.")
			}
			q.tokenIs, q.token = name, value
			continue
		}
		kept = append(kept, option)
		if problem := q.set(name, value); problem != "" {
			return q, e.badQuery(w, r, problem)
		}
	}
	q.options = strings.Join(kept, "&")
	return q, true
}

func (e *Entra) badQuery(w http.ResponseWriter, r *http.Request, message string) bool {
	e.requests.violation("%s %s: %s", r.Method, r.URL.Path, message)
	e.refuse(w, r, http.StatusBadRequest, "Request_BadRequest", message)
	return false
}

// set takes one option; it tells what is wrong with it.
func (q *graphQuery) set(name, value string) (problem string) {
	switch name {
	case "$select":
		q.selected = strings.Split(strings.ReplaceAll(value, " ", ""), ",")
	case "$top":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxTop {
			return "Invalid page size specified: '" + value + "'. Must be between 1 and 999 inclusive."
		}
		q.top = n
	case "$count":
		q.count = value == "true"
	case "$search":
		q.search = value
	case "$filter":
		var err error
		if q.filter, err = parseFilter(value); err != nil {
			return "Invalid filter clause: " + err.Error()
		}
	}
	return ""
}

// checkAdvanced refuses what Graph answers only from its index, to a client that didn't say
// that the index will do.
func (e *Entra) checkAdvanced(w http.ResponseWriter, r *http.Request, q graphQuery, advanced bool) bool {
	advanced = advanced || q.search != "" || q.count || q.filter != nil && q.filter.advanced()
	if !advanced || q.eventual && q.count {
		return true
	}
	e.refuse(w, r, http.StatusBadRequest, "Request_UnsupportedQuery",
		"Unsupported Query. It needs the header 'ConsistencyLevel: eventual' and '$count=true'.")
	return false
}
