package sync_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// names lists the active users' names, by the source's id.
func (h *house) names() map[string]string { return h.facts("cloud").names }

// skipped tells why an object of a run was left out; empty when it wasn't.
func skipped(run *models.Run, id string) string {
	for _, s := range run.Skipped {
		if s.ID == id {
			return s.Reason
		}
	}
	return ""
}

// still wants a full read to find nothing to do.
func (h *house) still(what string) {
	h.t.Helper()
	if plan := h.plan(dirsync.Options{Full: true}); len(plan.Steps) > 0 {
		h.t.Errorf("%s: a full run would still do %+v", what, plan.Steps)
	}
}

// Of two new users who want one name the lower id gets it, in whatever order they come. Who has
// a name keeps it. When the owner goes, or is renamed, the other gets the name in the same run.
func TestWhoGetsAName(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, []string{"username=upn-local-part", "guard-users=100,100%"}, func(h *house) {
		var twins [2]fakecloud.UserNo
		h.cloud.Edit(func(e *fakecloud.Edit) {
			twins[0] = e.CreateUser(fakecloud.User{Login: "ada@one.example"})
			twins[1] = e.CreateUser(fakecloud.User{Login: "Ada@two.example"})
		})
		slices.SortFunc(twins[:], func(a, b fakecloud.UserNo) int { return strings.Compare(h.cloud.UserID(a), h.cloud.UserID(b)) })
		low, high := h.cloud.UserID(twins[0]), h.cloud.UserID(twins[1])
		run := h.apply(models.OutcomeApplied)
		testkit.Diff(h.t, "the lower id has the name", map[string]string{low: "ada"}, h.names())
		if why := skipped(run, high); !strings.Contains(why, low) {
			h.t.Errorf("the other one was skipped because %q, want the rival's id in it", why)
		}
		h.apply(models.OutcomeNothing)

		// A user who changes otherwise doesn't lose the name, nor does the loser get lost.
		h.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(twins[1], func(u *fakecloud.User) { u.Given = "Ad" }) })
		h.apply(models.OutcomeNothing)
		g := fakecloud.GroupNo(0)
		h.cloud.Edit(func(e *fakecloud.Edit) { g = e.CreateGroup(fakecloud.Group{Name: "devs"}); e.AddUser(g, twins[1]) })
		h.apply(models.OutcomeApplied)

		h.cloud.Edit(func(e *fakecloud.Edit) {
			e.UpdateUser(twins[0], func(u *fakecloud.User) { u.Login = "countess@one.example" })
		})
		if run = h.apply(models.OutcomeApplied); run.Mode != "delta" || run.Users.Created != 1 || run.Users.Changed != 1 || run.Memberships.Added != 1 {
			h.t.Errorf("the owner's rename: %+v", run)
		}
		testkit.Diff(h.t, "the loser has the name", map[string]string{low: "countess", high: "ada"}, h.names())

		// Now the lower id wants the name that the higher one has: who has it keeps it.
		h.cloud.Edit(func(e *fakecloud.Edit) {
			e.UpdateUser(twins[0], func(u *fakecloud.User) { u.Login = "ada@one.example" })
		})
		run = h.apply(models.OutcomeNothing)
		if skipped(run, low) == "" {
			h.t.Errorf("the rename that can't be is not among the skipped: %+v", run.Skipped)
		}
		testkit.Diff(h.t, "the owner kept the name", map[string]string{low: "countess", high: "ada"}, h.names())
		h.still("after the refused rename")
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(twins[1]) })
		if run = h.apply(models.OutcomeApplied); run.Mode != "delta" || run.Users.Removed != 1 || run.Users.Changed != 1 {
			h.t.Errorf("the owner's end: %+v", run)
		}
		testkit.Diff(h.t, "the name is free in the same run", map[string]string{low: "ada"}, h.names())
		h.still("at the end")
	})
}

