package password

import (
	"errors"
	"strings"
	"testing"
)

// FuzzCheckEncoded feeds what an import might bring. Nothing may panic, ask for more
// work than the bounds allow, or come back in the text of an error.
func FuzzCheckEncoded(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.encoded, v.password)
	}
	for _, encoded := range []string{
		"", None, "{", "{}", "{MD5}", "$", "$2", "$argon2id$", "{ARGON2}$2a$", "{PKCS5S2}$argon2id$",
		"$argon2id$v=19$m=262145,t=11,p=17$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$2a$31$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i",
		"+7dgt9v4JmaFZQDU/UoCyQ==",
	} {
		f.Add(encoded, "cafe\u0301")
	}
	h := NewHasher(tiny, 0)
	f.Fuzz(func(t *testing.T, encoded, password string) {
		c, err := parse(encoded)
		if err != nil {
			if !errors.Is(err, ErrUnknownScheme) || c.matches != nil {
				t.Fatalf("want ErrUnknownScheme and nothing to run, got %v", err)
			}
			if len(encoded) > 30 && strings.Contains(err.Error(), encoded) {
				t.Fatalf("the error quotes the credential: %v", err)
			}
			return
		}
		if p := c.params; p != (Params{}) && (p.Memory > 256<<10 || p.Time > 10 || p.Threads > 16 || p.Validate() != nil) {
			t.Fatalf("would run with %+v", p)
		}
		if tooSlowToFuzz(encoded, c) {
			return
		}
		verdict, err := h.Check(t.Context(), encoded, password)
		switch {
		case len(password) > MaxLength:
			if !errors.Is(err, ErrTooLong) {
				t.Fatalf("want ErrTooLong, got %v", err)
			}
		case err != nil:
			t.Fatalf("Accepts takes it, Check does not: %v", err)
		case verdict.Upgrade && !verdict.OK:
			t.Fatal("upgrade without OK")
		}
	})
}

// tooSlowToFuzz leaves out what is within the bounds but would take the fuzzer's time.
func tooSlowToFuzz(encoded string, c credential) bool {
	if i := strings.Index(encoded, "$2"); i >= 0 && c.slow && c.params == (Params{}) {
		return encoded[i+4:i+6] > "06"
	}
	return c.params.Memory > 1<<10
}
