package doctor

import (
	"context"

	"github.com/rollcall-id/rollcall/store"
)

// database tells whether the database could be opened: with a schema that this program knows,
// and sealed with this key.
func database(ctx context.Context, c *Case, f *Finding) error {
	if c.Store == nil {
		f.problem("see ROLLCALL_DATABASE_URL and ROLLCALL_SECRET_KEY in rollcall config print", "%v", c.Unopened)
		return nil
	}
	f.Note = c.Store.Database() + ", its schema and key are this program's"
	return c.Store.Ping(ctx)
}

func integrity(ctx context.Context, c *Case, f *Finding) error {
	wrong, err := c.Store.Integrity(ctx, most+1)
	do := "stop the server and restore a backup; what caused it is often the disk"
	if c.Store.Database() == "postgres" {
		do = "REINDEX it, after a look at the database's log"
	}
	for _, what := range wrong {
		f.problem(do, "%s", what)
	}
	return err
}

// keysAndIndexes makes lost indexes again where it may: nothing is lost by it, and a unique one
// fails where rows came in that it doesn't allow.
func keysAndIndexes(ctx context.Context, c *Case, f *Finding) error {
	losses, err := c.Store.SchemaLosses(ctx)
	if err != nil {
		return err
	}
	for _, lost := range losses {
		switch {
		case !lost.Restorable():
			f.problem("restore the database from a backup, or compare it with a new one", "the %s of %s is missing", lost.Kind, lost.Name)
		case c.Fix:
			restore(ctx, c, f, lost)
		default:
			f.problem(fixable, "the %s %s on %s is missing", lost.Kind, lost.Name, lost.Table)
		}
	}
	return nil
}

func restore(ctx context.Context, c *Case, f *Finding, lost store.SchemaLoss) {
	if err := c.Store.RestoreIndex(ctx, lost); err != nil {
		f.problem("look for rows of "+lost.Table+" that are there twice", "%v", err)
		return
	}
	f.fixed("made the %s %s on %s again", lost.Kind, lost.Name, lost.Table)
}
