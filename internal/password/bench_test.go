package password

import (
	"testing"
)

// BenchmarkHash is the whole of Hash with all slots taken; BenchmarkBareHash is what
// the same cores do with argon2 alone, and so the most that can be had.
func BenchmarkHash(b *testing.B) {
	h := NewHasher(Default, 0)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := h.Hash(b.Context(), "difference"); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkBareHash(b *testing.B) {
	salt := make([]byte, saltSize)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			deriveArgon2id(Default, salt, tagSize, "difference")
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	h := NewHasher(Default, 0)
	for _, v := range []struct{ name, encoded string }{
		{"argon2id", h.Decoy()},
		{"PKCS5S2", "{PKCS5S2}DQIXJU038u4P7FdsuFTY/+35bm41kfjZa57UrdxHp2Mu3qF2uy+ooD+jF5t1tb8J"},
		{"SSHA", "{SSHA}N+vXsN2ny8mTqd6ZYuHcJVHvE00BAgMEBQYHCA=="},
	} {
		b.Run(v.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := h.Check(b.Context(), v.encoded, "difference"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
