package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
)

// FeedDisagreements compares rows with the latest line that the feed has of them, and gives at
// most limit sentences about where they differ. What the feed no longer has, it says nothing
// about; the same of directories that are gone, whose users and groups go without lines, and of
// what a directory had before it was replaced.
func (r *Reads) FeedDisagreements(ctx context.Context, limit int) ([]string, error) {
	var said []string
	say := func(format string, args ...any) bool {
		said = append(said, fmt.Sprintf(format, args...))
		return len(said) < limit
	}
	for _, compare := range []func(context.Context, func(string, ...any) bool) error{
		r.compareUsers, r.compareGroups, r.compareMemberships, r.compareNestings,
	} {
		if err := compare(ctx, say); err != nil || len(said) >= limit {
			return said, err
		}
	}
	return said, nil
}

// latest picks the last line of each row, of the kinds that say how the row is.
const latest = `FROM (SELECT row_id, max(seq) AS seq FROM changes WHERE kind IN ? GROUP BY row_id) l
	JOIN changes c ON c.seq = l.seq ` + ofDirectory

// ofDirectory joins a line with its directory, where it is later than what replaced all of it.
const ofDirectory = `LEFT JOIN (SELECT directory_id, max(seq) AS seq FROM changes WHERE kind = 'directory-replaced' GROUP BY directory_id) r
	ON r.directory_id = c.directory_id JOIN directories d ON d.id = c.directory_id AND c.seq > coalesce(r.seq, 0) `

// compareUsers reads a line of the feed and its row together. Attributes and passwords move a
// row's date without saying anything else of it: the date may be later than the line's.
func (r *Reads) compareUsers(ctx context.Context, say func(string, ...any) bool) error {
	query := r.db.WithContext(ctx).Raw(`SELECT c.kind, c.name, c.data, d.name, u.id IS NOT NULL, coalesce(u.name, ''), coalesce(u.first_name, ''),
		coalesce(u.last_name, ''), coalesce(u.display_name, ''), coalesce(u.email, ''), coalesce(u.active, false), coalesce(u.external_id, ''),
		coalesce(u.created_at, 0), coalesce(u.updated_at, 0) `+latest+"LEFT JOIN users u ON u.id = c.row_id AND u.directory_id = c.directory_id",
		[]models.ChangeKind{models.UserCreated, models.UserUpdated, models.UserRenamed, models.UserDeleted})
	return scanRows(query, "compare users with the feed", func(scan func(...any) error) (bool, error) {
		var l line
		var row models.ChangedUser
		err := scan(&l.kind, &l.name, &l.data, &l.directory, &l.exists, &l.rowName, &row.FirstName, &row.LastName, &row.DisplayName,
			&row.Email, &row.Active, &row.ExternalID, &row.CreatedAt, &row.UpdatedAt)
		if err != nil {
			return false, err
		}
		said := models.ChangedUser{}
		problem := l.disagrees(models.UserDeleted, &said)
		if problem == "" && l.exists {
			said.UpdatedAt, said.Attributes = sameOrEarlier(said.UpdatedAt, row.UpdatedAt), nil
			problem = differs(said, row)
		}
		return problem == "" || say("user %s of directory %s %s", l.name, l.directory, problem), nil
	})
}

func (r *Reads) compareGroups(ctx context.Context, say func(string, ...any) bool) error {
	query := r.db.WithContext(ctx).Raw(`SELECT c.kind, c.name, c.data, d.name, g.id IS NOT NULL, coalesce(g.name, ''), coalesce(g.description, ''),
		coalesce(g.active, false), coalesce(g.external_id, ''), coalesce(g.created_at, 0), coalesce(g.updated_at, 0) `+latest+
		"LEFT JOIN groups g ON g.id = c.row_id AND g.directory_id = c.directory_id",
		[]models.ChangeKind{models.GroupCreated, models.GroupUpdated, models.GroupDeleted})
	return scanRows(query, "compare groups with the feed", func(scan func(...any) error) (bool, error) {
		var l line
		var row models.ChangedGroup
		err := scan(&l.kind, &l.name, &l.data, &l.directory, &l.exists, &l.rowName, &row.Description, &row.Active, &row.ExternalID,
			&row.CreatedAt, &row.UpdatedAt)
		if err != nil {
			return false, err
		}
		said := models.ChangedGroup{}
		problem := l.disagrees(models.GroupDeleted, &said)
		if problem == "" && l.exists {
			said.UpdatedAt, said.Attributes = sameOrEarlier(said.UpdatedAt, row.UpdatedAt), nil
			problem = differs(said, row)
		}
		return problem == "" || say("group %s of directory %s %s", l.name, l.directory, problem), nil
	})
}

