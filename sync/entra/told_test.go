package entra

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// A new group is read after the changes were told, perhaps from a copy that is behind them.
func TestMembersAreNotBehindTheChanges(t *testing.T) {
	t.Parallel()
	user := func(id string) dirsync.Member { return dirsync.Member{ID: id, Kind: dirsync.MemberUser} }
	group := dirsync.Member{ID: "inner", Kind: dirsync.MemberGroup}
	var words told
	words.note([]dirsync.Edge{{Group: "g", Member: user("ada")}, {Group: "g", Member: group}, {Group: "g", Member: user("bob")}}, true)
	words.note([]dirsync.Edge{{Group: "g", Member: user("bob")}}, false)
	for _, c := range []struct {
		name  string
		group string
		part  []dirsync.Member
		last  bool
		want  []dirsync.Member
	}{
		{"in the middle", "g", []dirsync.Member{user("bob"), user("eve")}, false, []dirsync.Member{user("eve")}},
		{"at the end", "g", []dirsync.Member{user("bob"), user("eve")}, true, []dirsync.Member{user("eve"), user("ada"), group}},
		{"the copy knows", "g", []dirsync.Member{user("ada"), group}, true, []dirsync.Member{user("ada"), group}},
		{"another group", "h", []dirsync.Member{user("bob")}, true, []dirsync.Member{user("bob")}},
	} {
		if diff := cmp.Diff(c.want, words.membersOf(c.group, c.part, c.last)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
