package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

const (
	rowSyncKills = "kill -9 at a random moment of a full sync, 20 times: half applied or lost"

	syncKills = 20
)

// syncKills kills full runs of a tenth of the data, each at a random moment from its start to its
// end, on a directory of its own, and lets the next run finish.
func (b *bench) syncKills(ctx context.Context) error {
	shape := b.cloudOf(models.KindEntra)
	shape.Users, shape.Groups = shape.Users/10, shape.Groups/10
	for _, kind := range []string{onPostgres, onSQLite} {
		err := b.mirror(ctx, kind, shape, func(m *mirror) error {
			begun := time.Now()
			if _, err := m.first(ctx); err != nil {
				return err
			}
			whole := time.Since(begun)
			want, err := m.synced.digest(ctx)
			if err != nil {
				return err
			}
			var ends [3]int
			for range syncKills {
				end, err := m.killed(ctx, rand.N(whole), want)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", rowSyncKills, kind, err)
				}
				ends[end]++
			}
			m.say("of %d runs that were killed %d had applied nothing, %d everything, %d something", syncKills, ends[notApplied], ends[applied], ends[halfApplied])
			b.add(result{kind: sizes, name: rowSyncKills, database: kind, value: float64(ends[halfApplied]), goal: 0, unit: "runs"})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// What a run that was killed has left.
const (
	notApplied = iota
	applied
	halfApplied
)

// killed kills a run after so long, says what it left, and wants the next one to end as a run that
// nobody disturbed.
func (m *mirror) killed(ctx context.Context, after time.Duration, want string) (end int, err error) {
	w, err := m.empty.clone(ctx, m.bench)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.drop()) }()
	cmd := m.syncCommand(ctx, w, "--full")
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if err := pause(ctx, after); err != nil {
		return 0, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	killed := cmd.Process.Kill()
	_ = cmd.Wait() // it tells of the kill
	if killed != nil {
		m.say("  a run was over before it was killed, after %s", after)
	}
	if end, err = m.left(ctx, w); err != nil {
		return 0, err
	}
	if err := w.releaseLease(ctx); err != nil {
		return 0, err
	}
	outcome := models.OutcomeApplied
	if end == applied {
		outcome = models.OutcomeNothing
	}
	if _, err := m.sync(ctx, w, outcome, "--full"); err != nil {
		return 0, err
	}
	got, err := w.digest(ctx)
	if err == nil && got != want {
		err = fmt.Errorf("wrong answer: after a run that was killed after %s the next one made another directory than one that nobody killed", after)
	}
	return end, err
}

// left says what a killed run has left: nothing, or all rows with the state and the line of the feed
// that belong to them.
func (m *mirror) left(ctx context.Context, w *world) (end int, err error) {
	has, err := w.holds(ctx)
	if err != nil {
		return 0, err
	}
	var completed, told int
	err = w.ask(ctx, "SELECT (SELECT count(*) FROM sync_states"+ofCloud+" AND completed_at > 0), (SELECT count(*) FROM changes"+ofCloud+
		fmt.Sprintf(" AND kind = '%s')", models.DirectoryReplaced), &completed, &told)
	switch {
	case err != nil:
		return 0, err
	case has == holding{} && completed == 0 && told == 0:
		return notApplied, nil
	case has == m.cloud.holding() && completed == 1 && told == 1:
		return applied, nil
	}
	m.say("  half applied: %+v of %+v, state %d, feed %d", has, m.cloud.holding(), completed, told)
	return halfApplied, nil
}

// releaseLease ends the minute for which a killed process keeps its directory.
func (w *world) releaseLease(ctx context.Context) error {
	db, err := w.open()
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "UPDATE sync_states SET held_until = 0")
	return err
}

// contents are all that a directory shows, without our numbers and times.
var contents = []string{
	"SELECT external_id, name, first_name, last_name, display_name, email, CAST(active AS text) FROM users" + ofCloud + " ORDER BY external_id",
	"SELECT external_id, name, description, '', '', '', CAST(active AS text) FROM groups" + ofCloud + " ORDER BY external_id",
	"SELECT g.external_id, u.external_id, '', '', '', '', '' FROM memberships m JOIN groups g ON g.id = m.group_id JOIN users u ON u.id = m.user_id ORDER BY 1, 2",
	"SELECT p.external_id, c.external_id, '', '', '', '', '' FROM nestings n JOIN groups p ON p.id = n.parent_id JOIN groups c ON c.id = n.child_id ORDER BY 1, 2",
}

// digest hashes what the directory shows.
func (w *world) digest(ctx context.Context) (string, error) {
	db, err := w.open()
	if err != nil {
		return "", err
	}
	defer db.Close()
	hash := sha256.New()
	for _, query := range contents {
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			return "", err
		}
		defer rows.Close()
		var texts [7]sql.RawBytes
		for rows.Next() {
			if err := rows.Scan(&texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5], &texts[6]); err != nil {
				return "", err
			}
			for _, text := range texts {
				fmt.Fprintf(hash, "%d:%s", len(text), text)
			}
		}
		if err := rows.Err(); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
