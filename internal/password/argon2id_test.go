package password

import (
	"strings"
	"testing"
)

func TestHashIsOpenedByItsPasswordOnly(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 0)
	for _, password := range []string{"difference", "пароль", "caf\xe9", strings.Repeat("x", MaxLength)} {
		encoded, err := h.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Check(t.Context(), encoded, password); err != nil || got != (Verdict{OK: true}) {
			t.Errorf("want OK without upgrade, got %+v, %v", got, err)
		}
		if got, err := h.Check(t.Context(), encoded, password[1:]); err != nil || got.OK {
			t.Errorf("wrong password: want not OK, got %+v, %v", got, err)
		}
	}
}

func TestHashWritesPHCWithANewSalt(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 0)
	first, _ := h.Hash(t.Context(), "difference")
	second, _ := h.Hash(t.Context(), "difference")
	if first == second {
		t.Error("two hashes of one password are equal")
	}
	const form = "$argon2id$v=19$m=64,t=1,p=1$"
	if !strings.HasPrefix(first, form) || len(first) != len(form)+22+1+43 {
		t.Errorf("want %s, 22 characters of salt, 43 of tag; got %d characters", form, len(first))
	}
}

func TestUpgradeIsAskedForOtherParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		written Params
		reading Params
		want    bool
	}{
		{"the same", tiny, tiny, false},
		{"more memory now", tiny, Params{128, 1, 1}, true},
		{"less memory now", Params{128, 1, 1}, tiny, true},
		{"more passes now", tiny, Params{64, 2, 1}, true},
		{"more threads now", tiny, Params{64, 1, 2}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			encoded, err := NewHasher(c.written, 0).Hash(t.Context(), "difference")
			if err != nil {
				t.Fatal(err)
			}
			got, err := NewHasher(c.reading, 0).Check(t.Context(), encoded, "difference")
			if want := (Verdict{OK: true, Upgrade: c.want}); err != nil || got != want {
				t.Errorf("want %+v, got %+v, %v", want, got, err)
			}
		})
	}
}

func TestUpgradeIsAskedForAnotherSaltSize(t *testing.T) {
	t.Parallel()
	const eightByteSalt = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	got, err := NewHasher(Params{256, 2, 1}, 0).Check(t.Context(), eightByteSalt, "password")
	if err != nil || got != (Verdict{OK: true, Upgrade: true}) {
		t.Errorf("want OK with upgrade, got %+v, %v", got, err)
	}
}

func TestDecoyCostsAHashAndOpensForNobody(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 0)
	if err := Accepts(h.Decoy()); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Check(t.Context(), h.Decoy(), "difference"); err != nil || got != (Verdict{}) {
		t.Errorf("want neither, got %+v, %v", got, err)
	}
	if done := h.Stats().Done; done != 1 {
		t.Errorf("want one hash computed, got %d", done)
	}
}

func TestParamsAreBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		params Params
		wantOK bool
	}{
		{Default, true},
		{tiny, true},
		{Params{maxMemory, maxTime, maxThreads}, true},
		{Params{}, false},
		{Params{maxMemory + 1, 1, 1}, false},
		{Params{64, maxTime + 1, 1}, false},
		{Params{64, 0, 1}, false},
		{Params{1024, 1, maxThreads + 1}, false},
		{Params{1024, 1, 0}, false},
		{Params{15, 1, 2}, false},
	} {
		if err := c.params.Validate(); (err == nil) != c.wantOK {
			t.Errorf("%+v: want ok %t, got %v", c.params, c.wantOK, err)
		}
	}
}
