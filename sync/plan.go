package sync

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// maxSteps is how many steps a plan lists; beyond them it counts.
const maxSteps = 10_000

// plan fills a run's record in with what a diff would do.
func plan(ctx context.Context, r *store.Reads, w *want, d *diff, run *models.Run) error {
	d.count(run)
	run.Hash = d.hash(w.settings.Guard.Adds.Set)
	run.Skipped, run.MoreSkipped = w.skips.list, w.skips.more
	run.Renamed = w.drifts
	p := &planner{ctx: ctx, reads: r, w: w, d: d, run: run}
	return p.steps()
}

// hash is of what the diff takes away: the users and groups that leave, and the memberships.
// Two plans with one hash take the same away. Where the guard counts what comes, so does the hash.
func (d *diff) hash(adds bool) string {
	brings := [...]int{len(d.createUsers), len(d.createGroups), len(d.addMembers) + len(d.addChildren)}
	adds = adds && brings != [3]int{}
	if !d.takes() && !adds {
		return ""
	}
	h := sha256.New()
	if adds {
		fmt.Fprint(h, "a", brings)
	}
	ids := func(what byte, list []models.ID) {
		sorted := slices.Clone(list)
		slices.Sort(sorted)
		for _, id := range sorted {
			h.Write(binary.BigEndian.AppendUint64([]byte{what}, uint64(id)))
		}
	}
	pairs := func(what byte, list []store.Pair) {
		sorted := slices.Clone(list)
		slices.SortFunc(sorted, func(a, b store.Pair) int { return cmp.Or(cmp.Compare(a.Top, b.Top), cmp.Compare(a.Bottom, b.Bottom)) })
		for _, p := range sorted {
			h.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64([]byte{what}, uint64(p.Top)), uint64(p.Bottom)))
		}
	}
	ids('d', slices.Concat(d.deactivate, d.goesOff))
	ids('r', d.removeUsers)
	ids('e', d.emptied)
	ids('g', d.removeGroups)
	pairs('m', d.removeMembers)
	pairs('n', d.removeChildren)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// A planner writes a diff's first steps in words, in the order in which they are told to
// clients.
type planner struct {
	ctx   context.Context
	reads *store.Reads
	w     *want
	d     *diff
	run   *models.Run

	users  map[models.ID]*models.User
	groups map[models.ID]*models.Group
}

func (p *planner) steps() error {
	d := p.d
	var users, groups []models.ID
	for _, m := range first(d.removeMembers) {
		users, groups = append(users, m.Bottom), append(groups, m.Top)
	}
	for _, m := range first(d.removeChildren) {
		groups = append(groups, m.Top, m.Bottom)
	}
	users = slices.Concat(users, first(d.removeUsers), first(d.deactivate))
	groups = slices.Concat(groups, first(d.removeGroups), first(d.emptied))
	for _, n := range first(d.changeUsers) {
		users = append(users, p.w.users.at(n).row)
	}
	var err error
	if p.users, err = d.usersWith(p.ctx, p.reads, users); err != nil {
		return err
	}
	if p.groups, err = p.reads.GroupsWithIDs(p.ctx, unique(groups)); err != nil {
		return err
	}
	each(p, d.removeMembers, func(m store.Pair) models.Step {
		return models.Step{Kind: models.StepRemoveMember, Name: p.groupName(m.Top), Member: p.userName(m.Bottom)}
	})
	each(p, d.removeChildren, func(m store.Pair) models.Step {
		return models.Step{Kind: models.StepRemoveMember, Name: p.groupName(m.Top), Member: p.groupName(m.Bottom)}
	})
	each(p, d.removeUsers, p.user(models.StepRemoveUser))
	each(p, d.emptied, p.group(models.StepEmptyGroup))
	each(p, d.removeGroups, p.group(models.StepRemoveGroup))
	each(p, d.createGroups, func(i int32) models.Step {
		return models.Step{Kind: models.StepCreateGroup, ID: p.w.groups[i].ID, Name: p.w.groups[i].name}
	})
	each(p, d.changeGroups, func(i int32) models.Step {
		g := p.w.groups[i]
		return models.Step{Kind: models.StepChangeGroup, ID: g.ID, Name: g.name, Fields: []models.Field{{Name: "description", Old: g.live.Description, New: fit(g.Description, models.MaxText)}}}
	})
	each(p, d.deactivate, p.user(models.StepDeactivateUser))
	return p.staged()
}

