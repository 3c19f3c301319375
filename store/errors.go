package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"

	"github.com/rollcall-id/rollcall/models"
)

// outward turns a database's failure into one that callers can act on: away, busy or full.
// Every other error stays as it is. What we were doing stays in its chain either way.
func outward(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if _, ok := errors.AsType[*models.Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return unavailable(err) // whatever the server said to it
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteOutward(e, err)
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresOutward(e, err)
	}
	if away(err) {
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return &models.Error{Code: models.Unavailable, Message: "The database can't be used at the moment; try again shortly.", Err: err}
}

func full(err error) error {
	return &models.Error{Code: models.StorageFull, Message: "The database has no space left; nothing was changed.", Err: err}
}

func away(err error) bool {
	_, isNet := errors.AsType[net.Error](err)
	return isNet || errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn) || isUnexpectedEOF(err)
}

// sqliteOutward reads SQLite's primary result codes: busy 5, locked 6, out of disk 13,
// can't open 14, I/O 10, read-only 8.
func sqliteOutward(e *sqlite.Error, err error) error {
	switch e.Code() & 0xff {
	case 13:
		return full(err)
	case 5, 6, 8, 10, 14:
		return unavailable(err)
	}
	return err
}

// postgresOutward reads SQLSTATE classes: 08 connection, 53 resources, 57P shutting down,
// 55P03 and 40 somebody else's locks.
func postgresOutward(e *pgconn.PgError, err error) error {
	switch {
	case e.Code == "53100":
		return full(err)
	case e.Code[:2] == "08", e.Code[:2] == "53", e.Code[:3] == "57P", e.Code == "55P03", e.Code[:2] == "40":
		return unavailable(err)
	case e.Code == "25006": // read only: a standby, after a failover that the connection hasn't noticed
		return unavailable(err)
	}
	return err
}

// found turns "no such row" into the code; it passes on every other failure.
func found(err error, code models.Code, subject string) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return &models.Error{Code: code, Subject: subject}
	}
	return outward(err)
}

// taken turns a unique violation into the code; it passes on every other failure.
func taken(err error, code models.Code, subject, message string) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return models.Fail(code, subject, message)
	}
	return outward(err)
}

// doing says what failed, keeping the code.
func doing(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, outward(err))
}
