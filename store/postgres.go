package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// openPostgres opens one pool, under GORM and under LISTEN and COPY alike.
func (s *Store) openPostgres(ctx context.Context, url string) error {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err) // pgx leaves the password out of its error
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 3 * time.Second
	}
	if config.MaxConns < 16 {
		config.MaxConns = 16
	}
	params := config.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "rollcall"
	}
	// A transaction whose process hangs must not hold its locks, nor the feed, for ever.
	params["idle_in_transaction_session_timeout"] = "600000"
	params["lock_timeout"] = "10000"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return fmt.Errorf("connect to PostgreSQL at %s:%d: %w", config.ConnConfig.Host, config.ConnConfig.Port, outward(err))
	}
	db := stdlib.OpenDBFromPool(pool)
	g := gormConfig()
	g.PrepareStmt = false // pgx prepares and caches by itself
	if s.writer, err = gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: db}), g); err != nil {
		pool.Close()
		return fmt.Errorf("open the database: %w", err)
	}
	s.db = s.writer
	s.dialect = dialect{name: "postgres", pool: pool, busy: 10 * time.Second}
	s.close = func() error {
		err := db.Close()
		pool.Close()
		return err
	}
	return nil
}
