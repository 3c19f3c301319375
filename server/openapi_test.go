package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/openapitest"
)

// What the public listener routes is what openapi.yaml has, and nothing else: the file is the
// list by which a route is approved.
func TestThePublicListenerHasTheRoutesOfOpenAPI(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(openapitest.Operations(t), servedOperations(t)); diff != "" {
		t.Errorf("openapi.yaml (-) and the routes of the public listener (+) differ:\n%s", diff)
	}
}

const crowdBase = "/crowd/rest/usermanagement/1"

var routeParameter = regexp.MustCompile(`:(\w+)`)

// pages are the approved routes beside the API: those for people.
var pages = []string{"GET /reset/:token", "HEAD /reset/:token", "POST /reset/:token"}

// servedOperations asks the whole server's router for each of the API's routes, as an application
// that may do everything, and leaves out those that only say 405 or 404. HEAD comes with each GET.
func servedOperations(t *testing.T) (operations []string) {
	t.Helper()
	h := newHouse(t, testkit.NewSQLite(t))
	h.app("probe", "127.0.0.1")
	e := newEcho(Options{Config: h.config, Log: slog.New(slog.DiscardHandler)}, h.services, newMetrics("test"))
	for _, r := range e.Routes() {
		resource, ofAPI := strings.CutPrefix(r.Path, crowdBase)
		switch {
		case !ofAPI && !strings.HasPrefix(r.Path, strings.TrimSuffix(crowdBase, "/1")) && !slices.Contains(pages, r.Method+" "+r.Path):
			t.Errorf("%s %s is neither of Crowd's API nor approved here", r.Method, r.Path)
			continue
		case !ofAPI || r.Method == http.MethodHead:
			continue
		}
		path := routeParameter.ReplaceAllString(r.Path, "1")
		request := httptest.NewRequest(r.Method, path, nil)
		request.RemoteAddr = "127.0.0.1:4711"
		request.SetBasicAuth("probe", "secret-of-probe")
		request.Header.Set("Accept", "text/plain") // nothing is changed for an answer that can't be given
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, request)
		if answer.Code == http.StatusMethodNotAllowed || answer.Code == http.StatusNotFound {
			continue
		}
		operations = append(operations, r.Method+" "+routeParameter.ReplaceAllString(resource, "{$1}"))
	}
	slices.Sort(operations)
	return operations
}
