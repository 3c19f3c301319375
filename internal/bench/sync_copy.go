package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// copied are the tables that a run fills, in an order in which their foreign keys hold.
var copied = []string{"users", "groups", "memberships", "nestings"}

// takeRows keeps a synchronised world's rows for copyRows: on PostgreSQL as files in the form that
// COPY writes and reads fastest, on SQLite the file itself.
func (w *world) takeRows(ctx context.Context) (err error) {
	if w.kind == onSQLite {
		return nil
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, table := range copied {
		f, err := os.Create(filepath.Join(w.dir, table))
		if err != nil {
			return err
		}
		out := bufio.NewWriterSize(f, 1<<20)
		_, err = conn.PgConn().CopyTo(ctx, out, "COPY (SELECT * FROM "+table+ofCloud+") TO STDOUT (FORMAT binary)")
		if err = errors.Join(err, out.Flush(), f.Close()); err != nil {
			return fmt.Errorf("take table %s: %w", table, err)
		}
	}
	return nil
}

// copyRows writes those rows, keys and all, into another world, in one transaction, and tells how
// long that took.
func (w *world) copyRows(ctx context.Context, from *world) (time.Duration, error) {
	if w.kind == onSQLite {
		return w.insertRows(ctx, from)
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	begun := time.Now()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, table := range copied {
			f, err := os.Open(filepath.Join(from.dir, table))
			if err != nil {
				return err
			}
			_, err = conn.PgConn().CopyFrom(ctx, bufio.NewReaderSize(f, 1<<20), "COPY "+table+" FROM STDIN (FORMAT binary)")
			if err = errors.Join(err, f.Close()); err != nil {
				return fmt.Errorf("copy table %s: %w", table, err)
			}
		}
		return nil
	})
	return time.Since(begun), err
}

// insertRows inserts the rows one by one with prepared statements. The time is that of inserting:
// another goroutine reads the rows, and waiting for it isn't counted.
func (w *world) insertRows(ctx context.Context, from *world) (took time.Duration, err error) {
	source, err := from.open()
	if err != nil {
		return 0, err
	}
	defer source.Close()
	db, err := w.open()
	if err != nil {
		return 0, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	for _, table := range copied {
		d, err := insertTable(ctx, tx, source, table)
		if err != nil {
			return 0, fmt.Errorf("insert into %s: %w", table, err)
		}
		took += d
	}
	begun := time.Now()
	err = tx.Commit()
	return took + time.Since(begun), err
}

func insertTable(ctx context.Context, tx *sql.Tx, source *sql.DB, table string) (took time.Duration, err error) {
	rows, err := source.QueryContext(ctx, "SELECT * FROM "+table+ofCloud)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	insert, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)", table, strings.Join(columns, ", "), strings.Repeat(", ?", len(columns)-1)))
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	batches, failed := make(chan [][]any, 4), make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer close(batches)
		failed <- inRows(ctx, rows, len(columns), batches)
	}()
	for batch := range batches {
		begun := time.Now()
		for _, row := range batch {
			if _, err := insert.ExecContext(ctx, row...); err != nil {
				stop()
				return 0, errors.Join(err, <-failed)
			}
		}
		took += time.Since(begun)
	}
	return took, <-failed
}

// inRows reads rows, some thousands at a time.
func inRows(ctx context.Context, rows *sql.Rows, columns int, into chan<- [][]any) error {
	var batch [][]any
	send := func() error {
		select {
		case into <- batch:
			batch = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for rows.Next() {
		row, places := make([]any, columns), make([]any, columns)
		for i := range row {
			places[i] = &row[i]
		}
		if err := rows.Scan(places...); err != nil {
			return err
		}
		if batch = append(batch, row); len(batch) == 5000 {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return send()
}
