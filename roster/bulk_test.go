package roster_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// A bulk changes much of a directory at random, in one transaction of SQL and with one line in
// the feed, as a large sync does. Names that are left may be taken again in it.
type bulk struct {
	*rand.Rand
	raw *sql.DB
	dir models.ID
}

func (b bulk) write(ctx context.Context) error {
	tx, err := b.raw.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var all []string
	for _, i := range b.Perm(len(bulkSteps))[:1+b.IntN(len(bulkSteps))] {
		all = append(all, bulkSteps[i])
	}
	for range b.IntN(4) {
		all = append(all, b.newUser(), b.newGroup())
	}
	all = append(all, "INSERT INTO changes (at, kind, writer, directory_id, row_id, name) VALUES (:now, 'directory-replaced', 2, :dir, :dir, 'bulk')")
	for _, statement := range all {
		if _, err := tx.ExecContext(ctx, b.filled(statement)); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return tx.Commit()
}

var bulkSteps = []string{
	"DELETE FROM users WHERE directory_id = :dir AND id % 4 = :n",
	"DELETE FROM groups WHERE directory_id = :dir AND id % 4 = :n",
	"UPDATE users SET name = 'Moved ' || id || '-:now', name_key = 'moved ' || id || '-:now', updated_at = :now WHERE directory_id = :dir AND id % 3 = :n",
	"UPDATE users SET active = NOT active, email = 'Mail ' || id, email_key = 'mail ' || id WHERE directory_id = :dir AND id % 2 = :n",
	"UPDATE groups SET description = 'Told', description_key = 'told', updated_at = :now WHERE directory_id = :dir AND id % 2 = :n",
	"DELETE FROM memberships WHERE directory_id = :dir AND (3 * group_id + user_id) % 3 = :n",
	"DELETE FROM nestings WHERE directory_id = :dir AND (3 * parent_id + child_id) % 3 = :n",
	`INSERT INTO memberships (group_id, user_id, directory_id) SELECT g.id, u.id, :dir FROM groups g, users u
		WHERE g.directory_id = :dir AND u.directory_id = :dir AND (g.id + u.id) % 4 = :n ON CONFLICT DO NOTHING`,
	`INSERT INTO nestings (parent_id, child_id, directory_id) SELECT p.id, c.id, :dir FROM groups p, groups c
		WHERE p.directory_id = :dir AND c.directory_id = :dir AND (p.id + c.id) % 4 = :n ON CONFLICT DO NOTHING`,
}

func (b bulk) newUser() string {
	name := spelled(b.Rand, userNames)
	return fmt.Sprintf(`INSERT INTO users (directory_id, name, name_key, active, external_id, created_at, updated_at)
		VALUES (:dir, '%s', '%s', true, 'source-%d', :now, :now) ON CONFLICT DO NOTHING`, name, models.Key(name), b.IntN(20))
}

func (b bulk) newGroup() string {
	name := spelled(b.Rand, groupNames)
	return fmt.Sprintf(`INSERT INTO groups (directory_id, name, name_key, active, external_id, created_at, updated_at)
		VALUES (:dir, '%s', '%s', true, 'bulk-%d', :now, :now) ON CONFLICT DO NOTHING`, name, models.Key(name), b.Uint32())
}

func (b bulk) filled(statement string) string {
	return strings.NewReplacer(":dir", fmt.Sprint(b.dir), ":now", fmt.Sprint(1_790_000_000_000+b.Int64N(1e9)), ":n", fmt.Sprint(b.IntN(4))).Replace(statement)
}
