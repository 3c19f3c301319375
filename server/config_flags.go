package server

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Flags adds --config and one flag per setting to fs; when names are given, only those
// settings. The flags only keep what was typed: Load checks it, together with everything else.
// A secret has no flag for its value, which every user of the machine could read, only one for
// the file that holds it.
func Flags(fs *pflag.FlagSet, names ...string) {
	fs.VarP(&typed{kind: "file"}, configFlag, "", "YAML file with settings")
	for _, s := range settings {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		if s.kind != kindSecret {
			f := fs.VarPF(&typed{kind: s.kind, text: s.fallback}, s.name, "", strings.ReplaceAll(s.doc, "`", "")) // pflag has its own use for them
			if s.kind == kindFlag {
				f.NoOptDefVal = "true"
			}
		}
		if s.mayBeFile() {
			fs.Var(&typed{kind: kindPath}, s.name+fileSuffix, "File that holds "+s.name+".")
		}
	}
}

// flags notes what was typed.
func (l *loader) flags(fs *pflag.FlagSet) {
	if fs == nil {
		return
	}
	layer := layer{}
	for _, key := range keys() {
		if f := fs.Lookup(key); f != nil && f.Changed {
			if value, ours := f.Value.(*typed); ours {
				layer.add(key, given{from: "flag --" + key, text: value.text})
			}
		}
	}
	l.add(layer)
}

// typed is a flag's text, unchecked.
type typed struct {
	kind  kind
	text  string
	given bool
}

// String gives what was typed, or the default.
func (t *typed) String() string { return t.text }

// Set keeps the text; each further one adds to a list, and replaces anything else.
func (t *typed) Set(text string) error {
	if t.kind == kindList && t.given {
		text = t.text + "," + text
	}
	t.text, t.given = text, true
	return nil
}

// Type is the word that --help shows for the value.
func (t *typed) Type() string { return string(t.kind) }
