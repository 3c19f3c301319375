package doctor

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// applications looks for active applications that can't do anything as they are.
func applications(ctx context.Context, c *Case, f *Finding) error {
	all, err := c.Store.Applications(ctx)
	if err != nil {
		return err
	}
	directories, err := c.Store.DirectoryNames(ctx)
	if err != nil {
		return err
	}
	for _, app := range all {
		if !app.Active {
			continue
		}
		if len(app.Addresses) == 0 {
			f.problem("rollcall app set "+app.Name+" --address ADDRESS", "application %s has no allowed addresses, so it can be reached from nowhere", app.Name)
		}
		if len(app.Mappings) == 0 {
			f.problem("rollcall app map "+app.Name+" DIRECTORY", "application %s has no directories, so it sees nobody", app.Name)
		}
		passwords(c, f, app)
		for _, m := range app.Mappings {
			if err := loginGroups(ctx, c, f, app, m, directories[m.DirectoryID]); err != nil {
				return err
			}
		}
	}
	return nil
}

func passwords(c *Case, f *Finding, app *store.ApplicationRecord) {
	now, valid := models.TimeOf(c.Now), 0
	for _, p := range app.Passwords {
		if p.ExpiresAt == 0 || p.ExpiresAt > now {
			valid++
		}
	}
	switch {
	case len(app.Passwords) == 0:
		f.problem("rollcall app password add "+app.Name, "application %s has no password", app.Name)
	case valid == 0:
		f.problem("rollcall app password add "+app.Name, "every password of application %s has expired", app.Name)
	case valid < len(app.Passwords):
		f.problem("rollcall app password remove "+app.Name+" ID, with the ids of rollcall app show "+app.Name,
			"application %s keeps passwords that have expired", app.Name)
	}
}

// loginGroups looks whether a mapping that lets only some groups in names one that exists.
func loginGroups(ctx context.Context, c *Case, f *Finding, app *store.ApplicationRecord, m models.Mapping, directory string) error {
	if m.AllowAll {
		return nil
	}
	for _, name := range m.Groups {
		_, err := c.Store.GroupByName(ctx, m.DirectoryID, name)
		if err == nil {
			return nil
		}
		if !models.Is(err, models.GroupNotFound) {
			return err
		}
	}
	f.problem("rollcall app map "+app.Name+" "+directory+" --group GROUP",
		"application %s lets nobody of directory %s log in: none of the groups that may exists", app.Name, directory)
	return nil
}
