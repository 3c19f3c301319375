package sync_test

import (
	"context"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// twice is a source that sends each part of a group's members with everybody twice in it.
type twice struct{ dirsync.Source }

func (s twice) Changes(ctx context.Context, since dirsync.Cursor, page func(dirsync.Changes) error) (dirsync.Cursor, error) {
	return s.Source.Changes(ctx, since, func(c dirsync.Changes) error {
		for i, m := range c.Members {
			c.Members[i].Members = append(m.Members, m.Members...)
		}
		return page(c)
	})
}

func (s twice) Members(ctx context.Context, groups []string, part func(dirsync.Members) error) error {
	return s.Source.Members(ctx, groups, func(m dirsync.Members) error {
		m.Members = append(m.Members, m.Members...)
		return part(m)
	})
}

// A list that changes while it is paged may have a member twice: that is one membership.
func TestAMemberComesTwice(t *testing.T) {
	eachOkta(t, func(h *house, c running, u map[string]fakecloud.UserNo, g map[string]fakecloud.GroupNo) {
		h.sync = dirsync.New(h.store, dirsync.Config{Log: testkit.Log(h.t), Open: func(dir *models.Directory, attributes []string) (dirsync.Source, error) {
			s, err := c.open(dir, attributes)
			return twice{s}, err
		}})
		c.cloud.Edit(func(e *fakecloud.Edit) { e.AddUser(g["devs"], u["eve"]) })
		if run := h.delta("a member more"); run.Memberships != (models.MemberCounts{Added: 1}) {
			h.t.Errorf("one joined, and the run says %+v: %+v", run.Memberships, run.Steps)
		}
		h.counts("devs", 3)
		c.cloud.Edit(func(e *fakecloud.Edit) { e.AddUser(e.CreateGroup(fakecloud.Group{Name: "new"}), u["eve"]) })
		if run := h.delta("a group more"); run.Memberships != (models.MemberCounts{Added: 1}) {
			h.t.Errorf("a group with one member came, and the run says %+v: %+v", run.Memberships, run.Steps)
		}
	})
}

// The same of groups in groups, which Okta doesn't have.
func TestANestedGroupComesTwice(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, nil, func(h *house) {
		h.wrap = func(s dirsync.Source) dirsync.Source { return twice{s} }
		u, g := team(h.cloud)
		if run := h.apply(models.OutcomeApplied); run.Memberships != (models.MemberCounts{Added: 5}) {
			h.t.Errorf("the first run says %+v: %+v", run.Memberships, run.Steps)
		}
		h.cloud.Edit(func(e *fakecloud.Edit) {
			n := e.CreateGroup(fakecloud.Group{Name: "new"})
			e.AddUser(n, u["ada"])
			e.Nest(n, g["devs"])
		})
		if run := h.delta("a group more"); run.Memberships != (models.MemberCounts{Added: 2}) {
			h.t.Errorf("a group with two members came, and the run says %+v: %+v", run.Memberships, run.Steps)
		}
	})
}
