package sync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The phases of a full read.
const (
	phaseBegin   = "begin"
	phaseUsers   = "users"
	phaseGroups  = "groups"
	phaseMembers = "members"
)

// chunkGroups is how many groups' members are asked for at once: after a kill so much is read
// again.
const chunkGroups = 2000

// readFull reads the source from where staging ends to its end.
func (r *run) readFull(ctx context.Context) error {
	w := r.want
	if err := w.staging.Pages(ctx, w.take); err != nil {
		return err
	}
	if err := r.readBegin(ctx); err != nil {
		return err
	}
	if err := r.phase(ctx, phaseUsers, r.readUsers); err != nil {
		return err
	}
	if err := r.phase(ctx, phaseGroups, r.readGroups); err != nil {
		return err
	}
	if err := r.phase(ctx, phaseMembers, r.readMembers); err != nil {
		return err
	}
	w.settleStrangers()
	return nil
}

// readBegin asks for the cursor before anything else: what changes while we read is then told
// by the next run.
func (r *run) readBegin(ctx context.Context) error {
	if r.want.done[phaseBegin] {
		return nil
	}
	cursor, err := r.source.Begin(ctx)
	if err != nil {
		return fmt.Errorf("ask for the beginning of the changes: %w", err)
	}
	return r.want.finish(ctx, phaseBegin, r.seal(cursor))
}

func (r *run) readUsers(ctx context.Context) error {
	if r.want.done[phaseUsers] {
		return nil
	}
	type sent struct {
		users []User
		next  Checkpoint
	}
	from := r.want.next
	err := beside(ctx, 2, func(ctx context.Context, send func(sent) error) error {
		return r.source.Users(ctx, from, func(users []User, next Checkpoint) error { return send(sent{users, next}) })
	}, func(it sent) error {
		page := newPage(it.next)
		for i := range it.users {
			p := r.want.settings.judge(&it.users[i], nil)
			page.profile(&p)
		}
		r.progress(phaseUsers, len(it.users))
		return r.want.add(ctx, pageUsers, len(it.users), page)
	})
	if err != nil {
		return doing("read users", err)
	}
	return r.want.finish(ctx, phaseUsers, "")
}

func (r *run) readGroups(ctx context.Context) error {
	if r.want.done[phaseGroups] {
		return nil
	}
	err := r.source.Groups(ctx, r.want.next, func(groups []Group, next Checkpoint) error {
		page := newPage(next)
		for i := range groups {
			page.group(&groups[i])
		}
		r.progress(phaseGroups, len(groups))
		return r.want.add(ctx, pageGroups, len(groups), page)
	})
	if err != nil {
		return doing("read groups", err)
	}
	return r.want.finish(ctx, phaseGroups, "")
}

// readMembers reads the members of the groups that are chosen, and of those below them whose
// members count as theirs.
func (r *run) readMembers(ctx context.Context) error {
	w := r.want
	if w.done[phaseMembers] {
		return nil
	}
	for {
		var ids []string
		for _, g := range w.needed() {
			if !w.asked[g] || !w.groups[g].complete && !w.groups[g].gone && w.groups[g].unreadable == "" {
				ids = append(ids, w.groups[g].ID)
			}
		}
		if len(ids) == 0 {
			break
		}
		for chunk := range slices.Chunk(ids, chunkGroups) {
			if err := r.readChunk(ctx, chunk); err != nil {
				return err
			}
		}
	}
	if err := r.readStrangers(ctx); err != nil {
		return err
	}
	return w.finish(ctx, phaseMembers, "")
}

// readChunk reads the members of some groups. Parts of one group that were staged before a kill
// come again: of one membership a second word changes nothing.
func (r *run) readChunk(ctx context.Context, ids []string) error {
	page, rows := newPage(""), 0
	flush := func() error {
		if rows == 0 {
			return nil
		}
		r.progress(phaseMembers, rows)
		err := r.want.add(ctx, pageMembers, rows, page)
		page, rows = newPage(""), 0
		return err
	}
	asked := make(map[string]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	err := beside(ctx, 64, func(ctx context.Context, send func(Members) error) error {
		return r.source.Members(ctx, ids, send)
	}, func(m Members) error {
		if !asked[m.Group] {
			return fmt.Errorf("the source sent members of the group %s, which it was not asked for", m.Group)
		}
		page.members(&m, r.want.users)
		if rows += len(m.Members) + 1; rows < 5000 {
			return nil
		}
		return flush()
	})
	if err != nil {
		return doing("read members", err)
	}
	if err := flush(); err != nil {
		return err
	}
	for _, id := range ids {
		g := r.want.groups[r.want.groupOf[id]]
		if !g.complete && !g.gone && g.unreadable == "" {
			return fmt.Errorf("read members: the source ended before the group %s (%s) was complete", g.Name, id)
		}
	}
	return nil
}

// mostStrangers is how many users that the list of users doesn't have are asked for singly.
const mostStrangers = 1000

// readStrangers asks for members that the list of users doesn't have: made since it was read,
// or nobody's that we could publish.
func (r *run) readStrangers(ctx context.Context) error {
	w := r.want
	var ids []string
	seen := map[string]bool{}
	for _, e := range w.unknown {
		if !seen[e.Member.ID] && w.users.find(e.Member.ID) == none {
			seen[e.Member.ID] = true
			ids = append(ids, e.Member.ID)
		}
	}
	if len(ids) > 0 && len(ids) <= mostStrangers {
		page := newPage("")
		n := 0
		err := r.source.UsersByID(ctx, ids, func(u User) error {
			p := w.settings.judge(&u, nil)
			page.profile(&p)
			n++
			return nil
		})
		if _, withheld := errors.AsType[*Withheld](err); err != nil && !withheld { // of accounts elsewhere a source may not speak
			return fmt.Errorf("read the users that are members but in no list: %w", err)
		}
		if n > 0 {
			if err := w.add(ctx, pageUsers, n, page); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleStrangers takes in the memberships of users that were found after all, and lists the rest.
func (w *want) settleStrangers() {
	for _, e := range w.unknown {
		g := w.groupOf[e.Group]
		if u := w.users.find(e.Member.ID); u != none {
			w.members = append(w.members, uint64(g)<<32|uint64(u))
		} else {
			w.skips.add("membership", e.Group+"/"+e.Member.ID, w.groups[g].Name, "the member is no user that the source lists: an outside account, or one that was removed")
		}
	}
	w.unknown = nil
}

// phase runs a part of the read and notes how long it took.
func (r *run) phase(ctx context.Context, name string, do func(context.Context) error) error {
	if r.cancelled.Load() {
		return errCancelled
	}
	r.startPhase(name)
	err := do(ctx)
	r.endPhase()
	if err != nil && r.cancelled.Load() && errors.Is(err, context.Canceled) {
		return errCancelled
	}
	return err
}

// doing says what was done when an error came, unless the source did.
func doing(what string, err error) error {
	if strings.HasPrefix(err.Error(), what) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

var errCancelled = errors.New("an operator cancelled the run")

// short is how many there are, for people.
func short(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
