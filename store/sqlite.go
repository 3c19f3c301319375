package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"modernc.org/sqlite"
)

// busyTimeout is how long a write waits for another process's or goroutine's turn on SQLite.
const busyTimeout = 10 * time.Second

// openSQLite opens one writer and a pool of readers on the file. Acknowledged means that it
// survives a power cut: synchronous=FULL.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	if path == "" {
		return errors.New("the database URL sqlite: names no file")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	if err := touchPrivate(path); err != nil {
		return err
	}
	writer, err := openSQLitePool(path, "immediate", 1)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	reader, err := openSQLitePool(path, "deferred", max(4, 2*runtime.GOMAXPROCS(0)))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if err := writer.PingContext(ctx); err != nil {
		return fmt.Errorf("open %s: %w", path, outward(err))
	}
	if s.writer, err = gorm.Open(sqliteDialector(writer), gormConfig()); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if s.db, err = gorm.Open(sqliteDialector(reader), gormConfig()); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.dialect = dialect{name: "sqlite", path: path, reader: reader, busy: busyTimeout}
	s.close = func() error { return errors.Join(reader.Close(), writer.Close()) }
	return nil
}

// touchPrivate makes a new database file that only its owner can read.
func touchPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return f.Close()
}

func openSQLitePool(path, lock string, size int) (*sql.DB, error) {
	q := url.Values{"_txlock": {lock}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-16000)",
	}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// sqliteDialector is GORM's SQLite dialect over the pure-Go driver, whose error codes it
// doesn't know: unique violations are 2067, and 1555 for a primary key.
func sqliteDialector(db *sql.DB) gorm.Dialector {
	return pureSQLite{&gormsqlite.Dialector{DriverName: "sqlite", Conn: db}}
}

type pureSQLite struct{ *gormsqlite.Dialector }

func (pureSQLite) Translate(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && (e.Code() == 2067 || e.Code() == 1555) {
		return gorm.ErrDuplicatedKey
	}
	return err
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		TranslateError:         true,
		QueryFields:            true, // what was prepared as "*" fails once a newer program has added a column
		PrepareStmt:            true,
		PrepareStmtMaxSize:     300,            // each takes about 20 KB on each connection
		Logger:                 logger.Discard, // errors reach the door, which logs them once
	}
}
