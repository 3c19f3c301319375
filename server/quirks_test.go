package server

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// Quirks of Crowd's clients that only the whole server shows; the others are in api/crowd.

// mod_authnz_crowd scans the status line for HTTP/1, and its libcurl offers h2 over TLS.
func TestQuirk07StatusLineIsHTTP1(t *testing.T) {
	t.Parallel()
	files := tlsConfig(t, Config{}, time.Now().Add(time.Hour))
	h := openHouse(t, testkit.NewSQLite(t), "ROLLCALL_TLS_CERT_FILE="+files.TLSCertFile, "ROLLCALL_TLS_KEY_FILE="+files.TLSKeyFile)
	h.app("jira", "127.0.0.1")
	conn, err := tls.Dial("tcp", h.listener(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("the protocol is %q, want http/1.1", got)
	}
	fmt.Fprintf(conn, "GET %s/config/cookie HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n", crowdBase, basicOf("jira"))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var major, minor, status int
	if _, err := fmt.Sscanf(line, "HTTP/%d.%d %d", &major, &minor, &status); err != nil || major != 1 || minor != 1 || status != 200 {
		t.Errorf("the status line is %q", line)
	}
}

// listener gives the address of the public listener.
func (h *house) listener() string {
	_, address, _ := strings.Cut(strings.TrimSuffix(h.url, crowdBase), "://")
	return address
}

// basicOf gives the credentials of an application.
func basicOf(app string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(app+":secret-of-"+app))
}

// Atlassian's client keeps its connections: whatever an answer is, it must have its length, and
// the next request must not begin in what is left of a body. All of these go over one.
func TestQuirk09OneConnectionForAll(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t), "ROLLCALL_MAX_BODY=100KiB")
	h.app("jira", "127.0.0.1")
	h.app("elsewhere", "192.0.2.1")
	conn, err := net.Dial("tcp", h.listener())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	answers := bufio.NewReader(conn)

	body := `{"name":"ada","active":true,"password":{"value":"difference"}}`
	large := strings.Repeat("<x/>", 64<<10)
	for _, one := range []struct {
		do, as, body string
		want         int
	}{
		{"POST /user", "jira", body, 201},
		{"POST /user", "jira", body, 400},
		{"POST /user", "", body, 401},
		{"POST /user", "", large, 401},
		{"POST /user", "elsewhere", body, 403},
		{"POST /nothing/here", "jira", large, 404},
		{"DELETE /user/group/nested", "jira", body, 405},
		{"POST /group", "jira", large, 413},
		{"POST /group", "jira", body[:20], 400},
		{"DELETE /user/attribute?username=ada&attributename=x", "jira", body, 204},
		{"GET /user?username=ada", "jira", large, 200},
		{"GET /user?username=%", "jira", body, 400},
		{"HEAD /user?username=ada", "jira", "", 200},
		{"GET /group/membership", "jira", "", 200},
		{"GET /search?entity-type=user", "jira", "", 200},
		{"POST /authentication?username=ada", "jira", `{"value":"wrong"}`, 400},
		{"POST /session/unknown", "jira", "", 404},
		{"GET /event/x", "jira", "", 410},
	} {
		for _, chunked := range []bool{false, true} {
			what := fmt.Sprintf("%s as %q with %d bytes, chunked: %v", one.do, one.as, len(one.body), chunked)
			want := one.want
			if want == 201 && chunked {
				want = 400 // the name is taken by then
			}
			method, path, _ := strings.Cut(one.do, " ")
			request := fmt.Sprintf("%s %s%s HTTP/1.1\r\nHost: x\r\nX-Atlassian-Token: no-check\r\nContent-Type: application/json\r\n", method, crowdBase, path)
			if one.as != "" {
				request += "Authorization: " + basicOf(one.as) + "\r\n"
			}
			switch {
			case !chunked:
				request += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(one.body), one.body)
			case one.body == "":
				request += "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
			default:
				request += fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(one.body), one.body)
			}
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			response, err := http.ReadResponse(answers, &http.Request{Method: method})
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			got, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != want || response.Close {
				t.Fatalf("%s: %v; the status is %d, want %d; the connection is kept: %v; %s", what, err, response.StatusCode, want, !response.Close, got)
			}
			// A list is streamed, in chunks; everything else has its length.
			streamed := len(response.TransferEncoding) > 0
			if method != http.MethodHead && !streamed && response.ContentLength != int64(len(got)) || streamed && want >= 300 {
				t.Errorf("%s: the length is %d, %v, and the body has %d", what, response.ContentLength, response.TransferEncoding, len(got))
			}
			if response.Header.Get("X-Embedded-Crowd-Version") == "" {
				t.Errorf("%s: there is no X-Embedded-Crowd-Version", what)
			}
		}
	}
	if n := answers.Buffered(); n > 0 {
		t.Errorf("%d bytes more came than were asked for", n)
	}
}

// Base addresses end with a slash or don't, and some clients add one: python-crowd and
// atlassian-crowd-client strip it or add it, go-crowd and mod_authnz_crowd want it there.
func TestQuirk44SlashesOfTheBase(t *testing.T) {
	t.Parallel()
	h := openHouse(t, testkit.NewSQLite(t))
	h.app("jira", "127.0.0.1")
	h.ada("jira")
	for base, context := range map[string]string{
		"/crowd/rest/usermanagement/1": "/crowd", "/crowd//rest/usermanagement/1": "/crowd", "//crowd/rest/usermanagement/1": "/crowd",
		"/crowd/rest//usermanagement//latest": "/crowd", "/crowd/rest/usermanagement/1.0": "/crowd",
		"/rest/usermanagement/1": "", "//rest/usermanagement/1": "", "//rest/usermanagement/latest": "",
	} {
		link := strings.TrimSuffix(h.url, crowdBase) + context + "/rest/usermanagement/1/user?username=ada"
		for _, path := range []string{"/user?username=ada", "/user/?username=ada", "//user?username=ada"} {
			if body := h.want(200, question{do: "GET !" + base + path, as: "jira"}); !strings.Contains(body, `"name":"ada"`) || !strings.Contains(body, link) {
				t.Errorf("%s: want ada at %s, got %s", base+path, link, body)
			}
		}
		h.want(200, question{do: "POST !" + base + "/authentication?username=ada", as: "jira", body: `{"value":"difference"}`})
		h.want(401, question{do: "GET !" + base + "/user?username=ada", as: "jira:wrong"})
		h.want(404, question{do: "GET !" + base + "/nothing", as: "jira"})
		h.want(401, question{do: "GET !" + base + "/nothing"})
		h.want(405, question{do: "DELETE !" + base + "/search", as: "jira"})
	}
	h.want(404, question{do: "GET !/crowd/crowd/rest/usermanagement/1/user?username=ada", as: "jira"})
}
