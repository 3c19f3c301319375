package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// newUser is a user as the create row sends it.
type newUser struct {
	Name        string `json:"name"`
	FirstName   string `json:"first-name"`
	LastName    string `json:"last-name"`
	DisplayName string `json:"display-name"`
	Email       string `json:"email"`
	Active      bool   `json:"active"`
}

// serveCreate answers POST /user by inserting the rows that the program inserts, in one
// transaction of its own for each request, with prepared statements. It knows no rules.
func (o *order) serveCreate(ctx context.Context) error {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-16000)"}}
	db, err := sql.Open("sqlite", "file:"+o.File+"?"+q.Encode())
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var dir int64
	if err := db.QueryRowContext(ctx, "SELECT id FROM directories").Scan(&dir); err != nil {
		return err
	}
	var insert [3]*sql.Stmt
	for i, text := range []string{
		`INSERT INTO users (directory_id, name, name_key, first_name, first_key, last_name, last_key, display_name, display_key,
			email, email_key, active, external_id, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		`INSERT INTO audit_entries (at, actor_kind, actor, address, request, action, outcome, subject, directory, before, after, count)
			VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
		`INSERT INTO changes (at, kind, writer, directory_id, row_id, member_id, name, member, data) VALUES (?,?,?,?,?,?,?,?,?)`,
	} {
		if insert[i], err = db.PrepareContext(ctx, text); err != nil {
			return err
		}
		defer insert[i].Close()
	}
	create := func(ctx context.Context, u newUser) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		now, external := time.Now().UnixMilli(), uuid.NewString()
		r, err := tx.StmtContext(ctx, insert[0]).ExecContext(ctx, dir, u.Name, models.Key(u.Name), u.FirstName, models.Key(u.FirstName),
			u.LastName, models.Key(u.LastName), u.DisplayName, models.Key(u.DisplayName), u.Email, models.Key(u.Email), u.Active, external, now, now)
		if err != nil {
			return err
		}
		id, err := r.LastInsertId()
		if err != nil {
			return err
		}
		after, _ := json.Marshal(map[string]any{"name": u.Name, "first": u.FirstName, "last": u.LastName, "display": u.DisplayName,
			"email": u.Email, "active": u.Active, "external": external}) // plain fields always marshal
		if _, err := tx.StmtContext(ctx, insert[1]).ExecContext(ctx, now, "application", appName, "127.0.0.1", external, "user.create", "done",
			u.Name, "staff", "", string(after), 1); err != nil {
			return err
		}
		data, _ := json.Marshal(models.ChangedUser{FirstName: u.FirstName, LastName: u.LastName, DisplayName: u.DisplayName, Email: u.Email,
			Active: u.Active, ExternalID: external, CreatedAt: models.Time(now), UpdatedAt: models.Time(now)})
		if _, err := tx.StmtContext(ctx, insert[2]).ExecContext(ctx, now, string(models.UserCreated), 0, dir, id, 0, u.Name, "", data); err != nil {
			return err
		}
		return tx.Commit()
	}
	return o.serve(ctx, func(c echo.Context) error {
		var u newUser
		if err := c.Bind(&u); err != nil {
			return err
		}
		if err := create(c.Request().Context(), u); err != nil {
			return err
		}
		return o.answer(c)
	})
}

// created counts the rows that a side has inserted: as many users as changes and audit entries.
func (w *world) created(ctx context.Context) (users int, err error) {
	db, err := sql.Open("sqlite", "file:"+w.file()+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var changes, audits int
	err = db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM users WHERE id > ?),
		(SELECT count(*) FROM changes WHERE kind = 'user-created'),
		(SELECT count(*) FROM audit_entries WHERE action = 'user.create')`, w.users).Scan(&users, &changes, &audits)
	if err == nil && (users != changes || users != audits) {
		err = fmt.Errorf("wrong rows: %d users, %d changes, %d audit entries", users, changes, audits)
	}
	return users, err
}
