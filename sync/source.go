package sync

import (
	"context"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// A Source reads one outside directory. It never writes and knows nothing of our rows. One run
// uses a Source from one goroutine at a time; inside it may ask several things at once, but it
// calls back one after the other. Pages that it gives away are the receiver's.
//
// Every error is a sentence for an administrator: what was asked, what was answered, the way
// out. Whatever may be tried again has been tried again before it is returned.
type Source interface {
	// Check says what the credentials may and may not do. A source that can't be reached, or
	// that refuses the credentials, is an error.
	Check(ctx context.Context) (Report, error)

	// Begin gives the cursor from which Changes can later tell all that changes from now on.
	// Empty: this source can't tell changes.
	Begin(ctx context.Context) (Cursor, error)

	// Users sends every user, page by page, beginning at a checkpoint (empty: at the start).
	// The checkpoint with a page says where to go on after it. A user may come twice: the last
	// one counts.
	Users(ctx context.Context, from Checkpoint, page func(users []User, next Checkpoint) error) error

	// Groups sends every group, as Users does.
	Groups(ctx context.Context, from Checkpoint, page func(groups []Group, next Checkpoint) error) error

	// Members sends the direct members of these groups, in any order of groups; a large group
	// comes in parts. A group whose members can't be read is told as Unreadable, one that is
	// no longer there as Gone: both are no errors.
	Members(ctx context.Context, groups []string, part func(Members) error) error

	// Changes sends what changed since a cursor, and gives the next one. *FullRead when the
	// cursor no longer counts.
	Changes(ctx context.Context, since Cursor, page func(Changes) error) (Cursor, error)

	// GroupsOf sends the ids of the groups that each of these users is a direct member of. A
	// user that is no longer there has none.
	GroupsOf(ctx context.Context, users []string, each func(user string, groups []string) error) error

	// UsersByID sends those of these users that are there. *Withheld, when all others were sent:
	// the source refuses to say whether some are.
	UsersByID(ctx context.Context, ids []string, each func(User) error) error

	// Find sends the users whose id, login or mail address is the word.
	Find(ctx context.Context, word string) ([]User, error)

	// Stats says what the source was asked since it was made.
	Stats() Stats

	// Close ends its connections. Each run has a source of its own.
	Close()
}

// A Cursor is a source's own word for a moment in its history. It may hold a link, and is kept
// as a secret.
type Cursor string

// A Checkpoint is a source's own word for a place in a list that it sends.
type Checkpoint string

// FullRead says that a source can't tell what changed, and why: everything must be read.
type FullRead struct{ Reason string }

// Error gives the reason.
func (e *FullRead) Error() string { return "everything must be read: " + e.Reason }

// Withheld says that a source doesn't speak about some of the users that it was asked for: they
// may be there, or not.
type Withheld struct{ Err error }

// Error says what was said of one of them.
func (e *Withheld) Error() string {
	return "the source doesn't speak about some of them: " + e.Err.Error()
}

// Unwrap gives what was said of one of them.
func (e *Withheld) Unwrap() error { return e.Err }

// A User is a user as a source tells it.
type User struct {
	ID         string // stable for ever
	Login      string // what the person types: Entra's userPrincipalName, Google's primaryEmail, Okta's login
	Mail       string // empty: none
	First      string
	Last       string
	Display    string
	Active     bool
	Guest      bool
	Attributes []models.Attribute // those that the settings ask for, by the source's names
}

// A Group is a group as a source tells it.
type Group struct {
	ID          string // stable for ever
	Name        string // may not be unique
	Mail        string // empty: none
	Description string
}

// MemberKind says what a member is.
type MemberKind byte

// The kinds of member.
const (
	MemberUser      MemberKind = iota
	MemberGroup                // a group in the group
	MemberEverybody            // all users of the source, said as one member
	MemberOther                // a device, an outside account: it is counted and left out
)

// A Member is one direct member of a group.
type Member struct {
	ID   string
	Kind MemberKind
}

// Members is what a source tells of one group's direct members: a part of them, or why not.
type Members struct {
	Group      string
	Members    []Member
	Last       bool  // the group is complete with this part
	Unreadable error // its members can't be read: what we have of them stays
	Gone       bool  // the group was removed since it was listed
}

// EndMembers tells how the reading of one group's members ended. gone tells whether a problem says
// that the group is no longer there; whole, whether it concerns all that is asked and not this
// group: then it is given back.
func EndMembers(ctx context.Context, group string, problem error, gone, whole func(error) bool, send func(Members) error) error {
	switch {
	case problem == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case gone(problem):
		return send(Members{Group: group, Gone: true})
	case whole(problem):
		return problem
	}
	return send(Members{Group: group, Unreadable: problem})
}

// Changes is a page of what changed since a cursor. Users and groups are whole, as they are
// now. The same one may come again: the last one counts. Of one membership the last word counts,
// in the order of the pages; within one page Added and Removed have no pair in common.
type Changes struct {
	Users      []User
	GoneUsers  []string // removed, also those that can still come back
	Groups     []Group
	GoneGroups []string
	Added      []Edge
	Removed    []Edge
	Members    []Members // groups whose direct members were read anew, in parts
}

// An Edge says that Member is directly in Group.
type Edge struct {
	Group  string
	Member Member
}

// A Report says what a source's credentials may do.
type Report struct {
	Granted    []string
	Missing    []string  // each with the way out
	SecretEnds time.Time // zero: unknown
	Notes      []string  // what an administrator should know and that is no failure
}

// Stats counts what a source was asked.
type Stats struct {
	Requests  int64
	Throttled int64 // answers that told us to wait
	Retried   int64
	Bytes     int64 // of answers, before they are unpacked
}
