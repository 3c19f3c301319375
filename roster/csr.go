package roster

// A csr holds pairs of row numbers, ordered: for each row of the one side its rows of the
// other ("compressed sparse rows").
type csr struct {
	starts []uint32 // of row i: rows[starts[i]:starts[i+1]]
	rows   []uint32
}

// of gives the rows that belong to a row, in order.
func (c *csr) of(row uint32) []uint32 { return c.rows[c.starts[row]:c.starts[row+1]] }

// pairs gathers pairs in any order, each once.
type pairs struct{ left, right []uint32 }

// grow makes room for so many pairs.
func (p *pairs) grow(n int) { p.left, p.right = make([]uint32, 0, n), make([]uint32, 0, n) }

// add adds a pair; one of which a side is not there is left out.
func (p *pairs) add(left, right uint32) {
	if left != none && right != none {
		p.left, p.right = append(p.left, left), append(p.right, right)
	}
}

// both gives the pairs from either side. Two counting sorts leave each side's rows in order
// without comparing anything.
func (p *pairs) both(lefts, rights int) (fromLeft, fromRight csr) {
	// Sorted by left first, the second sort, which is stable, has the lefts of each right in
	// order; sorting that back gives the rights of each left in order.
	byLeft := countingSort(p.left, p.right, lefts)
	fromRight = flip(byLeft, rights)
	fromLeft = flip(fromRight, lefts)
	return fromLeft, fromRight
}

func countingSort(keys, values []uint32, n int) csr {
	c := csr{starts: make([]uint32, n+1), rows: make([]uint32, len(keys))}
	for _, k := range keys {
		c.starts[k+1]++
	}
	for i := range n {
		c.starts[i+1] += c.starts[i]
	}
	next := append([]uint32(nil), c.starts...)
	for i, k := range keys {
		c.rows[next[k]] = values[i]
		next[k]++
	}
	return c
}

// flip turns pairs seen from one side into the same pairs seen from the other.
func flip(c csr, n int) csr {
	out := csr{starts: make([]uint32, n+1), rows: make([]uint32, len(c.rows))}
	for _, r := range c.rows {
		out.starts[r+1]++
	}
	for i := range n {
		out.starts[i+1] += out.starts[i]
	}
	next := append([]uint32(nil), out.starts...)
	for left := range len(c.starts) - 1 {
		for _, right := range c.of(uint32(left)) {
			out.rows[next[right]] = uint32(left)
			next[right]++
		}
	}
	return out
}
