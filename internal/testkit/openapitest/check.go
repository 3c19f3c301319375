package openapitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// An Exchange is one request and its answer.
type Exchange struct {
	Request     *http.Request // as it was sent; its body is not read
	RequestBody string
	Status      int
	Header      http.Header
	Body        string
}

// Check fails the test where the answer is not one that openapi.yaml has for its operation and
// status, or where the request was granted and the file has no such request. What is not of
// Crowd's API is left alone.
func Check(t testing.TB, x Exchange) {
	t.Helper()
	path, ours := place(x.Request)
	if !ours {
		return
	}
	route, params := find(Document(t), x.Request.Method, path)
	if err := checkAnswer(t.Context(), x, route, params); err != nil {
		t.Errorf("%s %s: openapi.yaml does not have this answer: %d %s\n%v", x.Request.Method, x.Request.URL, x.Status, x.Body, err)
	}
	if route == nil || x.Status >= 300 {
		return
	}
	if err := checkRequest(t.Context(), x, route, params); err != nil {
		t.Errorf("%s %s: openapi.yaml does not have this request, which was granted: %s\n%v", x.Request.Method, x.Request.URL, x.RequestBody, err)
	}
}

var bases = regexp.MustCompile(`^/+(?:crowd/+)?rest/+usermanagement/+(?:1|1\.0|latest)(/.*)$`)

// place gives the path of a request under the API's base, as openapi.yaml spells it; ours is
// false for what is not of the API.
func place(r *http.Request) (path string, ours bool) {
	under := bases.FindStringSubmatch(r.URL.EscapedPath())
	if under == nil {
		return "", false
	}
	written := "/" + strings.TrimLeft(under[1], "/")
	path = strings.TrimRight(written, "/")
	if r.Method == http.MethodDelete && path == "/session" && written != path {
		return "/session/", true // is not the resource without the slash
	}
	for _, suffix := range []string{".json", ".xml"} {
		if name, ok := strings.CutSuffix(path, suffix); ok && !strings.HasSuffix(name, "/") {
			return name, true
		}
	}
	return path, true
}

// find gives the operation of a path, and the values in the path; nil when there is none.
func find(doc *openapi3.T, method, path string) (*routers.Route, map[string]string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for pattern, item := range doc.Paths.Map() {
		params, ok := match(pattern, path)
		if operation := item.GetOperation(method); ok && operation != nil {
			return &routers.Route{Spec: doc, Path: pattern, PathItem: item, Method: method, Operation: operation}, params
		}
	}
	return nil, nil
}

func match(pattern, path string) (map[string]string, bool) {
	if pattern == path {
		return nil, true
	}
	// Echo's last parameter takes slashes, too.
	before, name, ok := strings.Cut(pattern, "{")
	value, under := strings.CutPrefix(path, before)
	if !ok || !under || value == "" {
		return nil, false
	}
	plain, err := url.PathUnescape(value)
	if err != nil {
		return nil, false
	}
	return map[string]string{strings.TrimSuffix(name, "}"): plain}, true
}

// byHTTP are the statuses that an operation does not list by itself.
var byHTTP = []int{
	http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge,
	http.StatusUnsupportedMediaType, http.StatusInternalServerError,
}

// checkAnswer holds an answer against the operation's; without an operation, against what there
// can be then.
func checkAnswer(ctx context.Context, x Exchange, route *routers.Route, params map[string]string) error {
	if route == nil {
		doc, err := document()
		if err != nil {
			return err
		}
		route = &routers.Route{Spec: doc, Path: "/", Method: x.Request.Method, Operation: nowhere(doc)}
	}
	response := route.Operation.Responses.Status(x.Status)
	if response == nil && !slices.Contains(byHTTP, x.Status) {
		return fmt.Errorf("%s %s has no answer %d", route.Method, route.Path, x.Status)
	}
	if response != nil && len(response.Value.Content) == 0 && x.Body != "" {
		return errors.New("there should be no body")
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: x.Request, PathParams: params, Route: route},
		Status:                 x.Status, Header: x.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes([]byte(x.Body))
	return openapi3filter.ValidateResponse(ctx, input)
}

// nowhere is an operation that doesn't exist.
func nowhere(doc *openapi3.T) *openapi3.Operation {
	responses := openapi3.NewResponses()
	for status, name := range map[int]string{
		http.StatusUnauthorized: "Unauthorized", http.StatusForbidden: "Forbidden",
		http.StatusNotFound: "NotFound", http.StatusMethodNotAllowed: "Failure",
	} {
		responses.Set(fmt.Sprint(status), &openapi3.ResponseRef{Value: doc.Components.Responses[name].Value})
	}
	responses.Delete("default")
	return &openapi3.Operation{Responses: responses}
}

// checkRequest holds a request against the operation's.
func checkRequest(ctx context.Context, x Exchange, route *routers.Route, params map[string]string) error {
	query, err := parseQuery(x.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	for name := range query {
		if !slices.ContainsFunc(route.Operation.Parameters, func(p *openapi3.ParameterRef) bool {
			return p.Value.In == openapi3.ParameterInQuery && p.Value.Name == name
		}) {
			return fmt.Errorf("there is no parameter %s", name)
		}
	}
	request := x.Request.Clone(ctx)
	request.Body = io.NopCloser(strings.NewReader(x.RequestBody))
	return openapi3filter.ValidateRequest(ctx, &openapi3filter.RequestValidationInput{
		Request: request, PathParams: params, QueryParams: query, Route: route,
		Options: &openapi3filter.Options{
			ExcludeRequestBody:  !typed(x.Request.Header) || x.RequestBody == "",
			SkipSettingDefaults: true, MultiError: true,
			AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
				if _, _, ok := in.RequestValidationInput.Request.BasicAuth(); !ok {
					return errors.New("the request has no application's name and password")
				}
				return nil
			},
		},
	})
}

// typed tells of a body that says what it is. Some resources take one that doesn't.
func typed(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "application/json" || kind == "application/xml"
}

// parseQuery splits at "&" only, as the server does: clients send ";" as it is.
func parseQuery(raw string) (url.Values, error) {
	query := url.Values{}
	for piece := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(piece, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, err
		}
		if name != "" {
			query.Add(name, value)
		}
	}
	return query, nil
}