// Swapped names and chains of renames are renames: each row keeps its memberships.
func TestRenamesThatMeet(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		u, _ := team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.cloud.Edit(func(e *fakecloud.Edit) { // ada → bob → eve → ada
			for name, to := range map[string]string{"ada": "bob", "bob": "eve", "eve": "ada"} {
				e.UpdateUser(u[name], func(u *fakecloud.User) { u.Login = to + "@contoso.example" })
			}
		})
		if run := h.apply(models.OutcomeApplied); run.Users != (models.UserCounts{Changed: 3}) || run.Memberships != (models.MemberCounts{}) {
			h.t.Errorf("the circle of renames: %+v", run)
		}
		h.wants("after the circle", `user bob@contoso.example <ada@mail.example> "Ada X"`, `user eve@contoso.example <bob@mail.example> "Bob X"`,
			`user ada@contoso.example <eve@mail.example> "Eve X"`, "group devs", "group ops", "group all",
			"member devs: bob@contoso.example", "member devs: eve@contoso.example", "member ops: ada@contoso.example", "child all: devs", "child all: ops")
		h.cloud.Edit(func(e *fakecloud.Edit) { // a chain: ada@ → new, bob@ → ada@
			e.UpdateUser(u["eve"], func(u *fakecloud.User) { u.Login = "new@contoso.example" })
			e.UpdateUser(u["ada"], func(u *fakecloud.User) { u.Login = "ada@contoso.example" })
		})
		if run := h.apply(models.OutcomeApplied, dirsync.Options{Full: true}); run.Users != (models.UserCounts{Changed: 2}) {
			h.t.Errorf("the chain by a full read: %+v", run)
		}
		h.still("at the end")
	})
}

// A user who is deleted and made anew under the same name is another one: the old row goes at
// once, since the name is needed, and nothing of it comes to the new one.
func TestDeletedAndMadeAnew(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(map[bool]string{false: "delta", true: "full"}[full], func(t *testing.T) {
			each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
				u, _ := team(h.cloud)
				h.apply(models.OutcomeApplied)
				h.cloud.Edit(func(e *fakecloud.Edit) {
					e.DeleteUser(u["ada"])
					e.CreateUser(fakecloud.User{Login: "ada@contoso.example", Given: "Another"})
				})
				run := h.apply(models.OutcomeApplied, dirsync.Options{Full: full})
				if run.Users != (models.UserCounts{Created: 1, Removed: 1}) || run.Memberships != (models.MemberCounts{Removed: 1}) {
					h.t.Errorf("the run: %+v", run)
				}
				h.wants("afterwards", `user ada@contoso.example <> "Another"`, `user bob@contoso.example <bob@mail.example> "Bob X"`,
					`user eve@contoso.example <eve@mail.example> "Eve X"`, "group devs", "group ops", "group all",
					"member devs: bob@contoso.example", "member ops: eve@contoso.example", "child all: devs", "child all: ops")
				h.still("at the end")
			})
		})
	}
}

// What the settings make of a user's name, and who is left out.
func TestUsernames(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings []string
		user     fakecloud.User
		want     string // empty: skipped
		because  string
	}{
		{"the login in lower case", nil, fakecloud.User{Login: "Ada@Contoso.example"}, "ada@contoso.example", ""},
		{"the source's spelling", []string{"username-case=keep"}, fakecloud.User{Login: "Ada@Contoso.example"}, "Ada@Contoso.example", ""},
		{"mail", []string{"username=mail"}, fakecloud.User{Login: "ada", Mail: "A@mail.example"}, "a@mail.example", ""},
		{"no mail", []string{"username=mail"}, fakecloud.User{Login: "ada"}, "", "it has no mail"},
		{"local part", []string{"username=mail-local-part"}, fakecloud.User{Login: "x", Mail: "ada@mail.example"}, "ada", ""},
		{"an attribute", []string{"username=attribute:employeeId"}, fakecloud.User{Login: "x", EmployeeID: "E-7"}, "e-7", ""},
		{"without the attribute", []string{"username=attribute:employeeId"}, fakecloud.User{Login: "x"}, "", "employeeId"},
		{"a guest's mail", nil, fakecloud.User{Login: "ann@fabrikam.example", Mail: "Ann@fabrikam.example", Guest: true, External: true}, "ann@fabrikam.example", ""},
		{"a guest without mail", nil, fakecloud.User{Login: "ann@fabrikam.example", Guest: true, External: true}, "ann_fabrikam.example#ext#@contoso.onmicrosoft.com", ""},
		{"a guest by another rule", []string{"username=upn-local-part", "username-rules=#EXT#$=>"}, fakecloud.User{Login: "ann@fabrikam.example", Mail: "m@x.example", Guest: true, External: true}, "ann_fabrikam.example", ""},
		{"no guests", []string{"guests=exclude"}, fakecloud.User{Login: "ann", Guest: true}, "", "guests=exclude"},
		{"no disabled ones", []string{"disabled=exclude"}, fakecloud.User{Login: "ann", Disabled: true}, "", "disabled=exclude"},
		{"rules in order", []string{`username-rules=@.*$=>;;^(\w)\w*\.(\w+)$=>$1$2`}, fakecloud.User{Login: "ada.lovelace@contoso.example"}, "alovelace", ""},
		{"signs that Jira can't bear", []string{"username=mail-local-part"}, fakecloud.User{Login: "x", Mail: `a<b>&c/d\e%f?g;h@mail.example`}, "a_b__c_d_e_f_g_h", ""},
		{"nothing is left", []string{"username-rules=.*=>"}, fakecloud.User{Login: "ada"}, "", "it can't have this username"},
		{"too long", []string{"username=mail"}, fakecloud.User{Login: "x", Mail: strings.Repeat("a", 300) + "@mail.example"}, "", "it can't have this username"},
		{"composed and decomposed", []string{"username=mail-local-part"}, fakecloud.User{Login: "x", Mail: "e\u0301ric@mail.example"}, "\u00e9ric", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
				h := newHouse(t, db, fakecloud.EntraConfig{Gen: fakecloud.Gen{Domain: "contoso.example"}}, c.settings...)
				var n fakecloud.UserNo
				h.cloud.Edit(func(e *fakecloud.Edit) {
					n = e.CreateUser(c.user)
					e.CreateUser(fakecloud.User{Login: "somebody", Mail: "somebody@mail.example", EmployeeID: "E-1"})
					e.CreateGroup(fakecloud.Group{Name: "some"})
				})
				run := h.run()
				if got := h.names()[h.cloud.UserID(n)]; got != c.want {
					t.Errorf("the username is %q, want %q", got, c.want)
				}
				if why := skipped(run, h.cloud.UserID(n)); !strings.Contains(why, c.because) || (why == "") != (c.because == "") {
					t.Errorf("skipped because %q, want %q", why, c.because)
				}
			})
		})
	}
}

