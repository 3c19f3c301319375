package password

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckOpensWhatOthersWrote(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 0)
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			if err := Accepts(v.encoded); err != nil {
				t.Errorf("Accepts: %v", err)
			}
			got, err := h.Check(t.Context(), v.encoded, v.password)
			if want := (Verdict{OK: true, Upgrade: true}); err != nil || got != want {
				t.Errorf("right password: want %+v, got %+v, %v", want, got, err)
			}
			for _, wrong := range []string{"", v.password + " ", v.password[1:], strings.ToUpper(v.password), v.encoded} {
				got, err := h.Check(t.Context(), v.encoded, wrong)
				if err != nil || got != (Verdict{}) {
					t.Errorf("wrong password %q: want neither, got %+v, %v", wrong, got, err)
				}
			}
		})
	}
}

// Every bcrypt does it so, and our people may have passwords that rely on it.
func TestBcryptSeesSeventyTwoBytes(t *testing.T) {
	t.Parallel()
	const of72 = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i" // by libxcrypt
	h := NewHasher(tiny, 0)
	for length, want := range map[int]bool{71: false, 72: true, 80: true} {
		got, err := h.Check(t.Context(), of72, strings.Repeat("x", length))
		if err != nil || got.OK != want {
			t.Errorf("%d bytes: want OK %t, got %+v, %v", length, want, got, err)
		}
	}
}

func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	const tag = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	h := NewHasher(tiny, 0)
	for _, c := range []struct{ name, encoded, wantText string }{
		{"nothing", "", "plain text"},
		{"plain text", "hunter2!", "plain text"},
		{"plain text with a space", "correct horse", "plain text"},
		{"plain text in braces", "{secret}word", "plain text"},
		{"another None", "x", "plain text"},
		{"MD5", "{MD5}X03MO1qnZdYdgyfeuILPmQ==", "MD5"},
		{"MD5 in lower case", "{md5}X03MO1qnZdYdgyfeuILPmQ==", "MD5"},
		{"MD5 without marker", "+7dgt9v4JmaFZQDU/UoCyQ==", "MD5"},
		{"MD5 crypt", "$1$abcdefgh$G/w7BC5D4gXqxI1lZUXWx/", "MD5"},
		{"DES", "q1bNpyc8+BI=", "DES"},
		{"SHA with something behind it", "{SHA}N+vXsN2ny8mTqd6ZYuHcJVHvE00BAgMEBQYHCA==", "damaged"},
		{"SSHA cut short", "{SSHA}N+vXsN2ny8mT", "damaged"},
		{"SSHA that is no base64", "{SSHA}!!!!", "damaged"},
		{"SSHA with a line break inside", "{SSHA}N+vXsN2ny8mTqd6ZYuHc\nJVHvE00BAgMEBQYHCA==", ""},
		{"PKCS5S2 cut short", "{PKCS5S2}DQIXJU038u4P7FdsuFTY/+35bm41kfjZa57UrdxHp2Mu3qF2uy+ooD+jF5t1", "damaged"},
		{"SHA-512 cut short", "x61Ey612Kl2gpFL56FT9weDnpSo4AV8j8+qx2AuTHdRyY036xxzTTrw10Wq3+4qQyB+XURPWx1ONxp3Y3pB37", ""},
		{"longer than any hash", strings.Repeat("A", 600), "longer"},

		{"bcrypt too dear", "$2a$15$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "cost"},
		{"bcrypt too cheap", "$2a$03$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "cost"},
		{"bcrypt with the sign bug", "$2x$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "damaged"},
		{"bcrypt cut short", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf", "damaged"},
		{"bcrypt marker with something else", "{BCRYPT}hunter2", "damaged"},

		{"argon2i", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$" + tag, "only argon2id"},
		{"argon2 marker with another", "{ARGON2}$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$" + tag, "only argon2id"},
		{"argon2id of the old version", "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$" + tag, "v=19"},
		{"argon2id without version", "$argon2id$m=256,t=2,p=1$c29tZXNhbHQ$" + tag, "v=19"},
		{"argon2id with too much memory", "$argon2id$v=19$m=262145,t=2,p=1$c29tZXNhbHQ$" + tag, "memory"},
		{"argon2id with more memory than fits", "$argon2id$v=19$m=4294967552,t=2,p=1$c29tZXNhbHQ$" + tag, "m, t and p"},
		{"argon2id with too little memory", "$argon2id$v=19$m=15,t=2,p=2$c29tZXNhbHQ$" + tag, "memory"},
		{"argon2id with too many passes", "$argon2id$v=19$m=256,t=11,p=1$c29tZXNhbHQ$" + tag, "time"},
		{"argon2id without a pass", "$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$" + tag, "time"},
		{"argon2id with too many threads", "$argon2id$v=19$m=256,t=2,p=17$c29tZXNhbHQ$" + tag, "threads"},
		{"argon2id without a thread", "$argon2id$v=19$m=256,t=2,p=0$c29tZXNhbHQ$" + tag, "threads"},
		{"argon2id in another order", "$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$" + tag, "in this order"},
		{"argon2id with a key id", "$argon2id$v=19$m=256,t=2,p=1,keyid=Zm9v$c29tZXNhbHQ$" + tag, "m, t and p"},
		{"argon2id with a sign", "$argon2id$v=19$m=+256,t=2,p=1$c29tZXNhbHQ$" + tag, "m, t and p"},
		{"argon2id with a short salt", "$argon2id$v=19$m=256,t=2,p=1$c29tZQ$" + tag, "salt"},
		{"argon2id with padding", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ==$" + tag, "salt"},
		{"argon2id with a short tag", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgL", "tag"},
		{"argon2id without a tag", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ", "must read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Accepts(c.encoded)
			if !errors.Is(err, ErrUnknownScheme) || !strings.Contains(err.Error(), c.wantText) {
				t.Fatalf("Accepts: want ErrUnknownScheme with %q, got %v", c.wantText, err)
			}
			if len(c.encoded) > 1 && strings.Contains(err.Error(), c.encoded) {
				t.Errorf("the error quotes the credential: %v", err)
			}
			got, err := h.Check(t.Context(), c.encoded, "password")
			if !errors.Is(err, ErrUnknownScheme) || got != (Verdict{}) {
				t.Errorf("Check: want ErrUnknownScheme, got %+v, %v", got, err)
			}
		})
	}
}

func TestNoneOpensForNobody(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 0)
	if err := Accepts(None); err != nil {
		t.Errorf("Accepts: %v", err)
	}
	for _, password := range []string{"X", "", "password"} {
		got, err := h.Check(t.Context(), None, password)
		if err != nil || got != (Verdict{}) {
			t.Errorf("%q: want neither, got %+v, %v", password, got, err)
		}
	}
	if done := h.Stats().Done; done != 0 {
		t.Errorf("want no hash computed, got %d", done)
	}
}

// An LDAP server may hold the hash of an empty password; we still let nobody in with it.
func TestEmptyPasswordOpensNothing(t *testing.T) {
	t.Parallel()
	const ofEmpty = "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="
	got, err := NewHasher(tiny, 0).Check(t.Context(), ofEmpty, "")
	if err != nil || got != (Verdict{}) {
		t.Errorf("want neither, got %+v, %v", got, err)
	}
}
