package api

import "unicode/utf8"

// asIs tells whether a text is written as it is, in XML and in JSON: nearly every name is. It
// looks at eight characters at once.
func asIs(s string) bool {
	const ones = 0x0101010101010101
	odd := uint64(0)
	for len(s) >= 8 {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		zero := func(x uint64) uint64 { return (x - ones) &^ x }
		odd |= w | (w - ones*' ') | zero(w^ones*'"') | zero(w^ones*'&') | zero(w^ones*'<') | zero(w^ones*'>') | zero(w^ones*'\\')
		s = s[8:]
	}
	if odd&(ones*0x80) != 0 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || special[c] {
			return false
		}
	}
	return true
}

// special marks the ASCII characters that XML or JSON may need to write otherwise.
var special = func() (table [utf8.RuneSelf]bool) {
	for c := range byte(' ') {
		table[c] = true
	}
	for _, c := range []byte(`"&<>\`) {
		table[c] = true
	}
	return table
}()