// A line is the last that the feed says of a row, and what there is of the row.
type line struct {
	kind      models.ChangeKind
	name      string
	data      []byte
	directory string
	exists    bool
	rowName   string
}

// disagrees compares what the line says of the row's being there and of its name, and reads the
// fields that it has.
func (l line) disagrees(deleted models.ChangeKind, fields any) string {
	switch {
	case l.kind == deleted && l.exists:
		return "is there, and was deleted by the feed's latest line"
	case l.kind != deleted && !l.exists:
		return "is gone, and no line of the feed deletes it"
	case l.exists && l.name != l.rowName:
		return "is named " + l.rowName + " by its row"
	}
	if err := json.Unmarshal(l.data, fields); err != nil {
		return "has a line in the feed that can't be read"
	}
	return ""
}

// sameOrEarlier gives the row's date where the line's is not later.
func sameOrEarlier(line, row models.Time) models.Time {
	if line <= row {
		return row
	}
	return line
}

// differs names the difference between what the feed and the row say.
func differs[T comparable](feed, row T) string {
	if feed == row {
		return ""
	}
	a, b := asJSON(feed), asJSON(row)
	return "differs: the feed says " + a + ", the row " + b
}

// compareMemberships looks only at pairs that both still exist: a membership goes without a line
// of its own when one of its ends is deleted.
func (r *Reads) compareMemberships(ctx context.Context, say func(string, ...any) bool) error {
	return r.comparePairs(ctx, "membership of user %s in group %s of directory %s", say, models.MemberAdded, models.MemberRemoved,
		"JOIN groups g ON g.id = c.row_id JOIN users x ON x.id = c.member_id AND NOT EXISTS (SELECT 1 FROM changes r"+
			" WHERE r.kind = '"+string(models.MembershipsReplaced)+"' AND r.row_id = x.id AND r.seq > c.seq) LEFT JOIN memberships m ON m.group_id = g.id AND m.user_id = x.id",
		"m.group_id IS NOT NULL")
}

func (r *Reads) compareNestings(ctx context.Context, say func(string, ...any) bool) error {
	return r.comparePairs(ctx, "nesting of group %s in group %s of directory %s", say, models.NestingAdded, models.NestingRemoved,
		"JOIN groups g ON g.id = c.row_id JOIN groups x ON x.id = c.member_id LEFT JOIN nestings m ON m.parent_id = g.id AND m.child_id = x.id",
		"m.parent_id IS NOT NULL")
}

func (r *Reads) comparePairs(ctx context.Context, what string, say func(string, ...any) bool, added, removed models.ChangeKind, joins, exists string) error {
	query := r.db.WithContext(ctx).Raw(`SELECT x.name, g.name, d.name, c.kind = ?
		FROM (SELECT row_id, member_id, max(seq) AS seq FROM changes WHERE kind IN ? GROUP BY row_id, member_id) l
		JOIN changes c ON c.seq = l.seq `+ofDirectory+joins+`
		WHERE (c.kind = ?) <> (`+exists+`) ORDER BY d.key, g.name_key, x.name_key`,
		added, []models.ChangeKind{added, removed}, added)
	return scanRows(query, "compare memberships with the feed", func(scan func(...any) error) (bool, error) {
		var member, group, directory string
		var wanted bool
		if err := scan(&member, &group, &directory, &wanted); err != nil {
			return false, err
		}
		problem := " is there, and was removed by the feed's latest line"
		if wanted {
			problem = " is gone, and no line of the feed removes it"
		}
		return say(what+problem, member, group, directory), nil
	})
}
