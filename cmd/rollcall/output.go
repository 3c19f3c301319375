package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
)

// An output writes what a command has to say: data on stdout, for people or as JSON; everything
// else on stderr. It has no colours.
type output struct {
	stdout, stderr io.Writer
	json           bool
	objects        map[*cobra.Command]any // what each command writes with --json, for docs/cli.md
}

// answers gives a command the flag --json. object is an example of what it then writes; a slice
// stands for a JSON array.
func (o *output) answersJSON(cmd *cobra.Command, object any) *cobra.Command {
	if o.objects == nil {
		o.objects = map[*cobra.Command]any{}
	}
	o.objects[cmd] = object
	cmd.Flags().BoolVar(&o.json, "json", false, "write JSON to stdout")
	nameValues(cmd.Flags())
	return cmd
}

// warn writes a sentence that doesn't belong to the data.
func (o *output) warn(format string, args ...any) {
	fmt.Fprintf(o.stderr, "warning: "+format+"\n", args...)
}

// note writes what may be good to know.
func (o *output) note(format string, args ...any) {
	fmt.Fprintf(o.stderr, "note: "+format+"\n", args...)
}

// done tells that a change was made: the object to scripts, the sentence to people.
func (o *output) done(object any, format string, args ...any) error {
	return o.show(object, func(w *sheet) { w.text(fmt.Sprintf(format, args...)) })
}

// show writes one object, as JSON or as people want it.
func (o *output) show(object any, people func(w *sheet)) error {
	if o.json {
		return o.writeJSON(object, "  ")
	}
	w := &sheet{}
	people(w)
	w.end()
	_, err := o.stdout.Write(trimmed(w.b.Bytes()))
	return err
}

func (o *output) writeJSON(object any, indent string) error {
	data, err := asJSON(object, indent)
	if err != nil {
		return err
	}
	_, err = o.stdout.Write(data)
	return err
}

// asJSON gives an object and a line's end. "<" and "&" stay readable: nobody puts it into HTML.
func asJSON(object any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(object)
	return b.Bytes(), err
}

// A sheet is what one object looks like to people: lines of name and value, and tables.
type sheet struct {
	b   bytes.Buffer
	tab *tabwriter.Writer
}

// end writes the columns that were begun.
func (w *sheet) end() {
	if w.tab != nil {
		_ = w.tab.Flush() // into memory
		w.tab = nil
	}
}

// text writes a line as it is.
func (w *sheet) text(line string) {
	w.end()
	fmt.Fprintln(&w.b, printable(line))
}

// title begins a new part.
func (w *sheet) title(name string) {
	w.text("")
	w.text(name)
}

// line writes a name and its value.
func (w *sheet) line(name string, value any) {
	w.row(name+":", fmt.Sprint(value))
}

// row writes the cells of one line of a table.
func (w *sheet) row(cells ...string) {
	if w.tab == nil {
		w.tab = columns(&w.b)
	}
	writeRow(w.tab, cells)
}

func columns(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func writeRow(w io.Writer, cells []string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	fmt.Fprintln(w, strings.Join(cells, "\t")) // into memory
}

// trimmed takes away the blanks that columns leave at the end of lines.
func trimmed(text []byte) []byte { return blanksAtEnd.ReplaceAll(text, nil) }

var blanksAtEnd = regexp.MustCompile(`(?m) +$`)

// printable keeps whatever is in the database from moving a terminal's cursor.
func printable(cell string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, cell)
}

// A listing is a table or a JSON array that is written as it is read: lists may be long.
type listing struct {
	o    *output
	b    bytes.Buffer
	tab  *tabwriter.Writer // into b
	rows int
}

// list begins a list with the names of its columns.
func (o *output) list(names ...string) *listing {
	l := &listing{o: o}
	l.tab = columns(&l.b)
	if !o.json {
		writeRow(l.tab, names)
	}
	return l
}

// add writes one element.
func (l *listing) add(object any, cells ...string) error {
	l.rows++
	if !l.o.json {
		writeRow(l.tab, cells)
		if l.rows%pageSize == 0 {
			return l.flush()
		}
		return nil
	}
	data, err := asJSON(object, "")
	if err != nil {
		return err
	}
	start := ",\n  "
	if l.rows == 1 {
		start = "[\n  "
	}
	_, err = l.o.stdout.Write(append([]byte(start), bytes.TrimRight(data, "\n")...))
	return err
}

func (l *listing) flush() error {
	_ = l.tab.Flush() // into memory
	_, err := l.o.stdout.Write(trimmed(l.b.Bytes()))
	l.b.Reset()
	return err
}

// end ends the list. A list that failed midway is left without its end, so that nobody takes it
// for whole.
func (l *listing) end() error {
	switch {
	case !l.o.json:
		return l.flush()
	case l.rows == 0:
		_, err := fmt.Fprintln(l.o.stdout, "[]")
		return err
	}
	_, err := fmt.Fprint(l.o.stdout, "\n]\n")
	return err
}

// pageSize is how many rows are read at a time.
const pageSize = 500

// moment is a time as people read it: in UTC, to the second.
func moment(t models.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Std().Format("2006-01-02T15:04:05Z")
}

// stamp is a time in JSON: in UTC with milliseconds; empty for never, and then left out.
func stamp(t models.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.String()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
