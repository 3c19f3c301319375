package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func appShow(p *program) *cobra.Command {
	var calls int
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show an application, its last calls and why some were refused", Args: takes(1, 1),
		Long: fmt.Sprintf(`Show an application: switches, addresses, passwords (never what they are), directories in
order, and its last calls: when, from which address, how they were answered. What explains the
refused ones stands at the end. The last %d calls are kept.`, store.CallsKept),
		Example: "  rollcall app show jira",
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, args []string) error {
		app, directories, err := d.app(ctx, args[0])
		if err != nil {
			return err
		}
		last, err := d.Store.Calls(ctx, app.ID, min(max(calls, 0), store.CallsKept))
		if err != nil {
			return err
		}
		o := appDetails{appObject: showApp(app, directories, d.Store.Now()), Calls: []callObject{}}
		for i := range last {
			o.Calls = append(o.Calls, showCall(&last[i]))
		}
		o.Refusals = refusals(o)
		return d.show(o, func(w *sheet) { writeApp(w, o) })
	})
	cmd.Flags().IntVar(&calls, "calls", 10, "how many of its last calls")
	return p.answersJSON(cmd, appDetails{})
}

func writeApp(w *sheet, o appDetails) {
	w.line("name", o.Name)
	w.line("description", o.Description)
	w.line("active", yes(o.Active))
	w.line("aggregate", yes(o.Aggregate))
	w.line("lower case", yes(o.LowerCase))
	w.line("nested groups", yes(o.Nested))
	w.line("addresses", orNone(o.Addresses, "none: it can be reached from nowhere"))
	w.line("created", o.Created)
	w.line("updated", o.Updated)

	w.title("Passwords")
	w.row("ID", "CREATED", "EXPIRES", "HINT")
	for _, p := range o.Passwords {
		expires := p.Expires
		switch {
		case expires == "":
			expires = "never"
		case p.Expired:
			expires += " (expired)"
		}
		w.row(strconv.FormatInt(p.ID, 10), p.Created, expires, p.Hint)
	}

	w.title("Directories, the first that has a name wins it")
	w.row("#", "DIRECTORY", "PERMISSIONS", "WHO MAY LOG IN")
	for _, m := range o.Mappings {
		who := "everybody"
		if !m.AllUsers {
			who = "members of " + strings.Join(m.Groups, ", ")
		}
		name := m.Directory
		if !m.Active {
			name += " (inactive)"
		}
		w.row(strconv.Itoa(m.Position), name, m.Permissions, who)
	}

	w.title("Last calls")
	w.row("WHEN", "FROM", "CALL", "ANSWER")
	for _, c := range o.Calls {
		w.row(c.At, c.Address, strings.TrimSpace(c.Method+" "+c.Path), strings.TrimSpace(strconv.Itoa(c.Status)+" "+c.Reason))
	}
	for _, text := range o.Refusals {
		w.text("refused: " + text)
	}
}

func orNone(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

// refusals explains the refused calls, each sort once, with the command that would change it.
func refusals(o appDetails) []string {
	texts := []string{}
	for _, c := range o.Calls {
		if text := refusal(o, c); text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

func refusal(o appDetails, c callObject) string {
	name := quotedArg(o.Name)
	switch {
	case c.Reason == string(models.AddressForbidden):
		set := "rollcall app set " + name
		for _, a := range append(slices.Clone(o.Addresses), c.Address) {
			set += " --address " + quotedArg(a)
		}
		return "address " + c.Address + " isn't allowed: " + set +
			" (if that is your proxy's address rather than the client's, see the setting trusted-proxies)"
	case c.Reason == string(models.AppUnauthorized) && !o.Active:
		return "the application is inactive: rollcall app set " + name + " --active=true"
	case c.Reason == string(models.AppUnauthorized) && !slices.ContainsFunc(o.Passwords, func(p passwordObject) bool { return !p.Expired }):
		return "it has no password that counts: rollcall app password add " + name
	case c.Reason == string(models.AppUnauthorized):
		return "the password sent from " + c.Address + " is wrong: rollcall app password add " + name + " makes another"
	case c.Reason == "APPLICATION_PERMISSION_DENIED":
		return c.Method + " " + c.Path + " needs a permission that it has in no directory, or not in that one: rollcall app map " + name + " DIRECTORY --permit …"
	}
	return ""
}
