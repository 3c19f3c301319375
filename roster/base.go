package roster

import (
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A base is one directory at one moment. It never changes.
type base struct {
	users, groups *table

	groupUsers, userGroups csr // who is in a group; where a user is
	children, parents      csr // of groups

	// Changes up to these numbers may be in it already: those that the database had when it
	// was loaded, and those that were folded into it since; see applier.late.
	loaded, folded int64
}

// loadBase reads a directory, which is perhaps about as large as another base: then it takes
// little more memory than it will keep.
func loadBase(l *store.Load, dir models.ID, seq int64, like *base) (*base, error) {
	users, groups := newTableBuilder(userTexts), newTableBuilder(groupTexts)
	var members, nested pairs
	if like != nil {
		users.grow(like.users, 0)
		groups.grow(like.groups, 0)
		members.grow(len(like.groupUsers.rows))
		nested.grow(len(like.children.rows))
	}
	if err := l.Users(dir, users.addRow); err != nil {
		return nil, err
	}
	if err := l.Groups(dir, groups.addRow); err != nil {
		return nil, err
	}
	b := &base{users: users.done(), groups: groups.done(), loaded: seq, folded: seq}
	err := l.Memberships(dir, func(group, user models.ID) error {
		members.add(b.groups.rowOfID(group), b.users.rowOfID(user))
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = l.Nestings(dir, func(parent, child models.ID) error {
		nested.add(b.groups.rowOfID(parent), b.groups.rowOfID(child))
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.pair(&members, &nested)
	return b, nil
}

func (b *base) pair(members, nested *pairs) {
	b.groupUsers, b.userGroups = members.both(b.groups.len(), b.users.len())
	b.children, b.parents = nested.both(b.groups.len(), b.groups.len())
}

// emptyBase is a directory without anybody, as it was loaded at seq.
func emptyBase(seq int64) *base {
	b := &base{users: newTableBuilder(userTexts).done(), groups: newTableBuilder(groupTexts).done(), loaded: seq, folded: seq}
	b.pair(&pairs{}, &pairs{})
	return b
}
