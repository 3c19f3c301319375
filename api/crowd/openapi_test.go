package crowd_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api/crowd"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/internal/testkit/openapitest"
)

func TestOpenAPIFileIsRight(t *testing.T) {
	t.Parallel()
	if err := openapitest.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for _, problem := range openapitest.Lint(t) {
		t.Error(problem)
	}
}

// The file and the router have the same operations: a resource that is in one of them only is
// either unknown to those who read the file, or not there when they call it.
func TestOpenAPIHasTheRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewSQLite(t), crowd.Options{})
	e := echo.New()
	crowd.Register(e, crowd.Deps{})
	const base = "/crowd/rest/usermanagement/1"
	served := map[string]bool{}
	for _, r := range e.Routes() {
		path, ok := strings.CutPrefix(r.Path, base)
		if !ok || r.Method == http.MethodHead || path == "" || strings.HasSuffix(path, "*") {
			continue
		}
		// A route may be there only to say 405 to a method.
		ask := call{do: r.Method + " " + strings.NewReplacer(":token", "x", ":id", "1").Replace(path), accept: "text/plain"}
		if a := w.send(ask); a.status != http.StatusMethodNotAllowed {
			served[r.Method+" "+pathParameter.ReplaceAllString(path, "{$1}")] = true
		}
	}
	var got []string
	for operation := range served {
		got = append(got, operation)
	}
	slices.Sort(got)
	if diff := cmp.Diff(openapitest.Operations(t), got); diff != "" {
		t.Errorf("openapi.yaml (-) and the routes (+) differ:\n%s", diff)
	}
}

// What the file lists and no other test asks for. Each answer is held against the file by
// world.send.
func TestOpenAPIListsWhatIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testkit.NewSQLite(t), crowd.Options{})
	w.people()
	w.groups()
	for _, operation := range openapitest.Operations(t) {
		path := strings.NewReplacer("{token}", "x", "{id}", "1").Replace(operation)
		for _, format := range []string{"application/json", "application/xml"} {
			w.run(call{name: operation + " with half an escape, " + format, do: path + "?x=%", accept: format, want: 400, reason: "ILLEGAL_ARGUMENT"})
		}
	}
	const attributes, nobody, nothing = `{"attributes":[{"name":"x","values":["1"]}]}`, "username=nobody", "groupname=nothing"
	for _, c := range []call{
		{do: "PUT /user/attribute?" + nobody, body: attributes, want: 404},
		{do: "DELETE /user/attribute?attributename=x&" + nobody, want: 404},
		{do: "DELETE /user/password?" + nobody, want: 404},
		{do: "POST /user/group/direct?username=ada", body: `{"name":"developers"}`, want: 409},
		{do: "POST /group/attribute?" + nothing, body: attributes, want: 404},
		{do: "PUT /group/attribute?" + nothing, body: attributes, want: 404},
		{do: "DELETE /group/attribute?attributename=x&" + nothing, want: 404},
		{do: "POST /group/parent-group/direct?groupname=interns", body: `{"name":"developers"}`, want: 409},
		{do: "GET /group/parent-group/nested?" + nothing, want: 404},
		{do: "GET /group/child-group/direct?" + nothing, want: 404},
		{do: "POST /authentication/notify?username=ada", body: `{}`, want: 200},
		{do: "PUT /group?groupname=interns", body: `<group name="interns"/>`, want: 200},
	} {
		w.run(c)
	}
	for _, list := range []string{"parent-group/direct?groupname=interns", "parent-group/nested?groupname=interns", "child-group/direct?groupname=developers"} {
		for _, more := range []string{"", "&expand=group", "&expand=group,attributes"} {
			w.run(call{do: "GET /group/" + list + more, accept: "application/xml", want: 200, has: []string{"<group name="}})
		}
	}
}

// What the file shows is what the server's own golden answers are.
func TestOpenAPIExamplesAreTheGoldenAnswers(t *testing.T) {
	t.Parallel()
	examples := openapitest.Document(t).Components.Examples
	for example, file := range map[string]string{
		"User": "user.json", "UserXML": "user.xml", "Users": "users.json", "UsersXML": "users.xml",
		"NoUsers": "users-empty.json", "NoUsersXML": "users-empty.xml",
		"Group": "group.json", "GroupXML": "group.xml", "Groups": "groups.json", "GroupsXML": "groups.xml",
		"Attributes": "attributes.json", "AttributesXML": "attributes.xml", "GroupAttributesXML": "attributes-group.xml",
		"Session": "session.json", "SessionXML": "session.xml",
		"CookieConfig": "cookie.json", "CookieConfigXML": "cookie.xml",
		"NotFound": "error.json", "NotFoundXML": "error.xml",
	} {
		golden, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Error(err)
			continue
		}
		value := examples[example].Value.Value
		if strings.HasSuffix(file, ".xml") {
			if diff := cmp.Diff(oneLine(string(golden)), oneLine(value.(string))); diff != "" {
				t.Errorf("%s differs from %s (-golden +example):\n%s", example, file, diff)
			}
			continue
		}
		var want, got any
		shown, err := json.Marshal(value)
		if err == nil {
			err = json.Unmarshal(shown, &got)
		}
		if err == nil {
			err = json.Unmarshal(golden, &want)
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s differs from %s (-golden +example): %v\n%s", example, file, err, diff)
		}
	}
}

var pathParameter = regexp.MustCompile(`:(\w+)`)

// oneLine takes out the line ends that stand between elements to be read.
func oneLine(xml string) string { return strings.ReplaceAll(strings.TrimSpace(xml), "\n", "") }
