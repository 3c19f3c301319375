package sync

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A want is what the source says that a directory shall be, as far as it was read. It is made
// of staged pages, in their order, whether they were read just now or before a kill.
type want struct {
	settings *Settings
	staging  *store.Staging
	users    *index
	listed   int // how many users the source's list has
	groups   []*group
	groupOf  map[string]int32 // by the source's id
	members  []uint64         // group<<32 | user, as the source has them
	nestings []uint64         // parent<<32 | child, as the source has them
	everyone []int32          // groups that all users are in
	blurred  bool             // who is in a chosen group isn't known completely: some can't be read
	others   int              // members that are neither users nor groups
	unknown  []Edge           // memberships of users that the source didn't list
	began    Cursor           // from where a delta can go on
	done     map[string]bool  // phases that are complete
	next     Checkpoint       // of the phase that isn't
	asked    map[int32]bool   // groups whose members were asked for
	edges    [][2]string      // parent and child by id, where the child's members count as the parent's
	inner    [][2]string      // where they don't, but are in scope through the parent
	ids      []string         // of the users, in a delta
	delta    bool
	skips    skips
	read     skips // as they were before anything was compared
	drifts   []models.Drift
	losers   []string // ids of users whose name another has
	unborn   []string // ids of groups that are chosen and have no name here
	late     []string // ids of users that came while members were read: some of their groups were read before
}

// A group is a group of the source and what becomes of it here.
type group struct {
	Group
	chosen     bool      // the settings publish it
	name       string    // what it is called here
	skip       string    // why it isn't published though it is chosen
	row        models.ID // our row; zero: none yet
	live       *models.Group
	quiet      bool // only its members changed: the rest is as our row has it
	complete   bool // its members were read to the end
	gone       bool // it was removed while we read
	unreadable string
}

func (g *group) published() bool { return g.chosen && g.skip == "" && !g.gone }

func newWant(s *Settings, st *store.Staging) *want {
	return &want{settings: s, staging: st, users: newIndex(), groupOf: map[string]int32{}, done: map[string]bool{}, asked: map[int32]bool{}}
}

// idsOf lists the ids of a delta's users.
func (w *want) idsOf() []string { return slices.Clone(w.ids) }

// forget forgets what a comparison found out, so that another can be made.
func (w *want) forget() {
	for n := range num(w.users.n) {
		e := w.users.at(n)
		e.row, e.state = 0, e.state&^(stateLoser|stateChanged|stateRenamed|stateGoesOff|stateStays)
	}
	for _, g := range w.groups {
		g.row, g.live, g.name, g.skip = 0, nil, "", ""
	}
	w.skips, w.drifts, w.losers = w.read, nil, nil
}

// add stages a page and takes it in.
func (w *want) add(ctx context.Context, kind byte, rows int, page *writer) error {
	seq := w.staging.Len()
	if err := w.take(seq, kind, page.buf); err != nil {
		return err
	}
	return w.staging.Add(ctx, kind, rows, page.buf)
}

// finish says that a phase is complete.
func (w *want) finish(ctx context.Context, phase, detail string) error {
	page := newPage("")
	page.text(phase)
	page.text(detail)
	if err := w.add(ctx, pageDone, 0, page); err != nil {
		return err
	}
	return w.staging.Flush(ctx)
}

// take takes one staged page in.
func (w *want) take(seq int, kind byte, data []byte) error {
	if kind == pageChanged && !w.delta {
		return nil
	}
	r := &reader{buf: data}
	w.next = Checkpoint(r.text())
	switch kind {
	case pageUsers, pageChanged:
		for r.more() {
			at := r.at
			rec := r.record()
			if !r.bad {
				w.takeUser(seq, at, &rec)
				if w.done[phaseUsers] {
					w.late = append(w.late, string(rec.id))
				}
			}
		}
	case pageGroups:
		for r.more() {
			w.takeGroup(r.group())
		}
	case pageMembers:
		for r.more() {
			if err := w.takePart(r); err != nil {
				return err
			}
		}
	case pageDone:
		phase, detail := r.text(), r.text()
		w.done[phase] = true
		switch phase {
		case phaseBegin:
			w.began = Cursor(detail)
		case phaseUsers:
			w.listed = w.users.n
		}
		w.next = ""
	default:
		return checkKind(kind)
	}
	return r.err()
}

