package sync_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// Several attributes of the source that get one name become one, with the values of all.
func TestAttributesOfOneName(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, []string{"attributes=jobTitle=part,department=part,department=part,department"}, func(h *house) {
		var ada fakecloud.UserNo
		h.cloud.Edit(func(e *fakecloud.Edit) {
			ada = e.CreateUser(fakecloud.User{Login: "ada", Title: "Countess", Department: "Engines"})
			e.CreateGroup(fakecloud.Group{Name: "devs"})
		})
		h.apply(models.OutcomeApplied)
		row := h.row(h.cloud.UserID(ada))
		got, err := h.store.UserAttributes(h.t.Context(), []models.ID{row.ID})
		h.must(err)
		testkit.Diff(h.t, "attributes", []models.Attribute{{Name: "department", Values: []string{"Engines"}}, {Name: "part", Values: []string{"Countess", "Engines"}}}, got[row.ID])
		h.apply(models.OutcomeNothing, dirsync.Options{Full: true})
	})
}
