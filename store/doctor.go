package store

import (
	"context"
	"encoding/base64"
	"fmt"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/models"
)

// What `rollcall doctor` asks of the database: here whether it is sound and what it holds that
// can't be read; in doctor_schema.go what the schema lost, in doctor_orphans.go rows whose owner
// is gone, in doctor_feed.go what the feed says otherwise. All of it reads rows as a stream or in
// pages: directories may be large.

// Integrity asks the database to examine itself and gives at most limit things that are wrong:
// SQLite its pages, PostgreSQL whether each index can be used.
func (r *Reads) Integrity(ctx context.Context, limit int) ([]string, error) {
	var said []string
	if r.store.dialect.postgres() {
		err := r.db.WithContext(ctx).Raw(`SELECT 'index ' || c.relname || ' is not valid' FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
			JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND NOT i.indisvalid ORDER BY 1 LIMIT ?`, limit).Scan(&said).Error
		return said, doing("look for broken indexes", err)
	}
	err := r.db.WithContext(ctx).Raw(fmt.Sprintf("PRAGMA integrity_check(%d)", limit)).Scan(&said).Error
	if len(said) == 1 && said[0] == "ok" {
		said = nil
	}
	return said, doing("check the database file", err)
}

// EndedSessions counts the sessions that ended before now and are still kept.
func (r *Reads) EndedSessions(ctx context.Context, now models.Time) (n int64, err error) {
	err = r.db.WithContext(ctx).Model(&models.Session{}).Where("expires_at < ?", now).Count(&n).Error
	return n, doing("count ended sessions", err)
}

// UnreadableSecrets names the sealed secrets that can't be opened with this server's key, at
// most limit of them.
func (r *Reads) UnreadableSecrets(ctx context.Context, limit int) ([]string, error) {
	var names []string
	add := func(name string) bool {
		names = append(names, name)
		return len(names) < limit
	}
	if err := r.unreadableSettings(ctx, add); err != nil || len(names) == limit {
		return names, err
	}
	err := r.unreadableOutbox(ctx, add)
	return names, err
}

func (r *Reads) unreadableSettings(ctx context.Context, add func(string) bool) error {
	var rows []struct {
		models.DirectorySetting
		Directory string
	}
	err := r.db.WithContext(ctx).Raw(`SELECT s.directory_id, s.name, s.value, s.sealed, d.name AS directory FROM directory_settings s JOIN directories d ON d.id = s.directory_id
		WHERE s.sealed ORDER BY d.key, s.name`).Scan(&rows).Error
	if err != nil {
		return doing("read sealed settings", err)
	}
	for _, row := range rows {
		sealed, err := base64.StdEncoding.DecodeString(row.Value)
		if err == nil {
			_, err = r.store.Unseal(settingLabel(row.DirectorySetting), sealed)
		}
		if err != nil && !add("setting "+row.Name+" of directory "+row.Directory) {
			return nil
		}
	}
	return nil
}

func (r *Reads) unreadableOutbox(ctx context.Context, add func(string) bool) error {
	for after := models.ID(0); ; {
		var items []models.OutboxItem
		err := r.db.WithContext(ctx).Where("id > ?", after).Order("id").Limit(100).Find(&items).Error
		if err != nil {
			return doing("read the outbox", err)
		}
		for _, item := range items {
			after = item.ID
			if _, err := r.store.Unseal(outboxLabel, item.Payload); err != nil && !add(fmt.Sprintf("%s %d in the outbox", item.Kind, item.ID)) {
				return nil
			}
		}
		if len(items) < 100 {
			return nil
		}
	}
}

// Nestings calls do with each parent and child of a directory's groups.
func (r *Reads) Nestings(ctx context.Context, dir models.ID, do func(parent, child models.ID)) error {
	return scanRows(r.db.WithContext(ctx).Raw("SELECT parent_id, child_id FROM nestings WHERE directory_id = ?", dir), "read nested groups",
		func(scan func(...any) error) (bool, error) {
			var parent, child models.ID
			err := scan(&parent, &child)
			if err == nil {
				do(parent, child)
			}
			return true, err
		})
}

// DirectoryNames gives the names of all directories, without reading what is in their settings.
func (r *Reads) DirectoryNames(ctx context.Context) (map[models.ID]string, error) {
	var rows []struct {
		ID   models.ID
		Name string
	}
	err := r.db.WithContext(ctx).Raw("SELECT id, name FROM directories").Scan(&rows).Error
	names := make(map[models.ID]string, len(rows))
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	return names, doing("read directories", err)
}

// GroupNames gives the names of some groups.
func (r *Reads) GroupNames(ctx context.Context, groups []models.ID) (map[models.ID]string, error) {
	var rows []struct {
		ID   models.ID
		Name string
	}
	err := r.db.WithContext(ctx).Raw("SELECT id, name FROM groups WHERE id IN ?", groups).Scan(&rows).Error
	names := make(map[models.ID]string, len(rows))
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	return names, doing("read groups", err)
}

// scanRows calls each with every row of a query until it answers false.
func scanRows(query *gorm.DB, what string, each func(scan func(...any) error) (more bool, err error)) error {
	rows, err := query.Rows()
	if err != nil {
		return doing(what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if more, err := each(rows.Scan); err != nil || !more {
			return doing(what, err)
		}
	}
	return doing(what, rows.Err())
}