// staged writes the steps for which staging must be read.
func (p *planner) staged() error {
	d := p.d
	names := map[num]string{}
	var wanted []num
	left := max(0, maxSteps-len(p.run.Steps))
	for _, list := range [][]num{d.createUsers, d.changeUsers} {
		wanted = append(wanted, list[:min(left, len(list))]...)
	}
	for _, m := range d.addMembers[:min(left, len(d.addMembers))] {
		wanted = append(wanted, num(uint32(m)))
	}
	records := map[num]record{}
	err := p.w.eachRecord(p.ctx, unique(wanted), func(n num, rec *record) error {
		names[n] = string(rec.name)
		records[n] = rec.clone()
		return nil
	})
	if err != nil {
		return err
	}
	each(p, d.createUsers, func(n num) models.Step {
		rec := records[n]
		return models.Step{Kind: models.StepCreateUser, ID: string(rec.id), Name: names[n]}
	})
	var bad error
	each(p, d.changeUsers, func(n num) models.Step {
		s, err := p.change(n, records[n])
		if err != nil {
			bad = err
		}
		return s
	})
	each(p, d.addMembers, func(m uint64) models.Step {
		n := num(uint32(m))
		name := names[n]
		return models.Step{Kind: models.StepAddMember, Name: p.w.groups[m>>32].name, Member: name}
	})
	each(p, d.addChildren, func(m uint64) models.Step {
		return models.Step{Kind: models.StepAddMember, Name: p.w.groups[m>>32].name, Member: p.w.groups[uint32(m)].name}
	})
	return bad
}

// change writes what becomes different of a user.
func (p *planner) change(n num, rec record) (models.Step, error) {
	e := p.w.users.at(n)
	s := models.Step{Kind: models.StepChangeUser, ID: string(rec.id), Name: string(rec.name)}
	if e.state&stateGoesOff != 0 {
		s.Kind = models.StepDeactivateUser
	}
	old := p.users[e.row]
	if old == nil {
		return s, nil
	}
	field := func(name, was, is string) {
		if was != is {
			s.Fields = append(s.Fields, models.Field{Name: name, Old: was, New: is})
		}
	}
	field("name", old.Name, string(rec.name))
	field("first-name", old.FirstName, string(rec.first))
	field("last-name", old.LastName, string(rec.last))
	field("display-name", old.DisplayName, string(rec.display))
	field("email", old.Email, string(rec.mail))
	field("active", yes(old.Active), yes(rec.active))
	if len(s.Fields) > 0 {
		return s, nil
	}
	attributes, err := p.reads.SyncedAttributesOf(p.ctx, []models.ID{e.row})
	if err != nil {
		return s, err
	}
	now, err := rec.readAttributes()
	if err != nil {
		return s, err
	}
	was := attributes[e.row]
	for _, a := range now {
		field("attribute "+a.Name, joined(was, a.Name), strings.Join(a.Values, ", "))
	}
	for _, a := range was {
		if joined(now, a.Name) == "" {
			field("attribute "+a.Name, strings.Join(a.Values, ", "), "")
		}
	}
	return s, nil
}

func joined(list []models.Attribute, name string) string {
	for _, a := range list {
		if a.Name == name {
			return strings.Join(a.Values, ", ")
		}
	}
	return ""
}

func yes(on bool) string { return cond(on, "true", "false") }

func (p *planner) user(kind models.StepKind) func(models.ID) models.Step {
	return func(id models.ID) models.Step {
		s := models.Step{Kind: kind}
		if u := p.users[id]; u != nil {
			s.ID, s.Name = u.ExternalID, u.Name
		}
		return s
	}
}

func (p *planner) group(kind models.StepKind) func(models.ID) models.Step {
	return func(id models.ID) models.Step {
		s := models.Step{Kind: kind}
		if g := p.groups[id]; g != nil {
			s.ID, s.Name = g.ExternalID, g.Name
		}
		return s
	}
}

func (p *planner) userName(id models.ID) string {
	if u := p.users[id]; u != nil {
		return u.Name
	}
	return ""
}

func (p *planner) groupName(id models.ID) string {
	if g := p.groups[id]; g != nil {
		return g.Name
	}
	return ""
}

// each adds a step for each item, as long as there is room.
func each[T any](p *planner, list []T, make func(T) models.Step) {
	room := max(0, maxSteps-len(p.run.Steps))
	p.run.MoreSteps += max(0, len(list)-room)
	for _, item := range list[:min(room, len(list))] {
		p.run.Steps = append(p.run.Steps, make(item))
	}
}

func first[T any](list []T) []T { return list[:min(len(list), maxSteps)] }

func unique[T cmp.Ordered](list []T) []T {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
