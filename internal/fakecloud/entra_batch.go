package fakecloud

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// What Graph takes at once.
const (
	maxBatch     = 20
	maxByIDs     = 1000
	maxBatchBody = 4 << 20
)

// A batchItem is one request inside $batch.
type batchItem struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
}

// batch answers POST /$batch: each request in it by itself, in another order. One of them can be
// throttled while the whole is answered 200.
func (e *Entra) batch(w http.ResponseWriter, r *http.Request, a graphAccess) {
	var body struct {
		Requests []batchItem `json:"requests"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBatchBody)).Decode(&body); err != nil {
		e.refuse(w, r, http.StatusBadRequest, "BadRequest", "Invalid batch payload format.")
		return
	}
	if problem := batchProblem(body.Requests); problem != "" {
		e.badQuery(w, r, problem)
		return
	}
	b := []byte(`{"responses":[`)
	for _, item := range slices.Backward(body.Requests) {
		inner := newAnswer()
		e.answerItem(inner, r, a, item)
		b = appendAnswer(append(comma(b), '{'), item.ID, inner)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, "]}"...)) // a client that went away is its own business
}

func batchProblem(items []batchItem) string {
	if len(items) == 0 || len(items) > maxBatch {
		return "Number of batch request steps must be between 1 and " + strconv.Itoa(maxBatch) + "."
	}
	seen := map[string]bool{}
	for _, item := range items {
		switch {
		case item.ID == "" || seen[item.ID]:
			return "Request Id has to be unique and not empty in a batch."
		case item.Method == "" || !strings.HasPrefix(item.URL, "/"):
			return "Request step " + item.ID + " needs a method and a url that begins with '/'."
		}
		seen[item.ID] = true
	}
	return ""
}

func (e *Entra) answerItem(w http.ResponseWriter, r *http.Request, a graphAccess, item batchItem) {
	inner, err := http.NewRequestWithContext(context.WithValue(r.Context(), insideBatch{}, a), item.Method, "http://"+r.Host+"/v1.0"+item.URL, http.NoBody)
	if err != nil || item.Method != http.MethodGet {
		e.refuse(w, r, http.StatusBadRequest, "BadRequest", "The request isn't understood.")
		return
	}
	inner.TLS = r.TLS
	for name, value := range item.Headers {
		inner.Header.Set(name, value)
	}
	e.answer(w, inner, true)
}

// appendAnswer appends what came of one item.
func appendAnswer(b []byte, id string, a *answer) []byte {
	b = appendString(appendKey(b, "id"), id)
	b = appendInt(appendKey(b, "status"), a.status)
	headers := map[string]string{}
	for name := range a.header {
		headers[name] = a.header.Get(name)
	}
	b = appendAny(appendKey(b, "headers"), headers)
	b = appendKey(b, "body")
	if json.Valid(a.body) && strings.Contains(a.header.Get("Content-Type"), "json") {
		b = append(b, a.body...)
	} else {
		b = appendAny(b, a.body) // base64: all that isn't JSON
	}
	return append(b, '}')
}

// getByIDs answers POST /directoryObjects/getByIds: those of the objects that are there.
func (e *Entra) getByIDs(w http.ResponseWriter, r *http.Request, a graphAccess) {
	var body struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBatchBody)).Decode(&body); err != nil || len(body.IDs) == 0 || len(body.IDs) > maxByIDs {
		e.badQuery(w, r, "ids must be between 1 and 1000.")
		return
	}
	q, ok := e.readQuery(w, r, "$select")
	if !ok {
		return
	}
	show, ok := e.memberFields(w, r, q, a)
	if !ok {
		return
	}
	var found []Member
	for _, id := range body.IDs {
		m, ok := e.Find(id)
		if ok && (body.Types == nil || slices.Contains(body.Types, m.Kind.graphName())) {
			found = append(found, m)
		}
	}
	value := []byte{'['}
	e.Directory.mu.RLock()
	for _, m := range found {
		if e.Directory.memberLife(m) == alive {
			value = show(value, m)
		}
	}
	e.Directory.mu.RUnlock()
	e.write(w, r, graphPage{about: "directoryObjects", value: append(value, ']')})
}
