package sync

import (
	"hash/maphash"

	"github.com/rollcall-id/rollcall/models"
)

// A num counts the users that a run knows, in the order in which they came.
type num uint32

// none says that there is no such user.
const none = ^num(0)

// An index knows every user of a run by about 60 bytes each: where it is staged and what it
// is worth comparing by. The users themselves stay in staging.
type index struct {
	seed    maphash.Seed
	other   maphash.Seed
	chunks  [][]entry // of chunkSize each: growing copies nothing
	n       int
	numbers []num // open addressing: from id to number
}

const chunkSize = 1 << 14

// An entry is one user of the source.
type entry struct {
	id      [2]uint64 // two hashes of the source's id, which together are as good as the id
	content uint64    // a hash of all that is published of it
	name    uint64    // a hash of its name's key
	row     models.ID // our row, once it is found
	page    int32     // where it is staged
	at      int32
	state   state
}

type state byte

const (
	stateActive   state = 1 << iota // as the source says
	stateSkipped                    // it has no name, or the settings refuse it
	stateExcluded                   // the settings refuse it: it leaves
	stateInScope                    // it is in a group that is chosen, where only such users come
	stateLoser                      // another has its name
	stateChanged                    // our row differs
	stateRenamed                    // in its name's key, too
	stateGoesOff                    // our row is active, and shall not be
)

func newIndex() *index {
	return &index{seed: maphash.MakeSeed(), other: maphash.MakeSeed(), numbers: make([]num, 0)}
}

func (x *index) at(n num) *entry { return &x.chunks[n/chunkSize][n%chunkSize] }

func (x *index) hash(id []byte) [2]uint64 {
	return [2]uint64{maphash.Bytes(x.seed, id), maphash.Bytes(x.other, id)}
}

// find gives the number of an id, or none.
func (x *index) find(id []byte) num {
	if x.n == 0 {
		return none
	}
	h := x.hash(id)
	return x.numbers[x.slot(h)]
}

// slot finds where a hash is, or where it belongs.
func (x *index) slot(h [2]uint64) int {
	mask := uint64(len(x.numbers) - 1)
	for i := h[0] & mask; ; i = (i + 1) & mask {
		if n := x.numbers[i]; n == none || x.at(n).id == h {
			return int(i)
		}
	}
}

// put gives the entry of an id, which is new where it wasn't there.
func (x *index) put(id []byte) (*entry, num) {
	if 3*(x.n+1) > 2*len(x.numbers) {
		x.grow()
	}
	h := x.hash(id)
	i := x.slot(h)
	if n := x.numbers[i]; n != none {
		return x.at(n), n
	}
	if x.n%chunkSize == 0 {
		x.chunks = append(x.chunks, make([]entry, chunkSize))
	}
	n := num(x.n)
	x.n++
	x.numbers[i] = n
	e := x.at(n)
	e.id = h
	return e, n
}

func (x *index) grow() {
	size := max(1024, 2*len(x.numbers))
	x.numbers = make([]num, size)
	for i := range x.numbers {
		x.numbers[i] = none
	}
	for n := range num(x.n) {
		x.numbers[x.slot(x.at(n).id)] = n
	}
}

// content hashes all that is published of a user. attributes is a hash of their own.
func (x *index) content(name, first, last, display, mail []byte, active bool, attributes uint64) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	for _, text := range [...][]byte{name, first, last, display, mail} {
		h.Write(text)
		h.WriteByte(0)
	}
	if active {
		h.WriteByte(1)
	}
	return h.Sum64() ^ attributes
}

func (x *index) record(rec *record) uint64 {
	return x.content(rec.name, rec.first, rec.last, rec.display, rec.mail, rec.active, x.attributes(rec.attributes))
}

func (x *index) attributes(written []byte) uint64 {
	if len(written) == 0 {
		return 0
	}
	return maphash.Bytes(x.other, written)
}

func (x *index) nameHash(key string) uint64 { return maphash.String(x.seed, key) }
