package openapitest

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

func exchange(t *testing.T, do, requestBody string, status int, kind, body string) Exchange {
	t.Helper()
	method, path, _ := strings.Cut(do, " ")
	r, err := http.NewRequest(method, "http://rollcall.test/crowd/rest/usermanagement/1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("jira", "secret")
	if requestBody != "" {
		r.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(requestBody, "<") {
			r.Header.Set("Content-Type", "application/xml")
		}
	}
	header := http.Header{"X-Embedded-Crowd-Version": {"Crowd/5.1.0"}}
	if kind != "" {
		header.Set("Content-Type", kind)
	}
	return Exchange{Request: r, RequestBody: requestBody, Status: status, Header: header, Body: body}
}

// examples of the file, with something wrong in each copy.
func example(t *testing.T, name string) string {
	t.Helper()
	return Document(t).Components.Examples[name].Value.Value.(string)
}

const asXML, asJSON, asText = "application/xml", "application/json", "text/plain;charset=UTF-8"

func TestAnswersThatAreFound(t *testing.T) {
	t.Parallel()
	user := example(t, "UserXML")
	for _, c := range []struct {
		name, do   string
		status     int
		kind, body string
		header     func(http.Header)
		want       string // part of the problem; empty: there is none
	}{
		{name: "as it should be", do: "GET /user?username=bob", status: 200, kind: asXML, body: user},
		{name: "an element that nobody described", do: "GET /user?username=bob", status: 200, kind: asXML,
			body: strings.Replace(user, "<active>", "<hash>x</hash><active>", 1), want: "hash"},
		{name: "an element that is missing", do: "GET /user?username=bob", status: 200, kind: asXML,
			body: strings.Replace(user, "<active>true</active>", "", 1), want: "active"},
		{name: "an element that is there twice", do: "GET /user?username=bob", status: 200, kind: asXML,
			body: strings.Replace(user, "<active>", "<active>false</active><active>", 1), want: "two of <active>"},
		{name: "another root", do: "GET /user?username=bob", status: 200, kind: asXML,
			body: strings.Replace(strings.Replace(user, "<user ", "<person ", 1), "</user>", "</person>", 1), want: "should be <user>"},
		{name: "an attribute as an element", do: "GET /user?username=bob", status: 200, kind: asXML,
			body: strings.Replace(user, ` expand="attributes">`, "><expand>attributes</expand>", 1), want: "expand"},
		{name: "no boolean", do: "GET /user?username=bob", status: 200, kind: asXML,
			body: strings.Replace(user, "<active>true", "<active>yes", 1), want: "active"},
		{name: "JSON's dates in XML", do: "GET /user?username=bob", status: 200, kind: asXML,
			body: strings.Replace(user, "2024-03-01T11:30:45.123Z", "1709292645123", 1), want: "created-date"},
		{name: "half a document", do: "GET /user?username=bob", status: 200, kind: asXML, body: user[:len(user)-3], want: "decode"},
		{name: "a list where one was asked for", do: "GET /user?username=bob", status: 200, kind: asXML, body: example(t, "UsersXML"), want: "should be <user>"},
		{name: "a list that is one", do: "GET /group/user/direct?groupname=g", status: 200, kind: asXML, body: example(t, "UsersXML")},
		{name: "an entry with half its fields", do: "GET /group/user/direct?groupname=g", status: 200, kind: asXML,
			body: strings.Replace(example(t, "UsersXML"), "</user>", "<active>true</active></user>", 1), want: "active"},
		{name: "a list without its array", do: "GET /group/user/direct?groupname=g", status: 200, kind: asJSON, body: `{"expand":"user"}`, want: "doesn't match"},
		{name: "a status that is not listed", do: "GET /user?username=bob", status: 409, kind: asJSON, body: `{"reason":"INVALID_USER","message":"x"}`, want: "no answer 409"},
		{name: "a failure of HTTP", do: "GET /user?username=bob", status: 406, kind: asXML, body: `<error><reason>ILLEGAL_ARGUMENT</reason><message>x</message></error>`},
		{name: "a reason that nobody knows", do: "GET /user?username=bob", status: 404, kind: asJSON, body: `{"reason":"GONE_FISHING","message":"x"}`, want: "reason"},
		{name: "a body that says too much", do: "DELETE /user?username=bob", status: 204, body: "x", want: "no body"},
		{name: "no version header", do: "DELETE /user?username=bob", status: 204, header: func(h http.Header) { h.Del("X-Embedded-Crowd-Version") }, want: "X-Embedded-Crowd-Version"},
		{name: "created and not told where", do: "POST /group", status: 201, want: "Location"},
		{name: "another type", do: "GET /user?username=bob", status: 200, kind: "text/html", body: "<html/>", want: "text/html"},
		{name: "401 as the clients want it", do: "GET /user?username=bob", status: 401, kind: asText, body: "Application failed to authenticate",
			header: func(h http.Header) { h.Set("WWW-Authenticate", `Basic realm="Crowd REST Service"`) }},
		{name: "401 with a line end", do: "GET /user?username=bob", status: 401, kind: asText, body: "Application failed to authenticate\n",
			header: func(h http.Header) { h.Set("WWW-Authenticate", `Basic realm="Crowd REST Service"`) }, want: "match"},
		{name: "a path that isn't there", do: "GET /users", status: 404, kind: asJSON, body: `{"reason":"OPERATION_FAILED","message":"x"}`},
		{name: "a path that isn't there and answers", do: "GET /users", status: 200, kind: asJSON, body: `{}`, want: "no answer 200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := exchange(t, c.do, "", c.status, c.kind, c.body)
			if c.header != nil {
				c.header(x.Header)
			}
			path, _ := place(x.Request)
			route, params := find(Document(t), x.Request.Method, path)
			wantProblem(t, c.want, checkAnswer(t.Context(), x, route, params))
		})
	}
}

func TestRequestsThatAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, do, body, want string }{
		{name: "as it should be", do: "POST /user", body: `{"name":"bob"}`},
		{name: "fields that only answers have", do: "PUT /user?username=bob", body: `{"name":"bob","link":{},"key":"1:x"}`},
		{name: "in XML", do: "POST /user", body: `<user name="bob"><active>true</active></user>`},
		{name: "without what must be there", do: "POST /user", body: `{"active":true}`, want: "name"},
		{name: "without a parameter", do: "GET /user/attribute", want: "username"},
		{name: "with one that isn't there", do: "GET /user?user=bob", want: "no parameter user"},
		{name: "a number that is none", do: "GET /group/user/direct?groupname=g&max-results=all", want: "max-results"},
		{name: "a semicolon in a name", do: "GET /user/attribute?username=a;b"},
		{name: "a restriction in a restriction", do: "POST /search?entity-type=user", body: `<boolean-search-restriction boolean-logic="or"><restrictions><null-search-restriction/><boolean-search-restriction boolean-logic="and"/></restrictions></boolean-search-restriction>`},
		{name: "one that isn't there", do: "POST /search?entity-type=user", body: `<odd-search-restriction/>`, want: "odd-search-restriction"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := exchange(t, c.do, c.body, 200, asJSON, "")
			path, _ := place(x.Request)
			route, params := find(Document(t), x.Request.Method, path)
			wantProblem(t, c.want, checkRequest(t.Context(), x, route, params))
		})
	}
}

func wantProblem(t *testing.T, want string, err error) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && err == nil:
		t.Errorf("nothing was found, want something about %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("want something about %q, got %v", want, err)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, address, want string
		ours                  bool
	}{
		{"GET", "/crowd/rest/usermanagement/1/user?x=y", "/user", true},
		{"GET", "//rest/usermanagement/latest//user/", "/user", true},
		{"GET", "/crowd/rest/usermanagement/1.0/user.json", "/user", true},
		{"GET", "/rest/usermanagement/1/session/a%2Fb.xml", "/session/a%2Fb", true},
		{"DELETE", "/rest/usermanagement/1/session/", "/session/", true},
		{"DELETE", "/rest/usermanagement/1/session", "/session", true},
		{"GET", "/crowd/rest/usermanagement/2/user", "", false},
		{"GET", "/elsewhere", "", false},
	} {
		r, err := http.NewRequestWithContext(context.Background(), c.method, "http://rollcall.test"+c.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, ours := place(r); got != c.want || ours != c.ours {
			t.Errorf("%s %s is %q, %v; want %q, %v", c.method, c.address, got, ours, c.want, c.ours)
		}
	}
}
