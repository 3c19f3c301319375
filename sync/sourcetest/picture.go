package sourcetest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A picture is a directory as a source tells it, or as the cloud has it: by id.
type picture struct {
	Users   map[string]dirsync.User
	Groups  map[string]dirsync.Group
	Members map[string]map[string]dirsync.MemberKind // by group; of those that are there

	unreadable map[string]error
}

func newPicture() *picture {
	return &picture{
		Users: map[string]dirsync.User{}, Groups: map[string]dirsync.Group{},
		Members: map[string]map[string]dirsync.MemberKind{}, unreadable: map[string]error{},
	}
}

// truth is what the cloud has.
func (w *World) truth() *picture {
	p := newPicture()
	for n, u := range w.Cloud.Directory.Users() {
		p.Users[w.UserID(n)] = w.User(n, u)
	}
	var shown []fakecloud.GroupNo
	for n, g := range w.Cloud.Directory.Groups() {
		if group, ok := w.Group(n, g); ok {
			p.Groups[group.ID] = group
			shown = append(shown, n)
		}
	}
	for _, n := range shown {
		members := map[string]dirsync.MemberKind{}
		for m := range w.Cloud.Directory.Members(n) {
			members[w.MemberID(m)] = kindOf(m.Kind)
		}
		p.Members[w.GroupID(n)] = members
	}
	return p
}

func kindOf(k fakecloud.MemberKind) dirsync.MemberKind {
	switch k {
	case fakecloud.UserMember:
		return dirsync.MemberUser
	case fakecloud.GroupMember:
		return dirsync.MemberGroup
	case fakecloud.Everybody:
		return dirsync.MemberEverybody
	}
	return dirsync.MemberOther
}

// read reads everything there is.
func read(ctx context.Context, s dirsync.Source) (*picture, error) {
	p := newPicture()
	if err := s.Users(ctx, "", p.takeUsers); err != nil {
		return p, err
	}
	if err := s.Groups(ctx, "", p.takeGroups); err != nil {
		return p, err
	}
	return p, s.Members(ctx, slices.Sorted(maps.Keys(p.Groups)), p.takeMembers)
}

func (p *picture) takeUsers(users []dirsync.User, _ dirsync.Checkpoint) error {
	for _, u := range users {
		p.Users[u.ID] = u
	}
	return nil
}

func (p *picture) takeGroups(groups []dirsync.Group, _ dirsync.Checkpoint) error {
	for _, g := range groups {
		p.Groups[g.ID] = g
		if p.Members[g.ID] == nil {
			p.Members[g.ID] = map[string]dirsync.MemberKind{}
		}
	}
	return nil
}

// takeMembers takes a part of a group that is read from nothing.
func (p *picture) takeMembers(m dirsync.Members) error {
	switch {
	case m.Gone:
		delete(p.Groups, m.Group)
		delete(p.Members, m.Group)
	case m.Unreadable != nil:
		p.unreadable[m.Group] = m.Unreadable
	default:
		for _, one := range m.Members {
			p.Members[m.Group][one.ID] = one.Kind
		}
	}
	return nil
}

// same compares two pictures. Members that aren't there any more don't count: some clouds keep
// the memberships of who may come back.
func same(t *testing.T, want, got *picture) {
	t.Helper()
	prune(want)
	prune(got)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(picture{}), cmpopts.EquateEmpty()); diff != "" {
		if len(diff) > 4000 {
			diff = diff[:4000] + "…"
		}
		t.Errorf("what the cloud has (-), and what the source told (+):\n%s", diff)
	}
	for id, err := range got.unreadable {
		t.Errorf("the members of group %s came as unreadable: %v", id, err)
	}
}

// prune takes out of a picture who is in a group and isn't in the picture.
func prune(p *picture) {
	for _, members := range p.Members {
		maps.DeleteFunc(members, func(id string, kind dirsync.MemberKind) bool {
			_, user := p.Users[id]
			_, group := p.Groups[id]
			return kind == dirsync.MemberUser && !user || kind == dirsync.MemberGroup && !group
		})
	}
}
