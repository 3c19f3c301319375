package application

import (
	"context"
	"iter"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

// dumpBatch is how many groups of a dump are read at once: memory doesn't grow with the
// directory, nor with a group.
const dumpBatch = 200

// Memberships calls each for every visible group in the order of names, also those without
// members, with the names of its direct users and groups. Both sequences can be read once,
// before each returns, the users first. All of it is of one moment.
func (v *View) Memberships(ctx context.Context, each func(group string, users, groups iter.Seq2[string, error]) error) error {
	if s, ok := v.reads.(*roster.Snapshot); ok {
		return v.dumpMemory(ctx, s, each)
	}
	return v.store.Snapshot(ctx, func(r *store.Reads) error { return v.dump(ctx, r, each) })
}

// dumpMemory reads the roster. What goes from hand to hand is made once, not for each of perhaps
// 100,000 groups: a dump leaves no garbage behind that memory would have to grow for.
func (v *View) dumpMemory(ctx context.Context, s *roster.Snapshot, each func(group string, users, groups iter.Seq2[string, error]) error) error {
	aliases, err := v.allAliases(ctx, &v.store.Reads)
	if err != nil {
		return err
	}
	var in store.Member // the group
	var direct, nested iter.Seq[store.Member]
	var yield func(string, error) bool
	user := func(m store.Member) bool { return yield(v.aliased(m, aliases), nil) }
	child := func(m store.Member) bool {
		return models.Key(m.Name) == in.GroupKey || yield(v.name(m.Name), nil) // see dumpGroups
	}
	users := func(each func(string, error) bool) { yield = each; direct(user) }
	groups := func(each func(string, error) bool) { yield = each; nested(child) }
	return s.Memberships(v.app.visible, func(group store.Member, inUsers, inGroups iter.Seq[store.Member]) error {
		in, direct, nested = group, inUsers, inGroups
		return each(v.name(group.Name), users, groups)
	})
}

// aliased gives a user's name as the application wants it.
func (v *View) aliased(m store.Member, aliases map[models.ID]string) string {
	if len(aliases) > 0 {
		if alias, has := aliases[m.ID]; has {
			return v.name(alias)
		}
	}
	return v.name(m.Name)
}

func (v *View) dump(ctx context.Context, r *store.Reads, each func(group string, users, groups iter.Seq2[string, error]) error) error {
	aliases, err := v.allAliases(ctx, r)
	if err != nil {
		return err
	}
	after := ""
	for {
		groups, err := r.VisibleGroups(ctx, v.app.visible, after, dumpBatch)
		if err != nil || len(groups) == 0 {
			return err
		}
		last := groups[len(groups)-1].NameKey
		if err := v.dumpGroups(ctx, r, groups, after, last, aliases, each); err != nil {
			return err
		}
		after = last
	}
}

func (v *View) allAliases(ctx context.Context, r *store.Reads) (map[models.ID]string, error) {
	out := map[models.ID]string{}
	if !v.app.HasAliases {
		return out, nil
	}
	list, err := r.Aliases(ctx, v.app.ID)
	for _, a := range list {
		out[a.UserID] = a.Name
	}
	return out, err
}

// dumpGroups goes through one batch: its groups in groups are read first, then the users are
// streamed, since one connection can't do both at once.
func (v *View) dumpGroups(ctx context.Context, r *store.Reads, groups []*models.Group, after, last string, aliases map[models.ID]string,
	each func(group string, users, groups iter.Seq2[string, error]) error) error {
	children := map[string][]string{}
	for m, err := range r.DumpChildren(ctx, v.app.visible, after, last) {
		if err != nil {
			return err
		}
		if models.Key(m.Name) == m.GroupKey {
			continue // an import may put a group into itself; no list of a group's groups has it
		}
		children[m.GroupKey] = append(children[m.GroupKey], v.name(m.Name))
	}
	next, stop := iter.Pull2(r.DumpUsers(ctx, v.app.visible, after, last))
	defer stop()
	member, err, ok := next()
	for _, g := range groups {
		users := func(yield func(string, error) bool) {
			for ok && (err != nil || member.GroupKey == g.NameKey) {
				if !yield(v.aliased(member, aliases), err) || err != nil {
					return
				}
				member, err, ok = next()
			}
		}
		inside := func(yield func(string, error) bool) {
			for _, name := range children[g.NameKey] {
				if !yield(name, nil) {
					return
				}
			}
		}
		if err := each(v.name(g.Name), users, inside); err != nil {
			return err
		}
		for ok && err == nil && member.GroupKey == g.NameKey { // what each left unread
			member, err, ok = next()
		}
	}
	return err
}
