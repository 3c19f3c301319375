package testkit

import "github.com/rollcall-id/rollcall/internal/password"

// Argon is an argon2id that costs nothing: the real one takes 60 ms under the race detector.
var Argon = password.Params{Memory: 64, Time: 1, Threads: 1}

// NewHasher gives a hasher with Argon's cost.
func NewHasher() *password.Hasher { return password.NewHasher(Argon, 0) }
