package store_test

import (
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// bulkCases are the lines of writeCases for what a synchronisation writes. It tells the feed and
// audits by itself; the store tells whose sessions ended.
var bulkCases = []writeCase{
	{"ReserveUserIDs", func(tx *store.Tx, _ *house) error { _, err := tx.ReserveUserIDs(3); return err }, nil, nil},
	{"ReserveGroupIDs", func(tx *store.Tx, _ *house) error { _, err := tx.ReserveGroupIDs(3); return err }, nil, nil},
	{"InsertUsers", func(tx *store.Tx, h *house) error {
		return tx.InsertUsers([]*models.User{{ID: 1000, DirectoryID: h.staff.ID, Name: "new"}})
	}, nil, nil},
	{"FreeUserNames", func(tx *store.Tx, h *house) error { return tx.FreeUserNames([]models.ID{h.ada.ID}) }, nil, nil},
	{"UpdateUsers", func(tx *store.Tx, h *house) error {
		ada, bob := *h.ada, *h.bob
		ada.Active, bob.Active = false, false
		return tx.UpdateUsers([]*models.User{&ada, &bob})
	}, kinds(models.SessionsEnded), nil},
	{"RemoveUsers", func(tx *store.Tx, h *house) error {
		return tx.RemoveUsers(h.staff.ID, []models.ID{h.ada.ID, h.bob.ID})
	}, kinds(models.SessionsEnded), nil},
	{"InsertGroups", func(tx *store.Tx, h *house) error {
		return tx.InsertGroups([]*models.Group{{ID: 1000, DirectoryID: h.staff.ID, Name: "new"}})
	}, nil, nil},
	{"UpdateGroups", func(tx *store.Tx, h *house) error { g := *h.all; return tx.UpdateGroups([]*models.Group{&g}) }, nil, nil},
	{"RemoveGroups", func(tx *store.Tx, h *house) error {
		return tx.RemoveGroups(h.staff.ID, []models.ID{h.all.ID})
	}, nil, nil},
	{"InsertMemberships", func(tx *store.Tx, h *house) error {
		return tx.InsertMemberships(h.staff.ID, []store.Pair{{Top: h.all.ID, Bottom: h.ada.ID}})
	}, nil, nil},
	{"RemoveMemberships", func(tx *store.Tx, h *house) error {
		return tx.RemoveMemberships(h.staff.ID, []store.Pair{{Top: h.some.ID, Bottom: h.bob.ID}})
	}, nil, nil},
	{"InsertNestings", func(tx *store.Tx, h *house) error {
		return tx.InsertNestings(h.staff.ID, []store.Pair{{Top: h.all.ID, Bottom: h.some.ID}})
	}, nil, nil},
	{"RemoveNestings", func(tx *store.Tx, h *house) error {
		return tx.RemoveNestings(h.staff.ID, []store.Pair{{Top: h.some.ID, Bottom: h.other.ID}})
	}, nil, nil},
	{"ReplaceUserAttributes", func(tx *store.Tx, h *house) error {
		return tx.ReplaceUserAttributes([]store.AttributesOf{{User: h.ada.ID, Attributes: []models.Attribute{{Name: "a", Values: []string{"b"}}}}})
	}, nil, nil},
	{"Departed", func(tx *store.Tx, h *house) error { return tx.Departed(h.staff.ID, "user", []models.ID{h.ada.ID}) }, nil, nil},
	{"Returned", func(tx *store.Tx, h *house) error { return tx.Returned(h.staff.ID, "user", []models.ID{h.ada.ID}) }, nil, nil},
	{"Append", func(tx *store.Tx, h *house) error {
		tx.Append(models.Change{Kind: models.UserUpdated, DirectoryID: h.staff.ID, RowID: h.ada.ID, Name: "ada"})
		return nil
	}, kinds(models.UserUpdated), nil},
	{"SaveSyncState", func(tx *store.Tx, h *house) error {
		return tx.SaveSyncState(&models.SyncState{DirectoryID: h.staff.ID, Scheduled: true, Cursor: "from here"})
	}, nil, nil},
	{"RemoveRun", func(tx *store.Tx, h *house) error { return tx.RemoveRun(h.run.ID) }, nil, nil},
	{"SaveRun", func(tx *store.Tx, h *house) error { return tx.SaveRun(h.run) }, nil, nil},
}
