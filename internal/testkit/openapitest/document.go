// Package openapitest holds a server's answers against openapi.yaml, the description of Crowd's
// API at the root of this repository:
//
//	Check       one request and its answer
//	Operations  which operations the file has
//	Validate    whether the file itself is right, its examples included
//
// XML is turned into the values that the same schema describes for JSON, by the schema's own
// notes on XML (see xml.go), so that both formats are held against schemas.
package openapitest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// Document gives openapi.yaml, read once in a test process.
func Document(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatalf("read openapi.yaml: %v", err)
	}
	return doc
}

var document = sync.OnceValues(func() (*openapi3.T, error) {
	openapi3filter.RegisterBodyDecoder("application/xml", decodeBody)
	return load()
})

func load() (*openapi3.T, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		path := filepath.Join(dir, "openapi.yaml")
		if _, err := os.Stat(path); err == nil {
			return openapi3.NewLoader().LoadFromFile(path)
		}
		above := filepath.Dir(dir)
		if above == dir {
			return nil, errors.New("there is no openapi.yaml above the tests' folder")
		}
		dir = above
	}
}

// Operations gives the operations of the file, sorted: "GET /session/{token}".
func Operations(t testing.TB) []string {
	t.Helper()
	var operations []string
	for path, item := range Document(t).Paths.Map() {
		for method := range item.Operations() {
			operations = append(operations, method+" "+path)
		}
	}
	slices.Sort(operations)
	return operations
}

// Validate says what is wrong with the file: against OpenAPI's own rules, and of each example
// against its schema. Examples in XML are texts there; they are read first.
func Validate(ctx context.Context) error {
	doc, err := load() // a copy of our own: what Document gives stays as it was written
	if err != nil {
		return err
	}
	var problems []error
	for where, content := range contents(doc) {
		xml := content["application/xml"]
		if xml == nil || xml.Schema == nil {
			continue
		}
		for name, example := range xml.Examples {
			text, isText := example.Value.Value.(string)
			if !isText {
				continue // shared with another content, and read there
			}
			value, err := decode(text, xml.Schema.Value)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s: the XML example %s: %w", where, name, err))
				continue
			}
			example.Value.Value = value
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	return doc.Validate(ctx)
}

// contents gives the contents of all bodies of the file, of requests and of answers, by where
// they are.
func contents(doc *openapi3.T) map[string]openapi3.Content {
	found := map[string]openapi3.Content{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			where := method + " " + path
			if body := operation.RequestBody; body != nil {
				found[where] = body.Value.Content
			}
			for status, response := range operation.Responses.Map() {
				found[where+" "+status] = response.Value.Content
			}
		}
	}
	return found
}

// Lint says what the file lacks that OpenAPI itself doesn't ask for.
func Lint(t testing.TB) (problems []string) {
	t.Helper()
	doc := Document(t)
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	ids, tags := map[string]string{}, map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = true
		if !sentence(tag.Description) {
			complain("tag %s: the description is no sentence", tag.Name)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			where := method + " " + path
			if other, taken := ids[o.OperationID]; taken || o.OperationID == "" {
				complain("%s: the operationId %q is missing or that of %s", where, o.OperationID, other)
			}
			ids[o.OperationID] = where
			if o.Summary == "" || len(o.Summary) > 75 || strings.HasSuffix(o.Summary, ".") {
				complain("%s: the summary is missing, longer than a line, or ends with a period", where)
			}
			if o.Description != "" && !sentence(o.Description) {
				complain("%s: the description is no sentence", where)
			}
			if len(o.Tags) != 1 || !tags[o.Tags[0]] {
				complain("%s: the tags are %v, want one of the file's", where, o.Tags)
			}
			lintParameters(where, path, o.Parameters, complain)
			lintResponses(where, o, complain)
		}
	}
	for name, schema := range doc.Components.Schemas {
		if d := schema.Value.Description; d != "" && !sentence(d) {
			complain("schema %s: the description is no sentence", name)
		}
	}
	for _, unused := range unusedComponents(doc) {
		complain("%s is used nowhere", unused)
	}
	slices.Sort(problems)
	return problems
}

// sentence tells of a text that begins like one and ends like one.
func sentence(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) > 3 && strings.ContainsRune(".?)", rune(text[len(text)-1])) && strings.ToUpper(text[:1]) == text[:1]
}

func lintParameters(where, path string, parameters openapi3.Parameters, complain func(string, ...any)) {
	for _, p := range parameters {
		if !sentence(p.Value.Description) || p.Value.Example == nil {
			complain("%s: the parameter %s has no description or no example", where, p.Value.Name)
		}
		if p.Value.In == "path" && !strings.Contains(path, "{"+p.Value.Name+"}") {
			complain("%s: the parameter %s is not in the path", where, p.Value.Name)
		}
	}
}

// common are the answers that every operation can give.
var common = []string{"401", "403", "503", "default"}

func lintResponses(where string, o *openapi3.Operation, complain func(string, ...any)) {
	responses := o.Responses.Map()
	for _, status := range common {
		if responses[status] == nil {
			complain("%s: there is no answer %s", where, status)
		}
	}
	good := 0
	for status, r := range responses {
		if !sentence(*r.Value.Description) {
			complain("%s %s: the description is no sentence", where, status)
		}
		if r.Value.Headers["X-Embedded-Crowd-Version"] == nil {
			complain("%s %s: the header X-Embedded-Crowd-Version is missing", where, status)
		}
		if status[0] == '2' {
			good++
		}
		if status == "201" && r.Value.Headers["Location"] == nil {
			complain("%s %s: the header Location is missing", where, status)
		}
		lintContent(where+" "+status, r.Value.Content, complain)
	}
	if good != 1 {
		complain("%s: there are %d answers of success, want one", where, good)
	}
	if (o.RequestBody != nil) && (where[:3] == http.MethodGet || where[:3] == "DEL") {
		complain("%s: a body that nobody reads", where)
	}
	if o.RequestBody != nil && o.OperationID[:4] != "mail" {
		lintContent(where, o.RequestBody.Value.Content, complain)
	}
}

// lintContent wants an example of every body, and XML beside JSON.
func lintContent(where string, content openapi3.Content, complain func(string, ...any)) {
	if len(content) == 0 {
		return
	}
	for kind, media := range content {
		if media.Schema == nil || len(media.Examples) == 0 && media.Example == nil {
			complain("%s: %s has no schema or no example", where, kind)
		}
	}
	onlyXML := strings.HasPrefix(where, "GET /group/membership 200")
	onlyText := strings.HasSuffix(where, " 401")
	if content["application/xml"] == nil && !onlyText || content["application/json"] == nil && !onlyText && !onlyXML {
		complain("%s: one of the formats is missing", where)
	}
}

// unusedComponents finds schemas and examples that nothing refers to.
func unusedComponents(doc *openapi3.T) (unused []string) {
	text, err := doc.MarshalJSON()
	if err != nil {
		return []string{err.Error()}
	}
	c := doc.Components
	for kind, names := range map[string][]string{
		"schemas": slices.Collect(maps.Keys(c.Schemas)), "examples": slices.Collect(maps.Keys(c.Examples)),
		"parameters": slices.Collect(maps.Keys(c.Parameters)), "responses": slices.Collect(maps.Keys(c.Responses)),
		"requestBodies": slices.Collect(maps.Keys(c.RequestBodies)), "headers": slices.Collect(maps.Keys(c.Headers)),
	} {
		for _, name := range names {
			if ref := `"#/components/` + kind + "/" + name + `"`; !strings.Contains(string(text), ref) {
				unused = append(unused, kind+"/"+name)
			}
		}
	}
	return unused
}
