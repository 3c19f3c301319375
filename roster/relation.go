package roster

import "github.com/rollcall-id/rollcall/models"

// relation is one of the four ways from a row to the rows that it is linked with.
type relation struct {
	csr   *csr  // rows of the base
	links links // changes
	down  bool  // which side of links the walk starts from
	near  side  // of the rows that it starts from
	far   side  // of the rows that it leads to
}

func (d *dirView) groupsOfUser() relation {
	return relation{&d.userGroups, d.over.members, false, d.userSide(), d.groupSide()}
}

func (d *dirView) usersOfGroup() relation {
	return relation{&d.groupUsers, d.over.members, true, d.groupSide(), d.userSide()}
}

func (d *dirView) parentsOfGroup() relation {
	return relation{&d.parents, d.over.nested, false, d.groupSide(), d.groupSide()}
}

func (d *dirView) childrenOfGroup() relation {
	return relation{&d.children, d.over.nested, true, d.groupSide(), d.groupSide()}
}

// each calls do with the rows that one is linked with, each once, in no particular order. A
// pair that is in the links is there as they say, whatever the base has.
func (r relation) each(h hit, do func(hit)) {
	id, changed := r.changed(h)
	if h.row != none {
		for _, row := range r.csr.of(h.row) {
			if changed && r.knows(id, r.far.t.id(row)) {
				continue
			}
			if other, ok := r.far.ofRow(row); ok {
				do(other)
			}
		}
	}
	if !changed {
		return
	}
	from(r.tree(), id, func(to models.ID, there bool) bool {
		if there {
			if other, ok := r.far.ofID(to); ok {
				do(other)
			}
		}
		return true
	})
}

func (r relation) tree() *linkTree {
	if r.down {
		return r.links.down
	}
	return r.links.up
}

// changed tells whether any link of a row changed; only then its id is read.
func (r relation) changed(h hit) (id models.ID, changed bool) {
	if r.links.empty() {
		return 0, false
	}
	id = h.id()
	from(r.tree(), id, func(models.ID, bool) bool {
		changed = true
		return false
	})
	return id, changed
}

// knows tells whether the links say anything about a pair.
func (r relation) knows(near, far models.ID) bool {
	_, ok := r.tree().Get(linkState{link: link{near, far}})
	return ok
}
