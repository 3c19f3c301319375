package main_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
)

// startCloud starts a fake Entra, and makes the directory "cloud" that is kept equal to it.
func startCloud(t *testing.T, db testkit.Database, c fakecloud.EntraConfig, settings ...string) *fakecloud.Entra {
	t.Helper()
	cloud := fakecloud.NewEntra(c)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	args := []string{"directory", "create", "cloud", "--kind", "entra"}
	for _, s := range append([]string{"tenant=" + cloud.Tenant, "client-id=" + cloud.ClientID, "client-secret=" + cloud.Secret,
		"graph-url=" + cloud.GraphURL(), "authority-url=" + cloud.AuthorityURL()}, settings...) {
		args = append(args, "--set", s)
	}
	testkit.Command{Env: db.Env(t), Args: args}.Must(t)
	return cloud
}

// syncApply runs `rollcall sync cloud --apply` and gives its record.
func syncApply(t *testing.T, db testkit.Database, args ...string) (run models.Run) {
	t.Helper()
	r := testkit.Command{Env: db.Env(t), Args: append([]string{"sync", "cloud", "--apply", "--json"}, args...)}.Must(t)
	if err := json.Unmarshal([]byte(r.Stdout), &run); err != nil {
		t.Fatalf("%v\n%s", err, r.Stdout)
	}
	return run
}

// feedSettles waits until events tell everything that was committed. On PostgreSQL they wait for every
// older transaction in the whole server, also for those of other tests, and a token that is taken
// before that lies before what makes it expire.
func feedSettles(t *testing.T, db testkit.Database) {
	t.Helper()
	if db.Kind != testkit.Postgres {
		return
	}
	raw := db.Raw(t)
	within(t, time.Minute, "events tell everything", func() (all bool) {
		err := raw.QueryRowContext(t.Context(), "SELECT coalesce(max(tx), 0) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM changes").Scan(&all)
		if err != nil {
			t.Fatal(err)
		}
		return all
	})
}

// What one run changes reaches Jira through incremental events: users that move between groups
// are at no moment in none. A rename comes under the same key, by the full synchronisation that
// it brings about; a change of more rows than events are worth comes by a full one, too.
func TestWhatASynchronisationChangesReachesJira(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		cloud := startCloud(t, db, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 3}}, "attributes=department")
		u, g := map[string]fakecloud.UserNo{}, map[string]fakecloud.GroupNo{}
		cloud.Edit(func(e *fakecloud.Edit) {
			for _, name := range []string{"ada", "bob", "eve", "fay"} {
				u[name] = e.CreateUser(fakecloud.User{Login: name, Mail: name + "@mail.example", Department: "d1"})
			}
			for _, name := range []string{"devs", "ops", "all", "old"} {
				g[name] = e.CreateGroup(fakecloud.Group{Name: name})
			}
			e.AddUser(g["devs"], u["ada"])
			e.AddUser(g["devs"], u["bob"])
			e.AddUser(g["old"], u["eve"])
			e.Nest(g["all"], g["devs"])
		})
		testkit.Command{Env: db.Env(t), Stdin: probePassword, Args: []string{"app", "create", "probe", "--directory", "cloud", "--address", "127.0.0.1/32", "--password-stdin"}}.Must(t)
		server := testkit.StartServer(t, db, nil)
		syncApply(t, db)
		feedSettles(t, db)
		j := testkit.NewJira(t, jiraApp(server))
		if err := j.Full(); err != nil {
			t.Fatal(err)
		}
		sameCopy(t, "the first copy", server, j)
		settle := func(what string, wantFull bool) {
			t.Helper()
			feedSettles(t, db)
			before := j.Fulls
			if _, err := j.Sync(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			sameCopy(t, what, server, j)
			if full := j.Fulls > before; full != wantFull {
				t.Errorf("%s: Jira read everything: %v, want %v", what, full, wantFull)
			}
		}
		settle("nothing new", false)

		cloud.Edit(func(e *fakecloud.Edit) {
			e.RemoveUser(g["devs"], u["ada"])
			e.AddUser(g["ops"], u["ada"])
			e.UpdateUser(u["bob"], func(u *fakecloud.User) { u.Disabled = true; u.Mail = "b@mail.example" })
			n := e.CreateUser(fakecloud.User{Login: "new", Department: "d2"})
			e.AddUser(g["ops"], n)
			e.DeleteUser(u["eve"])
			e.UpdateUser(u["fay"], func(u *fakecloud.User) { u.Department = "" })
			e.Nest(g["all"], g["ops"])
			e.Unnest(g["all"], g["devs"])
			e.DeleteGroup(g["old"])
		})
		if run := syncApply(t, db); run.Mode != "delta" {
			t.Errorf("the run is %+v", run)
		}
		settle("moved, disabled, new and deleted users", false)
		copied := j.Copy
		if b := copied.Users["bob@contoso.example"]; b.Active || b.Email != "b@mail.example" {
			t.Errorf("bob is %+v at Jira, want an inactive one with a new address", b)
		}
		if m := copied.Members["ops"]; fmt.Sprint(m) != "[ada@contoso.example new@contoso.example]" {
			t.Errorf("in ops are %v at Jira", m)
		}

		key := j.Copy.Users["ada@contoso.example"].Key
		cloud.Edit(func(e *fakecloud.Edit) {
			e.UpdateUser(u["ada"], func(u *fakecloud.User) {
				u.Login = "countess@contoso.example"
				u.Mail, u.Disabled, u.Department = "c@mail.example", true, "d3"
			})
		})
		syncApply(t, db)
		settle("a renamed user", true)
		if c := j.Copy.Users["countess@contoso.example"]; c.Key != key || key == "" || c.Active || c.Email != "c@mail.example" {
			t.Errorf("the renamed user is %+v at Jira, want the key %s, the new address and inactive", c, key)
		}
		doctorAgrees(t, db)

		settle("nothing new after the rename", false)
		testkit.Command{Env: db.Env(t), Args: []string{"directory", "set", "cloud", "--set", "attributes="}}.Must(t)
		cloud.Edit(func(e *fakecloud.Edit) {
			for n := range 3400 { // a user and two memberships each
				m := e.CreateUser(fakecloud.User{Login: fmt.Sprintf("many%d", n)})
				e.AddUser(g["devs"], m)
				e.AddUser(g["ops"], m)
			}
		})
		if run := syncApply(t, db); run.Memberships.Added+run.Users.Created <= 10_000 {
			t.Fatalf("the run is too small for the test: %+v", run.Users)
		}
		settle("more rows than events are told for", true)
		if n := len(j.Copy.Users); n < 3400 {
			t.Errorf("Jira has %d users", n)
		}
		for _, v := range cloud.Violations() {
			t.Errorf("the cloud complains: %s", v)
		}
	})
}
