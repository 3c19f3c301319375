package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func auditCommand(p *program) *cobra.Command {
	return noun("audit", "The audit log: who did what to whom, and who was refused", "", `  rollcall audit search --subject ada --from 7d`, auditSearch(p))
}

// mostEntries is how many entries one search gives at most: they are held in memory.
const mostEntries = 100_000

func auditSearch(p *program) *cobra.Command {
	var q store.AuditSearch
	var from, to string
	var details bool
	cmd := &cobra.Command{
		Use: "search", Short: "Find entries of the audit log, the latest first", Args: takes(0, 0),
		Long: "Find entries of the audit log, the latest first. Every flag that is given has to match; names\nmatch in any case, an action also by its first part: user finds user.create.",
		Example: `  rollcall audit search --action app.refused --from 24h
  rollcall audit search --subject ada --details
  rollcall audit search --from 2026-03-01 --to 2026-04-01 --limit 10000 --json`,
	}
	cmd.RunE = p.at(func(ctx context.Context, d *desk, _ []string) (err error) {
		if q.From, err = timeFlag("from", from, d.Store.Now(), true); err != nil {
			return err
		}
		if q.To, err = timeFlag("to", to, d.Store.Now(), true); err != nil {
			return err
		}
		if q.Limit < 1 || q.Limit > mostEntries {
			return wrongUsage("", "--limit is a number from 1 to %d", mostEntries)
		}
		entries, err := d.Store.SearchAudit(ctx, q)
		if err != nil {
			return err
		}
		return d.auditEntries(entries, details)
	})
	f := cmd.Flags()
	f.StringVar(&q.Actor, "actor", "", "who did it: an application, or the account of whoever typed a command")
	f.StringVar(&q.Action, "action", "", "what was done: user, user.create, app.refused, login.refused …")
	f.StringVar(&q.Subject, "subject", "", "to whom or what it was done")
	f.StringVarP(&q.Directory, "directory", "d", "", "in which directory")
	f.StringVar(&q.Outcome, "outcome", "", "how it ended: done, or why it was refused")
	f.StringVar(&q.Address, "address", "", "from which address")
	f.StringVar(&from, "from", "", "not before: `WHEN` is a date, a time in RFC 3339, or how long ago: 24h, 7d")
	f.StringVar(&to, "to", "", "before: `WHEN`, as for --from")
	f.IntVar(&q.Limit, "limit", 50, "at most so many")
	f.BoolVar(&details, "details", false, "for people: show what it was before and after, too (--json always does)")
	return p.answersJSON(cmd, []auditObject{})
}

func (d *desk) auditEntries(entries []models.AuditEntry, details bool) error {
	l := d.list("WHEN", "WHO", "FROM", "ACTION", "SUBJECT", "DIRECTORY", "OUTCOME")
	for i := range entries {
		e := &entries[i]
		outcome := e.Outcome
		if e.Count > 1 {
			outcome += ", " + strconv.Itoa(e.Count) + " times"
		}
		cells := []string{moment(e.At), e.Actor, e.Address, e.Action, e.Subject, e.Directory, outcome}
		if details {
			cells = append(cells, strings.TrimSpace(e.Before+" → "+e.After))
		}
		if err := l.add(showAudit(e), cells...); err != nil {
			return err
		}
	}
	return l.end()
}
