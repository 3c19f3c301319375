package server

import (
	stdflag "flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func init() {
	if stdflag.Lookup("update") == nil { // a helper package may have defined it
		stdflag.Bool("update", false, "rewrite golden files")
	}
}

// The table in docs/configuration.md is the one in config.go; `go test ./server -update` writes it.
func TestDocumentation(t *testing.T) {
	const file, begin, end = "../docs/configuration.md", "<!-- settings: written by go test ./server -update -->\n", "<!-- end of settings -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks around its table", file)
	}
	want := before + begin + documentation() + end + after
	if stdflag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(data), "\n")); diff != "" {
		t.Errorf("%s isn't up to date; run go test ./server -update (-want +got):\n%s", file, diff)
	}
}

func documentation() string {
	var table strings.Builder
	table.WriteString("| setting | variable | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, s := range settings {
		fallback := "–"
		if s.fallback != "" {
			fallback = "`" + s.fallback + "`"
		}
		name, variable := "`"+s.name+"`", "`"+envName(s.name)+"`"
		if s.mayBeFile() {
			name += ", `" + s.name + fileSuffix + "`"
			variable += ", `" + envName(s.name+fileSuffix) + "`"
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", name, variable, fallback, s.doc)
	}
	return table.String()
}
