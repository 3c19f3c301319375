package sync_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// facts are what a directory has of its source, by the source's ids: without those that left it.
type facts struct {
	names map[string]string // of users
	facts []fact
}

// A fact concerns a user, or none.
type fact struct{ user, text string }

func (h *house) facts(name string) facts {
	h.t.Helper()
	ctx := h.t.Context()
	dir, err := h.store.DirectoryByName(ctx, name)
	h.must(err)
	departed, err := h.store.Departures(ctx, dir.ID)
	h.must(err)
	users, err := h.store.UsersOf(ctx, dir.ID, "", 1<<20)
	h.must(err)
	f := facts{names: map[string]string{}}
	ids := map[models.ID]string{}
	for _, u := range users {
		ids[u.ID] = u.ExternalID
		if departed["user"][u.ID] != 0 {
			if u.Active {
				h.t.Errorf("user %s left the source and is active", u.Name)
			}
			continue
		}
		attributes, err := h.store.UserAttributes(ctx, []models.ID{u.ID})
		h.must(err)
		f.names[u.ExternalID] = u.Name
		f.facts = append(f.facts, fact{u.ExternalID, fmt.Sprintf("user %s %q <%s> active=%v %v", u.ExternalID, u.DisplayName, u.Email, u.Active, attributes[u.ID])})
	}
	groups, err := h.store.GroupsOf(ctx, dir.ID, "", 1<<20)
	h.must(err)
	groupIDs := map[models.ID]string{}
	for _, g := range groups {
		groupIDs[g.ID] = g.ExternalID
	}
	for _, g := range groups {
		members, children, err := h.store.SyncedMembersOf(ctx, g.ID)
		h.must(err)
		if departed["group"][g.ID] != 0 {
			if len(members)+len(children) > 0 {
				h.t.Errorf("group %s left the source and still has members", g.Name)
			}
			continue
		}
		f.facts = append(f.facts, fact{"", "group " + g.ExternalID + " " + g.Description})
		for _, m := range members {
			f.facts = append(f.facts, fact{ids[m], "member " + g.ExternalID + ": " + ids[m]})
			if _, there := f.names[ids[m]]; !there {
				h.t.Errorf("user %s left the source and is still in group %s", ids[m], g.Name)
			}
		}
		for _, c := range children {
			f.facts = append(f.facts, fact{"", "child " + g.ExternalID + ": " + groupIDs[c]})
		}
	}
	return f
}

// wanting lists the names that the users of the cloud may want, by id.
func (h *house) wanting() map[string][]string {
	out := map[string][]string{}
	for n, u := range h.cloud.Directory.Users() {
		for _, name := range unique(u.Login, u.Mail, strings.Split(u.Login, "@")[0], strings.Split(u.Mail, "@")[0]) {
			if name != "" {
				id := h.cloud.UserID(n)
				out[id] = append(out[id], strings.ToLower(name))
			}
		}
	}
	return out
}

// mailless lists the users of the cloud that have no mail address.
func (h *house) mailless() map[string]bool {
	out := map[string]bool{}
	for n, u := range h.cloud.Directory.Users() {
		if u.Mail == "" {
			out[h.cloud.UserID(n)] = true
		}
	}
	return out
}

func unique(list ...string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// run runs, approves what the guard holds, and wants it to end well.
func (h *house) run() *models.Run {
	h.t.Helper()
	run, err := h.sync.Apply(h.t.Context(), "cloud", dirsync.Options{By: models.System})
	h.must(err)
	if run.Outcome == models.OutcomeHeld {
		run, err = h.sync.Apply(h.t.Context(), "cloud", dirsync.Options{By: models.System, Approve: run.Hash})
		h.must(err)
	}
	if run.Outcome != models.OutcomeApplied && run.Outcome != models.OutcomeNothing {
		h.t.Fatalf("the run is %+v", run)
	}
	return run
}

func (h *house) remove(name string) {
	h.t.Helper()
	h.must(h.directories.Delete(h.t.Context(), models.System, name))
}
