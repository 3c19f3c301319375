package server

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// fromDefault is the origin of a value that nobody gave.
const fromDefault = "default"

// An Origin says where the value of one setting came from.
type Origin struct {
	Setting string `json:"setting"`
	Value   string `json:"value"` // as it was written; a secret is masked
	From    string `json:"from"`  // "default", "rollcall.yaml:3", "environment ROLLCALL_LISTEN", "flag --listen"
}

// Origins says for every setting where its value came from, in the order of the documentation.
type Origins []Origin

// Print writes one line per setting for people.
func (o Origins) Print(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, origin := range o {
		fmt.Fprintf(tab, "%s\t%s\t%s\n", origin.Setting, origin.Value, origin.From)
	}
	return tab.Flush()
}

// of finds the origin of a setting; it panics for a name that isn't in the table.
func (o Origins) of(name string) *Origin {
	for i := range o {
		if o[i].Setting == name {
			return &o[i]
		}
	}
	panic("no setting " + name)
}
