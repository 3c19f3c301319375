package fakecloud

import (
	"fmt"
	"strconv"
	"strings"
)

// googleIDs makes ids of numbers, and numbers of ids. A user's is a decimal number that no int64
// holds; a group's is letters and digits.
type googleIDs struct{ users, groups, others permutation }

// idSpace is from how many numbers ids are taken.
const idSpace = 1 << 60

func newGoogleIDs(seed uint64) googleIDs {
	return googleIDs{
		users:  newPermutation(idSpace, seed^saltUserID),
		groups: newPermutation(idSpace, seed^saltGroupID),
		others: newPermutation(idSpace, seed^saltOtherID),
	}
}

func (ids googleIDs) user(n UserNo) string { return fmt.Sprintf("1%020d", ids.users.at(int(n))) }
func (ids googleIDs) group(n GroupNo) string {
	return fmt.Sprintf("0%014s", letters(ids.groups.at(int(n))))
}

// other is the id of what is no user of the account.
func (ids googleIDs) other(m Member) string {
	return fmt.Sprintf("11%019d", ids.others.at(m.N*16+int(m.Kind)))
}

func letters(n int) string { return strconv.FormatInt(int64(n), 36) }

func (ids googleIDs) userNo(id string) (UserNo, bool) {
	digits, ok := strings.CutPrefix(id, "1")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || len(id) != 21 || err != nil || n < 0 || n >= idSpace {
		return 0, false
	}
	return UserNo(ids.users.indexOf(int(n))), true
}

func (ids googleIDs) groupNo(id string) (GroupNo, bool) {
	digits, ok := strings.CutPrefix(id, "0")
	n, err := strconv.ParseInt(digits, 36, 64)
	if !ok || len(id) != 15 || err != nil || n < 0 || n >= idSpace {
		return 0, false
	}
	return GroupNo(ids.groups.indexOf(int(n))), true
}

// UserID gives the id of the n-th user.
func (g *Google) UserID(n UserNo) string { return g.ids.user(n) }

// GroupID gives the id of the n-th group.
func (g *Google) GroupID(n GroupNo) string { return g.ids.group(n) }

// MemberID gives the id by which a member is known.
func (g *Google) MemberID(m Member) string {
	switch m.Kind {
	case UserMember:
		return g.ids.user(UserNo(m.N))
	case GroupMember:
		return g.ids.group(GroupNo(m.N))
	case Everybody:
		return GoogleCustomer
	}
	return g.ids.other(m)
}
