package store

import (
	"context"
	"slices"

	"github.com/rollcall-id/rollcall/models"
)

// An ApplicationRecord is an application with everything that decides what it sees and may do.
type ApplicationRecord struct {
	models.Application
	Passwords  []models.ApplicationPassword
	Addresses  []string
	Mappings   []models.Mapping // in order, with their groups
	HasAliases bool
}

// Applications reads all applications whole, by name. There are few of them.
func (r *Reads) Applications(ctx context.Context) ([]*ApplicationRecord, error) {
	db := r.db.WithContext(ctx)
	var apps []models.Application
	var passwords []models.ApplicationPassword
	var addresses []models.ApplicationAddress
	var mappings []models.Mapping
	var groups []models.MappingGroup
	var aliased []models.ID
	for _, read := range []func() error{
		func() error { return db.Order("key").Find(&apps).Error },
		func() error { return db.Order("id").Find(&passwords).Error },
		func() error { return db.Order("address").Find(&addresses).Error },
		func() error { return db.Order("position").Find(&mappings).Error },
		func() error { return db.Order("group_key").Find(&groups).Error },
		func() error { return db.Raw("SELECT DISTINCT application_id FROM aliases").Scan(&aliased).Error },
	} {
		if err := read(); err != nil {
			return nil, doing("read applications", err)
		}
	}
	records := make([]*ApplicationRecord, len(apps))
	byID := make(map[models.ID]*ApplicationRecord, len(apps))
	for i, app := range apps {
		records[i] = &ApplicationRecord{Application: app}
		byID[app.ID] = records[i]
	}
	for _, p := range passwords {
		if rec := byID[p.ApplicationID]; rec != nil {
			rec.Passwords = append(rec.Passwords, p)
		}
	}
	for _, a := range addresses {
		if rec := byID[a.ApplicationID]; rec != nil {
			rec.Addresses = append(rec.Addresses, a.Address)
		}
	}
	groupsOf := map[models.ID][]string{}
	for _, g := range groups {
		groupsOf[g.MappingID] = append(groupsOf[g.MappingID], g.GroupName)
	}
	for _, m := range mappings {
		if rec := byID[m.ApplicationID]; rec != nil {
			m.Groups = groupsOf[m.ID]
			rec.Mappings = append(rec.Mappings, m)
		}
	}
	for _, id := range aliased {
		if rec := byID[id]; rec != nil {
			rec.HasAliases = true
		}
	}
	return records, nil
}

// CreateApplication adds an application, or answers NameTaken.
func (tx *Tx) CreateApplication(app *models.Application) error {
	app.Key, app.CreatedAt, app.UpdatedAt = models.Key(app.Name), tx.at, tx.at
	if err := tx.insert(app); err != nil {
		return taken(err, models.NameTaken, app.Name, "There is an application of this name already.")
	}
	tx.applicationChanged(app, "app.create", nil, app)
	return nil
}

// SaveApplication stores an application's own fields as they are now.
func (tx *Tx) SaveApplication(before, app *models.Application) error {
	app.Key, app.UpdatedAt = models.Key(app.Name), tx.at
	err := tx.update(app, "name", "key", "description", "active", "aggregate", "lower_case", "nested", "updated_at")
	if err != nil {
		return taken(found(err, models.AppNotFound, app.Name), models.NameTaken, app.Name, "There is an application of this name already.")
	}
	tx.applicationChanged(app, "app.set", before, app)
	return nil
}

// DeleteApplication removes an application with its passwords, addresses, mappings, aliases,
// or answers AppNotFound.
func (tx *Tx) DeleteApplication(app *models.Application) error {
	if err := tx.remove(app); err != nil {
		return found(err, models.AppNotFound, app.Name)
	}
	tx.applicationChanged(app, "app.delete", app, nil)
	return nil
}

// AddApplicationPassword stores one more password, as a hash.
func (tx *Tx) AddApplicationPassword(app *models.Application, p *models.ApplicationPassword) error {
	p.ApplicationID, p.CreatedAt = app.ID, tx.at
	if err := tx.insert(p); err != nil {
		return doing("store the application's password", err)
	}
	tx.applicationDoor(app, "app.password.add", nil, map[string]any{"password": p.ID, "hint": p.Hint, "expires": p.ExpiresAt})
	return nil
}

// RemoveApplicationPassword removes one password and tells whether there was one.
func (tx *Tx) RemoveApplicationPassword(app *models.Application, id models.ID) (bool, error) {
	r := tx.db.Where("application_id = ? AND id = ?", app.ID, id).Delete(&models.ApplicationPassword{})
	if r.Error != nil || r.RowsAffected == 0 {
		return false, doing("remove the application's password", r.Error)
	}
	tx.applicationDoor(app, "app.password.remove", map[string]any{"password": id}, nil)
	return true, nil
}

