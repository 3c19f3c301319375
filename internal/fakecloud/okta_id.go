package fakecloud

import "strings"

// oktaIDs makes ids such as "00ub0oNGTSWTBKOLGLNR" of numbers and finds the numbers again: nine
// letters are the number, shuffled; the other eight prove that it is one of ours.
type oktaIDs struct {
	users, groups permutation
	proof         uint64
}

const (
	oktaUserPrefix  = "00u"
	oktaGroupPrefix = "00g"

	base62       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	numberDigits = 9 // 62^9 is more than 2^48
	proofDigits  = 8
)

func newOktaIDs(seed uint64) oktaIDs {
	return oktaIDs{
		users: newPermutation(1<<48, seed^saltUserID), groups: newPermutation(1<<48, seed^saltGroupID),
		proof: mix(seed ^ saltOtherID),
	}
}

func (ids *oktaIDs) user(n UserNo) string {
	return ids.spell(oktaUserPrefix, ids.users.at(int(n)))
}

func (ids *oktaIDs) group(n GroupNo) string {
	return ids.spell(oktaGroupPrefix, ids.groups.at(int(n)))
}

func (ids *oktaIDs) spell(prefix string, shuffled int) string {
	b := append(make([]byte, 0, len(prefix)+numberDigits+proofDigits), prefix...)
	b = appendBase62(b, uint64(shuffled), numberDigits)
	return string(appendBase62(b, mix(uint64(shuffled)^ids.proof), proofDigits))
}

func appendBase62(b []byte, v uint64, digits int) []byte {
	for range digits {
		b = append(b, base62[v%62])
		v /= 62
	}
	return b
}

// findUser tells which user an id stands for; false when it isn't one of ours.
func (ids *oktaIDs) findUser(id string) (UserNo, bool) {
	n, ok := ids.find(oktaUserPrefix, id, ids.users)
	return UserNo(n), ok
}

func (ids *oktaIDs) findGroup(id string) (GroupNo, bool) {
	n, ok := ids.find(oktaGroupPrefix, id, ids.groups)
	return GroupNo(n), ok
}

func (ids *oktaIDs) find(prefix, id string, shuffled permutation) (int, bool) {
	rest, ok := strings.CutPrefix(id, prefix)
	if !ok || len(rest) != numberDigits+proofDigits {
		return 0, false
	}
	v := 0
	for i := numberDigits - 1; i >= 0; i-- {
		digit := strings.IndexByte(base62, rest[i])
		if digit < 0 {
			return 0, false
		}
		v = v*62 + digit
	}
	if v >= 1<<48 || ids.spell(prefix, v) != id {
		return 0, false
	}
	return shuffled.indexOf(v), true
}

// UserID gives a user's id.
func (o *Okta) UserID(n UserNo) string { return o.ids.user(n) }

// GroupID gives a group's id.
func (o *Okta) GroupID(n GroupNo) string { return o.ids.group(n) }

// MemberID gives the id of a user or group; nothing else can be a member here: empty.
func (o *Okta) MemberID(m Member) string {
	switch m.Kind {
	case UserMember:
		return o.ids.user(UserNo(m.N))
	case GroupMember:
		return o.ids.group(GroupNo(m.N))
	}
	return ""
}

// Find tells what an id stands for, whether it is still there or not.
func (o *Okta) Find(id string) (Member, bool) {
	if n, ok := o.ids.findUser(id); ok {
		m := Member{UserMember, int(n)}
		return m, o.Directory.exists(m)
	}
	n, ok := o.ids.findGroup(id)
	m := Member{GroupMember, int(n)}
	return m, ok && o.Directory.exists(m)
}