func (w *want) takeUser(seq, at int, rec *record) {
	e, n := w.users.put(rec.id)
	if w.delta && int(n) == len(w.ids) {
		w.ids = append(w.ids, string(rec.id))
	}
	e.page, e.at = int32(seq), int32(at)
	if e.state&stateSkipped != 0 { // it came before: the last word counts
		w.skips.drop("user", string(rec.id))
	}
	e.state &= stateInScope
	if len(rec.skip) > 0 {
		w.skips.add("user", string(rec.id), string(rec.name), string(rec.skip))
		e.state = stateSkipped
		if rec.excluded {
			e.state |= stateExcluded
		}
		return
	}
	if rec.active {
		e.state |= stateActive
	}
	e.content = w.users.record(rec)
	e.name = w.users.nameHash(models.Key(string(rec.name)))
}

func (w *want) takeGroup(g Group) {
	if i, ok := w.groupOf[g.ID]; ok {
		w.groups[i].Group = g
		w.groups[i].chosen = w.settings.Chosen(&g) != ""
		return
	}
	w.groupOf[g.ID] = int32(len(w.groups))
	w.groups = append(w.groups, &group{Group: g, chosen: w.settings.Chosen(&g) != ""})
}

// takePart takes a part of a group's members in.
func (w *want) takePart(r *reader) error {
	id, state, problem, n := r.part()
	g, ok := w.groupOf[string(id)]
	if !ok {
		return fmt.Errorf("%w (members of the unknown group %q)", errPage, id)
	}
	w.asked[g] = true
	switch state {
	case partGone:
		w.groups[g].gone = true
	case partUnreadable:
		w.groups[g].unreadable = problem
	case partLast:
		w.groups[g].complete = true
	}
	for range n {
		kind, user, id := r.member()
		if user != none && int(user) >= w.users.n {
			r.bad = true // another run's number
		}
		if r.bad {
			break
		}
		if user == none && kind == MemberUser {
			user = w.users.findBytes(id)
		}
		w.takeMember(g, kind, user, id)
	}
	return nil
}

func (w *want) takeMember(g int32, kind MemberKind, user num, id []byte) {
	switch kind {
	case MemberUser:
		if user != none {
			w.members = append(w.members, uint64(g)<<32|uint64(user))
		} else {
			w.unknown = append(w.unknown, Edge{w.groups[g].ID, Member{string(bytes.Clone(id)), kind}})
		}
	case MemberGroup:
		if child, ok := w.groupOf[string(id)]; ok {
			w.nestings = append(w.nestings, uint64(g)<<32|uint64(child))
		} else {
			w.others++ // a group that the source doesn't list
		}
	case MemberEverybody:
		w.everyone = append(w.everyone, g)
	default:
		w.others++
	}
}

// record reads one staged user.
func (w *want) record(ctx context.Context, n num) (record, error) {
	e := w.users.at(n)
	data, err := w.staging.Page(ctx, int(e.page))
	if err != nil {
		return record{}, err
	}
	r := reader{buf: data, at: int(e.at)}
	rec := r.record()
	return rec, r.err()
}

// eachRecord reads staged users, page by page: n is in the order of staging, not of the list.
func (w *want) eachRecord(ctx context.Context, list []num, do func(n num, rec *record) error) error {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b num) int {
		ea, eb := w.users.at(a), w.users.at(b)
		return cmp.Or(cmp.Compare(ea.page, eb.page), cmp.Compare(ea.at, eb.at))
	})
	var data []byte
	page := int32(-1)
	for _, n := range list {
		e := w.users.at(n)
		if e.page != page {
			var err error
			if data, err = w.staging.Page(ctx, int(e.page)); err != nil {
				return err
			}
			page = e.page
		}
		r := reader{buf: data, at: int(e.at)}
		rec := r.record()
		if r.bad {
			return errPage
		}
		if err := do(n, &rec); err != nil {
			return err
		}
	}
	return nil
}

// skips lists what a run leaves out, the first maxSkipped of it.
type skips struct {
	list []models.Skipped
	more int
}

const maxSkipped = 10_000

func (s *skips) add(kind, id, name, reason string) {
	if len(s.list) >= maxSkipped {
		s.more++
		return
	}
	s.list = append(s.list, models.Skipped{Kind: kind, ID: id, Name: name, Reason: reason})
}

func (s *skips) drop(kind, id string) {
	s.list = slices.DeleteFunc(s.list, func(it models.Skipped) bool { return it.Kind == kind && it.ID == id })
}