// A user who can't be named any more is in doubt, and stays as it was; one whom the settings
// leave out goes.
func TestInDoubtAndLeftOut(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, []string{"username=mail", "guests=exclude"}, func(h *house) {
		u, _ := team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.cloud.Edit(func(e *fakecloud.Edit) {
			e.UpdateUser(u["ada"], func(u *fakecloud.User) { u.Mail, u.Given = "", "Changed" })
		})
		run := h.apply(models.OutcomeNothing)
		if why := skipped(run, h.cloud.UserID(u["ada"])); !strings.Contains(why, "no mail") {
			h.t.Errorf("ada is skipped because %q", why)
		}
		h.still("in doubt")
		h.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(u["bob"], func(u *fakecloud.User) { u.Guest = true }) })
		if run = h.apply(models.OutcomeApplied); run.Users.Deactivated != 1 || run.Memberships.Removed != 1 {
			h.t.Errorf("bob became a guest: %+v", run)
		}
		h.wants("one in doubt, one gone", `user ada@mail.example <ada@mail.example> "Ada X"`, `user bob@mail.example <bob@mail.example> "Bob X" inactive`,
			`user eve@mail.example <eve@mail.example> "Eve X"`, "group devs", "group ops", "group all", "member devs: ada@mail.example", "member ops: eve@mail.example",
			"child all: devs", "child all: ops")
		h.still("at the end")
	})
}

// Attributes come under the names that the settings give them, and go again.
func TestAttributes(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, []string{"attributes=department=team,employeeId"}, func(h *house) {
		var n fakecloud.UserNo
		h.cloud.Edit(func(e *fakecloud.Edit) {
			n = e.CreateUser(fakecloud.User{Login: "ada", Department: " Engines ", EmployeeID: "7"})
			e.CreateGroup(fakecloud.Group{Name: "some"})
		})
		h.apply(models.OutcomeApplied)
		want := func(list ...models.Attribute) {
			h.t.Helper()
			dir, err := h.store.DirectoryByName(h.t.Context(), "cloud")
			h.must(err)
			rows, err := h.store.UsersWithExternalIDs(h.t.Context(), dir.ID, []string{h.cloud.UserID(n)})
			h.must(err)
			id := rows[h.cloud.UserID(n)].ID
			got, err := h.store.UserAttributes(h.t.Context(), []models.ID{id})
			h.must(err)
			testkit.Diff(h.t, "attributes", list, got[id])
		}
		want(models.Attribute{Name: "employeeId", Values: []string{"7"}}, models.Attribute{Name: "team", Values: []string{"Engines"}})
		h.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(n, func(u *fakecloud.User) { u.Department = "" }) })
		shown := h.plan()
		run := h.apply(models.OutcomeApplied)
		testkit.Diff(h.t, "steps", shown.Steps, run.Steps)
		if len(run.Steps) != 1 || len(run.Steps[0].Fields) != 1 || run.Steps[0].Fields[0] != (models.Field{Name: "attribute team", Old: "Engines"}) {
			h.t.Errorf("the plan says of an attribute that goes: %+v", run.Steps)
		}
		want(models.Attribute{Name: "employeeId", Values: []string{"7"}})
		h.still("at the end")
	})
}
