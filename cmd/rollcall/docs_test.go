package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// docs/cli.md is made from the commands; `go test ./cmd/rollcall -update` writes it.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	const file = "../../docs/cli.md"
	want := documentation()
	if updating() {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s isn't up to date; run go test ./cmd/rollcall -update (-want +got):\n%s", file, diff)
	}
}

func TestEveryCommandIsDocumented(t *testing.T) {
	t.Parallel()
	p := &program{}
	walk(newRoot(p), func(cmd *cobra.Command) {
		name := cmd.CommandPath()
		if cmd.Short == "" || cmd.Example == "" {
			t.Errorf("%s has no short text or no example", name)
		}
		if !p.documented(cmd) {
			return
		}
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			if !strings.HasPrefix(line, "  ") || !strings.Contains(line, name) {
				t.Errorf("the example of %s is not two blanks and the command: %q", name, line)
			}
		}
		if object, ok := p.objects[cmd]; ok {
			checkFields(t, name, reflect.TypeOf(object))
		} else if name != "rollcall serve" {
			t.Errorf("%s has no --json", name)
		}
	})
}

var lowerCamel = regexp.MustCompile(`^[a-z]+([A-Z][a-z]*)*$`)

func checkFields(t *testing.T, command string, object reflect.Type) {
	t.Helper()
	for _, f := range fieldsOf(object) {
		if !lowerCamel.MatchString(f.key) || f.doc == "" {
			t.Errorf("%s --json: the key %q is not lowerCamel or has no sentence", command, f.key)
		}
	}
}
