package roster

import (
	"hash/maphash"
	"math"
	"math/bits"

	"github.com/rollcall-id/rollcall/models"
)

// none is the number of no row.
const none = math.MaxUint32

// An index finds rows by a hash: open addressing, two thirds full. An entry is a row's number
// plus one, and above it a few bits of the hash, which tell most other rows apart without
// reading them.
type index []uint32

const (
	rowBits = 27
	rowMask = 1<<rowBits - 1
	maxRows = rowMask - 1
)

func newIndex(n int) index { return make(index, n+n/2+1) }

// place gives where a hash belongs: its high bits count there, its low ones in the entry.
func (x index) place(hash uint64) int {
	high, _ := bits.Mul64(hash, uint64(len(x)))
	return int(high)
}

func (x index) put(hash uint64, row uint32) {
	for i := x.place(hash); ; i++ {
		if i == len(x) {
			i = 0
		}
		if x[i] == 0 {
			x[i] = uint32(hash)<<rowBits | (row + 1)
			return
		}
	}
}

// find gives the row of a hash that is the same as what is looked for, or none.
func (x index) find(hash uint64, same func(row uint32) bool) uint32 {
	for i := x.place(hash); ; i++ {
		if i == len(x) {
			i = 0
		}
		e := x[i]
		if e == 0 {
			return none
		}
		if e>>rowBits == uint32(hash)<<rowBits>>rowBits && same(e&rowMask-1) {
			return e&rowMask - 1
		}
	}
}

var seed = maphash.MakeSeed()

func hashText(s string) uint64 { return maphash.String(seed, s) }

// hashID multiplies by 2^64 divided by the golden ratio, which spreads numbers that follow
// each other.
func hashID(id models.ID) uint64 { return uint64(id) * 0x9E3779B97F4A7C15 }
