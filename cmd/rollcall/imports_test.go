package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// This test holds the map of the program: which package may import which. Data moves one way,
// door → rules → store → roster → view → door, and an arrow the other way is a design question
// before it is an import.

const module = "github.com/rollcall-id/rollcall"

// A row says which packages of ours one package may import. A name that ends in "/*" stands for
// the packages below it, at any depth.
type row struct {
	name string
	may  []string
}

// anything stands in a row for all packages above it.
const anything = "*"

// table has the packages in such an order that each imports only what stands above it.
var table = []row{
	{"models", nil},
	{"internal/password", nil},
	{"internal/mail", nil},
	{"internal/fakecloud", nil},
	{"store/migrations", []string{"models"}},
	{"store", []string{"models", "store/migrations"}},
	{"internal/outbox", []string{"models", "store", "internal/mail"}},
	{"internal/audit", []string{"models", "store"}},
	{"internal/doctor", []string{"models", "store"}},
	{"roster", []string{"models", "store"}},
	{"directory", []string{"models", "store", "internal/password"}},
	{"application", []string{"models", "store", "roster", "directory", "internal/password", "internal/audit"}},
	{"session", []string{"models", "store"}},
	{"login", []string{"models", "store", "roster", "directory", "application", "session", "internal/password", "internal/audit"}},
	{"sync", []string{"models", "store", "directory"}},
	{"sync/sourcetest", []string{"models", "directory", "sync", "internal/fakecloud"}},
	{"sync/cloud", []string{"sync"}},
	{"sync/*", []string{"models", "directory", "sync", "sync/cloud"}},
	{"saml", []string{"models", "store", "directory", "application", "session", "login"}},
	{"internal/explain", []string{"models", "store", "roster", "directory", "application", "login", "sync"}},
	{"internal/importer", []string{"models", "directory", "application", "sync"}},
	{"internal/state", []string{"models", "store", "directory", "application", "login", "sync", "saml"}},
	{"internal/backup", []string{"models", "store"}},
	{"api", []string{"models", "application", "session", "login"}},
	{"api/crowd", []string{"api", "application", "login", "session", "models"}},
	{"api/admin", []string{
		"api", "models", "directory", "application", "login", "session", "sync", "saml",
		"internal/password", "internal/mail", "internal/outbox", "internal/audit",
		"internal/explain", "internal/importer", "internal/state", "internal/backup",
	}},
	{"api/scim", []string{"api", "directory", "session", "models"}},
	{"web/*", []string{"application", "directory", "login", "session", "models", "web/*"}},
	{"web", []string{"application", "directory", "login", "session", "models", "web/*"}},
	{"server", []string{anything}},
	{"cmd/rollcall", []string{anything}},
}

// tools import what they like, and nothing but tests and tools imports them.
var tools = []string{"internal/testkit", "internal/testkit/*", "internal/bench", "internal/bench/*", "scripts/*"}

// testsOnly are packages of the table that are made for tests, too.
var testsOnly = []string{"sync/sourcetest"}

// libraries says who may import a library: the packages that speak its language.
var libraries = []struct {
	prefix string
	by     []string
}{
	{"gorm.io/", []string{"store", "store/migrations"}},
	{"github.com/labstack/echo", []string{"api", "api/*", "saml", "web", "web/*", "server"}},
	{"github.com/prometheus/", []string{"server"}},
	{"github.com/wneessen/go-mail", []string{"internal/mail"}},
	{"github.com/tidwall/btree", []string{"roster"}},
	{"google.golang.org/api", []string{"sync/google"}},
}

// spelling says under which name a package is imported, where its own collides with another.
var spelling = []struct {
	path, name string
	in         string // the package that has to; empty for all
}{
	{module + "/sync", "dirsync", ""},
	{"github.com/crewjam/saml", "crewjam", ""},
	{module + "/api/crowd", "crowdapi", "server"},
	{module + "/sync/crowd", "crowdsource", "server"},
}

const edit = "cmd/rollcall/imports_test.go"

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	t.Parallel()
	found := listPackages(t)
	if len(found) == 0 {
		t.Fatal("go list found no package")
	}
	for _, p := range found {
		for _, problem := range importProblems(p) {
			t.Error(problem)
		}
	}
}

func TestPackagesAreImportedUnderOneName(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		for _, file := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.ImportsOnly)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, spec := range parsed.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value)
				name := ""
				if spec.Name != nil {
					name = spec.Name.Name
				}
				if problem := spellingProblem(ours(p.ImportPath), imported, name); problem != "" {
					t.Errorf("%s: %s", path.Join(ours(p.ImportPath), file), problem)
				}
			}
		}
	}
}

func TestImportTableIsAnOrder(t *testing.T) {
	t.Parallel()
	for i, r := range table {
		for _, allowed := range r.may {
			above := slices.ContainsFunc(table[:i], func(o row) bool { return o.name == allowed })
			if !above && allowed != anything && allowed != r.name {
				t.Errorf("the row of %s allows %s, which does not stand above it; edit %s", r.name, allowed, edit)
			}
		}
	}
}

func TestImportTableRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		pkg     string
		imports []string
		want    []string // the imports that are refused; the package itself when it has no row
	}{
		{"a rule asks the store", "directory", []string{"fmt", module + "/store"}, nil},
		{"the program builds everything", "server", []string{module + "/store", module + "/web/login", module + "/sync/okta", "github.com/prometheus/client_golang/prometheus"}, nil},
		{"a page uses its neighbour", "web/login", []string{module + "/web/assets", "github.com/labstack/echo/v4"}, nil},
		{"a helper of tests imports what it likes", "internal/testkit", []string{module + "/server", "gorm.io/gorm"}, nil},
		{"a door asks the store", "api/crowd", []string{module + "/store"}, []string{module + "/store"}},
		{"the store calls a rule", "store", []string{module + "/directory"}, []string{module + "/directory"}},
		{"a source knows our rows", "sync/okta", []string{module + "/store"}, []string{module + "/store"}},
		{"a rule speaks GORM", "directory", []string{"gorm.io/gorm"}, []string{"gorm.io/gorm"}},
		{"a rule speaks HTTP", "login", []string{"github.com/labstack/echo/v4"}, []string{"github.com/labstack/echo/v4"}},
		{"a door measures", "api", []string{"github.com/prometheus/client_golang/prometheus"}, []string{"github.com/prometheus/client_golang/prometheus"}},
		{"the program uses a helper of tests", "server", []string{module + "/internal/testkit"}, []string{module + "/internal/testkit"}},
		{"a source ships its tests", "sync/okta", []string{module + "/sync/sourcetest"}, []string{module + "/sync/sourcetest"}},
		{"nobody imports the program", "server", []string{module + "/cmd/rollcall"}, []string{module + "/cmd/rollcall"}},
		{"a package that nobody planned", "helpers", nil, []string{"helpers"}},
		{"a folder below one that has a row", "directory/util", nil, []string{"directory/util"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var refused []string
			for _, problem := range importProblems(listed{ImportPath: module + "/" + c.pkg, Imports: c.imports}) {
				refused = append(refused, problem.about)
				if !strings.Contains(problem.String(), c.pkg) || !strings.Contains(problem.String(), edit) {
					t.Errorf("the message names the package and the file to edit; got %q", problem)
				}
			}
			if diff := cmp.Diff(c.want, refused); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestImportSpelling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pkg, imported, name string
		good                bool
	}{
		{"login", module + "/sync", "dirsync", true},
		{"login", module + "/sync", "", false},
		{"sync", "sync", "", true},
		{"saml", "github.com/crewjam/saml", "crewjam", true},
		{"saml", "github.com/crewjam/saml", "", false},
		{"server", module + "/api/crowd", "crowdapi", true},
		{"server", module + "/api/crowd", "", false},
		{"cmd/rollcall", module + "/api/crowd", "", true},
		{"server", module + "/sync/crowd", "crowdapi", false},
	} {
		if got := spellingProblem(c.pkg, c.imported, c.name) == ""; got != c.good {
			t.Errorf("%s imports %s as %q: want good %v, got %v", c.pkg, c.imported, c.name, c.good, got)
		}
	}
}

// A problem is one line of the program that the map does not have.
type problem struct {
	pkg   string
	about string // the import; the package itself when it has no row
	what  string
}

func (p problem) String() string {
	return fmt.Sprintf("package %s: %s; change the design, or the table in %s", p.pkg, p.what, edit)
}

func importProblems(p listed) []problem {
	pkg := ours(p.ImportPath)
	if matches(tools, pkg) {
		return nil
	}
	r, known := rowOf(pkg)
	if !known {
		return []problem{{pkg, pkg, "it has no row in the table of packages"}}
	}
	var problems []problem
	for _, imported := range p.Imports {
		if what := importProblem(r, pkg, imported); what != "" {
			problems = append(problems, problem{pkg, imported, what})
		}
	}
	return problems
}

func importProblem(r row, pkg, imported string) string {
	if !strings.HasPrefix(imported, module+"/") {
		for _, l := range libraries {
			if strings.HasPrefix(imported, l.prefix) && !matches(l.by, pkg) {
				return fmt.Sprintf("it imports %s, which only %s may", imported, strings.Join(l.by, ", "))
			}
		}
		return ""
	}
	if matches(tools, ours(imported)) || matches(testsOnly, ours(imported)) {
		return fmt.Sprintf("it imports %s, which only tests may", imported)
	}
	allowed := r.may
	if slices.Contains(allowed, anything) {
		allowed = nil
		for _, above := range table {
			if above.name == r.name {
				break
			}
			allowed = append(allowed, above.name)
		}
	}
	if !matches(allowed, ours(imported)) {
		return fmt.Sprintf("it imports %s, and may import of ours only: %s", imported, strings.Join(allowed, ", "))
	}
	return ""
}

func spellingProblem(pkg, imported, name string) string {
	for _, s := range spelling {
		if s.path == imported && (s.in == "" || s.in == pkg) && name != s.name {
			return fmt.Sprintf("imports %q; write: import %s %q (the names stand in %s)", imported, s.name, imported, edit)
		}
	}
	return ""
}

// rowOf finds the row of a package: its own, or that of the folder it lies in.
func rowOf(pkg string) (row, bool) {
	i := slices.IndexFunc(table, func(r row) bool { return matches([]string{r.name}, pkg) })
	if i < 0 {
		return row{}, false
	}
	return table[i], true
}

// matches says whether pkg is one of names, or lies below one that ends in "/*".
func matches(names []string, pkg string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		folder, below := strings.CutSuffix(name, "*")
		return name == pkg || below && strings.HasPrefix(pkg, folder)
	})
}

// ours shortens the path of a package of this module to its folder.
func ours(importPath string) string {
	return strings.TrimPrefix(importPath, module+"/")
}

// listed is what we ask of `go list`; Imports are those of the files that are not tests.
type listed struct {
	ImportPath   string
	Dir          string
	Imports      []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	// -e: a package with a broken import is reported by the compiler, and is compared here all
	// the same.
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Dir,Imports,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	list.Dir = filepath.Join("..", "..")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}
