package models_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

func TestKeyFoldsCaseAndComposition(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"ada", "ada"}, {"ADA", "ada"}, {"Zoe\u0308", "zo\u00eb"}, {"ZO\u00cb", "zo\u00eb"}, {"J\u030c", "\u01f0"}, {"ada lovelace@x", "ada lovelace@x"},
	} {
		if got := models.Key(c.name); got != c.want {
			t.Errorf("Key(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	for _, name := range []string{"", " ", " ada", "ada ", "a\x00b", "a\nb", "a\u0085b", string(make([]byte, 300)), "\xff"} {
		if models.NameProblem(name) == "" {
			t.Errorf("NameProblem(%q) is empty, want a problem", name)
		}
	}
	for _, name := range []string{"ada lovelace", "a@b", `a/b\c&d+e`, "日本"} {
		if p := models.NameProblem(name); p != "" {
			t.Errorf("NameProblem(%q) = %q, want none", name, p)
		}
	}
}

func TestSecretNeverPrints(t *testing.T) {
	s := models.Secret("hunter2")
	j, _ := json.Marshal(struct{ S models.Secret }{s})
	for _, got := range []string{fmt.Sprint(s), fmt.Sprintf("%q %#v %x %+v", s, s, s, struct{ S models.Secret }{s}), string(j)} {
		if got == "" || containsSecret(got) {
			t.Errorf("a secret printed as %s", got)
		}
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal lost the secret")
	}
}

func containsSecret(s string) bool {
	for i := 0; i+7 <= len(s); i++ {
		if s[i:i+7] == "hunter2" || (i+14 <= len(s) && s[i:i+14] == "68756e74657232") {
			return true
		}
	}
	return false
}

func TestPermissionsRoundTrip(t *testing.T) {
	for p := models.ReadOnly; p <= models.AllPermissions; p++ {
		got, err := models.ParsePermissions(p.String())
		if err != nil || got != p {
			t.Fatalf("ParsePermissions(%q) = %v, %v, want %v", p, got, err, p)
		}
	}
	if _, err := models.ParsePermissions("create-users"); err == nil {
		t.Error("a misspelt permission was taken")
	}
}
