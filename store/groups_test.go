package store_test

import (
	"slices"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestGroupIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		want := &models.Group{DirectoryID: staff.ID, Name: "Admins", Description: "May do Everything", Active: true}
		write(t, s, func(tx *store.Tx) error { return tx.CreateGroup(want) })
		got, err := s.GroupByName(t.Context(), staff.ID, "ADMINS")
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "created", want, got)

		before := *got
		got.Description, got.Active = "", false
		write(t, s, func(tx *store.Tx) error { return tx.SaveGroup(&before, got) })
		saved, err := s.GroupByName(t.Context(), staff.ID, "admins")
		if err != nil {
			t.Fatal(err)
		}
		testkit.Diff(t, "saved", got, saved)
	})
}

func TestDeletedGroupTakesItsMemberships(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada := addUser(t, s, staff, "ada")
		all, none := addGroup(t, s, staff, "all"), addGroup(t, s, staff, "none")
		ours := []string{"groups", "group_attributes", "memberships", "nestings"}
		of := func(contents map[string][]string) (out [][]string) {
			for _, table := range ours {
				out = append(out, contents[table])
			}
			return out
		}
		before := of(db.Contents(t))
		some := addGroup(t, s, staff, "some")
		addMember(t, s, some, ada)
		addChild(t, s, all, some)
		addChild(t, s, some, none)
		write(t, s, func(tx *store.Tx) error {
			return tx.SetGroupAttributes(some, []models.Attribute{{Name: "a", Values: []string{"b"}}})
		})
		write(t, s, func(tx *store.Tx) error { return tx.DeleteGroup(some) })
		testkit.Diff(t, "what is left", before, of(db.Contents(t)))

		for what, do := range map[string]func(tx *store.Tx) error{
			"save":       func(tx *store.Tx) error { return tx.SaveGroup(some, some) },
			"delete":     func(tx *store.Tx) error { return tx.DeleteGroup(some) },
			"attributes": func(tx *store.Tx) error { return tx.SetGroupAttributes(some, nil) },
		} {
			wantCode(t, what+" of a group that is gone", models.GroupNotFound, s.Write(t.Context(), jane, do))
		}
	})
}

func TestMembershipsComeAndGo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada := addUser(t, s, staff, "ada")
		all, some := addGroup(t, s, staff, "all"), addGroup(t, s, staff, "some")
		is := func(what string, want bool, ask func() (bool, error)) {
			t.Helper()
			if got, err := ask(); err != nil || got != want {
				t.Errorf("%s: want %v, got %v, %v", what, want, got, err)
			}
		}
		member := func() (bool, error) { return s.HasMember(t.Context(), some.ID, ada.ID) }
		child := func() (bool, error) { return s.HasChild(t.Context(), all.ID, some.ID) }

		is("member before", false, member)
		is("child before", false, child)
		addMember(t, s, some, ada)
		addChild(t, s, all, some)
		is("member", true, member)
		is("child", true, child)
		for what, c := range map[string]struct {
			want models.Code
			do   func(tx *store.Tx) error
		}{
			"member again": {models.AlreadyMember, func(tx *store.Tx) error { return tx.AddMember(some, ada) }},
			"child again":  {models.AlreadyMember, func(tx *store.Tx) error { return tx.AddChild(all, some) }},
			"no member":    {models.NotMember, func(tx *store.Tx) error { return tx.RemoveMember(all, ada) }},
			"no child":     {models.NotMember, func(tx *store.Tx) error { return tx.RemoveChild(some, all) }},
		} {
			wantCode(t, what, c.want, s.Write(t.Context(), jane, c.do))
		}
		write(t, s, func(tx *store.Tx) error { return tx.RemoveMember(some, ada) })
		write(t, s, func(tx *store.Tx) error { return tx.RemoveChild(all, some) })
		is("member after", false, member)
		is("child after", false, child)
	})
}

func TestNestedGroupsAreWalkedToTheirEndAlsoInACircle(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		staff := addDirectory(t, s, "staff")
		ada := addUser(t, s, staff, "ada")
		a, b, c := addGroup(t, s, staff, "a"), addGroup(t, s, staff, "b"), addGroup(t, s, staff, "c")
		addMember(t, s, c, ada)
		addChild(t, s, a, b)
		addChild(t, s, b, c)

		contains := func(outer, group *models.Group) bool {
			t.Helper()
			in, err := s.Contains(t.Context(), outer.ID, group.ID)
			if err != nil {
				t.Fatal(err)
			}
			return in
		}
		if !contains(a, c) || !contains(b, c) || contains(c, a) || contains(a, a) {
			t.Error("want c inside of a and b, and nothing inside of c")
		}
		names := func(nested bool) []string {
			t.Helper()
			keys, err := s.GroupNamesOf(t.Context(), ada.ID, nested)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(keys)
			return keys
		}
		testkit.Diff(t, "direct groups", []string{"c"}, names(false))
		testkit.Diff(t, "nested groups", []string{"a", "b", "c"}, names(true))

		addChild(t, s, c, a) // rules refuse it; an import may have brought it
		if !contains(c, a) || !contains(a, a) {
			t.Error("in a circle every group contains every other and itself")
		}
		testkit.Diff(t, "nested groups in a circle", []string{"a", "b", "c"}, names(true))
	})
}
