package fakecloud

import "math/bits"

// mix spreads a number over all 64 bits: the finaliser of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// A permutation gives each number below n another one below n, and back: a Feistel network over
// the next power of four, walked on until it is back below n. It is a shuffled list that takes
// no memory.
type permutation struct {
	n    uint64
	half uint
	mask uint64
	key  uint64
}

func newPermutation(n int, key uint64) permutation {
	half := uint(max(1, (bits.Len64(uint64(max(n, 1))-1)+1)/2))
	return permutation{n: uint64(n), half: half, mask: 1<<half - 1, key: mix(key)}
}

const feistelRounds = 4

// at is the i-th number of the shuffled list.
func (p permutation) at(i int) int {
	x := uint64(i)
	for {
		left, right := x>>p.half, x&p.mask
		for round := range uint64(feistelRounds) {
			left, right = right, left^(mix(right+p.key+round<<48)&p.mask)
		}
		if x = left<<p.half | right; x < p.n {
			return int(x)
		}
	}
}

// indexOf says where in the shuffled list a number stands.
func (p permutation) indexOf(v int) int {
	x := uint64(v)
	for {
		left, right := x>>p.half, x&p.mask
		for round := uint64(feistelRounds); round > 0; round-- {
			left, right = right^(mix(left+p.key+(round-1)<<48)&p.mask), left
		}
		if x = left<<p.half | right; x < p.n {
			return int(x)
		}
	}
}
