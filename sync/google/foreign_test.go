package google_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// foreign is a server that answers everything with JSON that says nothing.
func foreign(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	t.Cleanup(server.Close)
	return server.URL
}
