package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
)

// documentation makes docs/cli.md of the commands themselves. A test compares the two.
func documentation() string {
	p := &program{}
	root := newRoot(p)
	var b strings.Builder
	b.WriteString(docsTop)
	b.WriteString("| code | meaning |\n| --- | --- |\n")
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", e.code, e.doc)
	}
	b.WriteString("\n## Commands\n\n| command | what it does |\n| --- | --- |\n")
	walk(root, func(cmd *cobra.Command) {
		if p.documented(cmd) {
			fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", cmd.CommandPath(), strings.ReplaceAll(cmd.CommandPath(), " ", "-"), cmd.Short)
		}
	})
	walk(root, func(cmd *cobra.Command) {
		if p.documented(cmd) {
			p.document(&b, cmd)
		}
	})
	return b.String()
}

// walk calls do with each command that --help shows.
func walk(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			walk(below, do)
		}
	}
}

// documented tells whether a command does something itself: `sync` does, though there are
// commands below it.
func (p *program) documented(cmd *cobra.Command) bool {
	_, answers := p.objects[cmd]
	return answers || !cmd.HasSubCommands()
}

// document writes one command's part.
func (p *program) document(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n### %s\n\n", cmd.CommandPath())
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(b, "```\n%s\n```\n\n%s\n", synopsis(cmd), paragraphs(text))
	if flags := ownFlags(cmd).FlagUsages(); flags != "" {
		fmt.Fprintf(b, "\nFlags:\n\n```\n%s```\n", flags)
	}
	fmt.Fprintf(b, "\nExamples:\n\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n"))
	if object, ok := p.objects[cmd]; ok {
		documentObject(b, reflect.TypeOf(object))
	}
}

// paragraphs keeps indented lists as they are, and lets everything else flow.
func paragraphs(text string) string {
	var out []string
	for part := range strings.SplitSeq(text, "\n\n") {
		if strings.Contains(part, "\n  ") {
			out = append(out, "```\n"+part+"\n```")
		} else {
			out = append(out, strings.ReplaceAll(part, "\n", " "))
		}
	}
	return strings.Join(out, "\n\n")
}

func documentObject(b *strings.Builder, t reflect.Type) {
	what := "an object"
	if t.Kind() == reflect.Slice {
		what = "an array of objects"
	}
	fmt.Fprintf(b, "\n`--json` writes %s:\n\n| key | type | meaning |\n| --- | --- | --- |\n", what)
	for _, f := range fieldsOf(t) {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.path, f.kind, f.doc)
	}
}

// A field is one key of an object.
type field struct{ key, path, kind, doc string }

// fieldsOf lists the keys of an object, and below each those of the objects in it.
func fieldsOf(t reflect.Type) []field { return appendFields(nil, "", t) }

func appendFields(all []field, path string, t reflect.Type) []field {
	for t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			all = appendFields(all, path, below(f.Type))
			continue
		}
		if f.Tag.Get("json") == "-" {
			continue
		}
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := kindOf(f.Type)
		if strings.Contains(options, "omitempty") {
			kind += ", may be left out"
		}
		all = append(all, field{key: key, path: path + key, kind: kind, doc: f.Tag.Get("doc")})
		switch inner := below(f.Type); {
		case inner.Kind() == reflect.Slice && below(inner.Elem()).Kind() == reflect.Struct:
			all = appendFields(all, path+key+"[].", inner)
		case inner.Kind() == reflect.Struct:
			all = appendFields(all, path+key+".", inner)
		}
	}
	return all
}

// below gives what a pointer points to.
func below(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func kindOf(t reflect.Type) string {
	switch t = below(t); t.Kind() {
	case reflect.Struct:
		return "object"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "number"
	case reflect.Map:
		return "object of " + kindOf(t.Elem()) + "s"
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.Uint8:
			return "object"
		case reflect.Struct:
			return "array of objects"
		}
		return "array of " + kindOf(t.Elem()) + "s"
	}
	return "string"
}

const docsTop = `# The command line

<!-- Written by go test ./cmd/rollcall -update; change the commands instead. -->

` + "`rollcall`" + ` is one program: ` + "`rollcall serve`" + ` answers requests, every other command manages what it answers. Commands work on the database itself, while the server runs and while it doesn't, on SQLite and on PostgreSQL; a running server knows within a second. One that finds an empty database makes its tables; one that finds an older schema refuses it, since only ` + "`serve`" + ` upgrades.

**Settings.** Every command reads the same settings: defaults, then the YAML file that ` + "`--config`" + ` or ` + "`ROLLCALL_CONFIG`" + ` names, then the environment (` + "`ROLLCALL_DATABASE_URL`" + ` …), then flags. [configuration.md](configuration.md) lists them. All commands have the flags ` + "`--config`, `--database-url`, `--database-url-file`, `--secret-key-file` and `--data-dir`; `serve` and `config print`" + ` have a flag for each setting.

**Output.** Data is on stdout, everything else on stderr: "error:" with "hint:" what to do, "warning:", "note:". There are no colours. With ` + "`--json`" + ` stdout has JSON and nothing else; the objects are described at each command, keys may be added, and none is renamed. Times are in UTC. A list that could not be read to its end lacks its last bracket, and the exit code says so.

**Passwords** are read from stdin (` + "`--password-stdin`" + `), from a file (` + "`--password-file`" + `), or asked for on a terminal. They are never arguments: every user of a machine can read those.

**Deleting** wants the name of what goes typed once more. Where there is no terminal it wants ` + "`--yes`" + `, and without it does nothing and ends with 2.

**Who did it.** Every change is in the audit log under the account of whoever typed the command; under sudo that is the account behind it.

## Exit codes

`