// SetApplicationAddresses replaces the addresses from which an application may call.
func (tx *Tx) SetApplicationAddresses(app *models.Application, before, addresses []string) error {
	if err := tx.db.Where("application_id = ?", app.ID).Delete(&models.ApplicationAddress{}).Error; err != nil {
		return doing("replace the application's addresses", err)
	}
	for _, a := range distinct(addresses) {
		if err := tx.insert(&models.ApplicationAddress{ApplicationID: app.ID, Address: a}); err != nil {
			return doing("store an address", err)
		}
	}
	tx.applicationDoor(app, "app.addresses", map[string]any{"addresses": before}, map[string]any{"addresses": addresses})
	return nil
}

// LockApplication makes other writers that lock the same application wait until this transaction
// ends: who replaces its mappings or addresses has read them under it, so that none gets lost.
// SQLite has one writer.
func (tx *Tx) LockApplication(name string) error {
	if !tx.store.dialect.postgres() {
		return nil
	}
	return doing("lock the application", tx.db.Exec("SELECT id FROM applications WHERE key = ? FOR NO KEY UPDATE", models.Key(name)).Error)
}

// SetMappings replaces an application's mappings by these, in this order. A mapping with an ID
// keeps its row.
func (tx *Tx) SetMappings(app *models.Application, before, mappings []models.Mapping) error {
	keep := []models.ID{0}
	for i := range mappings {
		keep = append(keep, mappings[i].ID)
	}
	if err := tx.db.Where("application_id = ? AND id NOT IN ?", app.ID, keep).Delete(&models.Mapping{}).Error; err != nil {
		return doing("remove mappings", err)
	}
	// Positions are unique: move the old ones out of the way first.
	if err := tx.db.Exec("UPDATE mappings SET position = -position WHERE application_id = ?", app.ID).Error; err != nil {
		return doing("order mappings", err)
	}
	for i := range mappings {
		m := &mappings[i]
		m.ApplicationID, m.Position = app.ID, i+1
		if err := tx.putMapping(m); err != nil {
			return err
		}
	}
	tx.applicationChanged(app, "app.map", map[string]any{"mappings": before}, map[string]any{"mappings": mappings})
	return nil
}

func (tx *Tx) putMapping(m *models.Mapping) error {
	var err error
	if m.ID == 0 {
		err = tx.insert(m)
	} else {
		err = tx.update(m, "position", "permissions", "allow_all")
	}
	if err != nil {
		err = taken(found(err, models.MappingNotFound, ""), models.NameTaken, "", "The application is mapped to this directory already.")
		return doing("store a mapping", err)
	}
	if err := tx.db.Where("mapping_id = ?", m.ID).Delete(&models.MappingGroup{}).Error; err != nil {
		return doing("replace a mapping's groups", err)
	}
	named := map[string]bool{}
	for _, name := range m.Groups {
		key := models.Key(name)
		if named[key] {
			continue
		}
		named[key] = true
		if err := tx.insert(&models.MappingGroup{MappingID: m.ID, GroupKey: key, GroupName: name}); err != nil {
			return doing("store a mapping's group", err)
		}
	}
	return nil
}

// ResyncApplication makes an application's event tokens expire, so that it reads everything.
func (tx *Tx) ResyncApplication(app *models.Application) {
	tx.changed(models.Change{Kind: models.ApplicationSync, RowID: app.ID, Name: app.Name})
	tx.audit("app.resync", app.Name, 0, nil, nil)
}

func (tx *Tx) applicationChanged(app *models.Application, action string, before, after any) {
	tx.changed(models.Change{Kind: models.ApplicationChanged, RowID: app.ID, Name: app.Name})
	tx.audit(action, app.Name, 0, before, after)
}

func (tx *Tx) applicationDoor(app *models.Application, action string, before, after any) {
	tx.changed(models.Change{Kind: models.ApplicationDoor, RowID: app.ID, Name: app.Name})
	tx.audit(action, app.Name, 0, before, after)
}

// Calls lists an application's latest calls, newest first, what is only noted included.
func (r *Reads) Calls(ctx context.Context, app models.ID, limit int) ([]models.Call, error) {
	var calls []models.Call
	err := r.store.notes.counted(ctx, func() error {
		calls = nil
		return r.db.WithContext(ctx).Where("application_id = ?", app).Order("id DESC").Limit(limit).Find(&calls).Error
	}, func(p *noted) {
		for _, c := range p.calls[app] {
			calls = slices.Insert(calls, 0, c)
		}
	})
	return calls[:min(len(calls), limit, CallsKept)], doing("read the application's calls", err)
}
