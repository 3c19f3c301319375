package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	"gorm.io/gorm"

	"github.com/rollcall-id/rollcall/store/migrations"
)

// A schemaStep is the row of a step that was taken.
type schemaStep struct {
	Number        int `gorm:"primaryKey;autoIncrement:false"`
	Name          string
	OldestProgram int
	TakenAt       int64
}

// TableName names the table of steps.
func (schemaStep) TableName() string { return "schema_steps" }

// SchemaLevel is the highest migration that this program knows.
func SchemaLevel() int { return highest(migrations.Steps) }

func highest(steps []migrations.Step) int { return steps[len(steps)-1].Number }

// migrate makes or upgrades the schema. Two programs that start together do it once: the
// second waits for the first one's transaction.
func (s *Store) migrate(ctx context.Context, o Options) error {
	have, err := s.schemaSteps(ctx)
	if err != nil {
		return err
	}
	known := highest(s.steps)
	switch level := levelOf(have); {
	case level == known:
		return nil
	case level > known:
		return refuseNewer(have, known)
	case level > 0 && !o.Upgrade:
		return fmt.Errorf("the database's schema is at step %d and this program needs step %d: start `rollcall serve` of this version once, it upgrades the database", level, known)
	case level > 0:
		if err := s.copyBeforeUpgrade(ctx, level); err != nil {
			return err
		}
	}
	return s.upgrade(ctx, o)
}

func levelOf(have []schemaStep) int {
	level := 0
	for _, step := range have {
		level = max(level, step.Number)
	}
	return level
}

// refuseNewer lets an older program work beside a newer schema unless a step says it can't.
func refuseNewer(have []schemaStep, known int) error {
	for _, step := range have {
		if step.OldestProgram > known {
			return fmt.Errorf("the database was upgraded by a newer program (step %d, %q), which this one is too old for: "+
				"start the newer rollcall, or restore the backup from before the upgrade", step.Number, step.Name)
		}
	}
	return nil
}

// schemaSteps reads which steps the database has taken: none when it is empty.
func (s *Store) schemaSteps(ctx context.Context) ([]schemaStep, error) {
	db := s.writer.WithContext(ctx)
	if !db.Migrator().HasTable(schemaStep{}.TableName()) {
		return nil, doing("read the schema", s.Ping(ctx))
	}
	var steps []schemaStep
	err := db.Order("number").Find(&steps).Error
	return steps, doing("read the schema", err)
}

func (s *Store) upgrade(ctx context.Context, o Options) error {
	d := migrations.SQLite
	if s.dialect.postgres() {
		d = migrations.PostgreSQL
	}
	var taken []migrations.Step
	err := s.writer.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if s.dialect.postgres() {
			// "rollcall" in ASCII: one upgrade at a time.
			if err := tx.Exec("SELECT pg_advisory_xact_lock(8245937398302731372)").Error; err != nil {
				return err
			}
		}
		if err := tx.Exec("CREATE TABLE IF NOT EXISTS schema_steps (number integer PRIMARY KEY, name text NOT NULL, oldest_program integer NOT NULL, taken_at bigint NOT NULL)").Error; err != nil {
			return err
		}
		var have []schemaStep
		if err := tx.Find(&have).Error; err != nil {
			return err
		}
		level := levelOf(have)
		for _, step := range s.steps {
			if step.Number <= level {
				continue
			}
			if err := s.take(tx, step, d, o); err != nil {
				return fmt.Errorf("step %d (%s): %w", step.Number, step.Name, err)
			}
			taken = append(taken, step)
		}
		return nil
	})
	if err != nil {
		return doing("upgrade the schema, nothing was changed", err)
	}
	for _, step := range taken {
		s.log.Info("schema upgraded", "step", step.Number, "did", step.Name)
	}
	return nil
}

func (s *Store) take(tx *gorm.DB, step migrations.Step, d migrations.Dialect, o Options) error {
	for _, stmt := range step.Statements(d) {
		if err := tx.Exec(stmt).Error; err != nil {
			return err
		}
	}
	now := s.Now()
	if step.Number == 1 {
		if err := tx.Create(newInstallation(o.Key, int64(now))).Error; err != nil {
			return err
		}
	}
	return tx.Create(&schemaStep{Number: step.Number, Name: step.Name, OldestProgram: step.OldestProgram, TakenAt: int64(now)}).Error
}

// copyBeforeUpgrade keeps a copy of a SQLite file beside it; of PostgreSQL the operator has
// backups (docs/operate.md).
func (s *Store) copyBeforeUpgrade(ctx context.Context, level int) error {
	if s.dialect.postgres() {
		s.log.Info("schema will be upgraded", "from", level, "to", highest(s.steps))
		return nil
	}
	path, err := s.claimCopy(level)
	if err != nil {
		return fmt.Errorf("copy the database before its upgrade: %w", err)
	}
	if err := s.writer.WithContext(ctx).Exec("VACUUM INTO ?", path).Error; err != nil {
		return errors.Join(doing("copy the database before its upgrade, nothing was changed", err), os.Remove(path))
	}
	s.log.Info("schema will be upgraded", "from", level, "to", highest(s.steps), "copy", path)
	return nil
}

// claimCopy makes an empty file that only its owner can read, under a name that nobody has:
// VACUUM fills it.
func (s *Store) claimCopy(level int) (path string, err error) {
	name := fmt.Sprintf("%s.before-step-%d-%s", s.dialect.path, level+1, s.now().UTC().Format("20060102T150405"))
	path = name
	for n := 2; ; n++ {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return path, f.Close()
		}
		if !errors.Is(err, os.ErrExist) {
			return "", err
		}
		path = fmt.Sprintf("%s-%d", name, n)
	}
}
