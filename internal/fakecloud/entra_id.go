package fakecloud

import (
	"encoding/binary"
	"encoding/hex"
)

// An objectID is Entra's id of anything: a GUID.
type objectID [16]byte

func (id objectID) append(b []byte) []byte {
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}

func (id objectID) String() string { return string(id.append(nil)) }

// parseObjectID reads an id, in any case.
func parseObjectID(s string) (id objectID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	plain := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	_, err := hex.Decode(id[:], []byte(plain))
	return id, err == nil
}

// entraIDs makes ids of numbers and finds the numbers again, without keeping either: the first
// 48 bits are the number, shuffled; the rest proves that it is one of ours.
type entraIDs struct {
	shuffled [6]permutation // by MemberKind
	proof    [6]uint64
}

func newEntraIDs(seed uint64) entraIDs {
	var ids entraIDs
	for kind := range ids.shuffled {
		salt := seed ^ []uint64{saltUserID, saltGroupID, saltOtherID, saltOtherID + 1, saltOtherID + 2, saltOtherID + 3}[kind]
		ids.shuffled[kind] = newPermutation(1<<48, salt)
		ids.proof[kind] = mix(salt)
	}
	return ids
}

func (ids *entraIDs) of(m Member) (id objectID) {
	shuffled := uint64(ids.shuffled[m.Kind].at(m.N))
	rest := mix(shuffled ^ ids.proof[m.Kind])
	binary.BigEndian.PutUint64(id[:8], shuffled<<16|rest&0x0fff|0x4000) // version 4
	binary.BigEndian.PutUint64(id[8:], mix(rest)&^(3<<62)|2<<62)        // variant 1
	return id
}

// find tells what an id stands for; false when it isn't one of ours.
func (ids *entraIDs) find(id objectID) (Member, bool) {
	shuffled := int(binary.BigEndian.Uint64(id[:8]) >> 16)
	for kind := range ids.shuffled {
		m := Member{MemberKind(kind), ids.shuffled[kind].indexOf(shuffled)}
		if ids.of(m) == id {
			return m, true
		}
	}
	return Member{}, false
}

// UserID gives a user's object id.
func (e *Entra) UserID(n UserNo) string { return e.ids.of(Member{UserMember, int(n)}).String() }

// GroupID gives a group's object id.
func (e *Entra) GroupID(n GroupNo) string { return e.ids.of(Member{GroupMember, int(n)}).String() }

// MemberID gives the object id of anybody or anything.
func (e *Entra) MemberID(m Member) string { return e.ids.of(m).String() }

// Find tells what an object id stands for, whether it is still there or not.
func (e *Entra) Find(id string) (Member, bool) {
	parsed, ok := parseObjectID(id)
	if !ok {
		return Member{}, false
	}
	m, ok := e.ids.find(parsed)
	return m, ok && e.Directory.exists(m)
}

// exists says whether there is, or was, such a number.
func (d *Directory) exists(m Member) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.existsLocked(m)
}

func (d *Directory) existsLocked(m Member) bool { return d.memberLife(m) != unborn }
