package password

import (
	"errors"
	"strings"
	"testing"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	const sentence = "The new password does not meet the directory complexity requirements"
	for _, c := range []struct {
		name     string
		policy   Policy
		regex    string
		password string
		want     string // of the refusal; empty when taken
	}{
		{"default takes one letter", Policy{}, "", "x", ""},
		{"default takes the longest", Policy{}, "", strings.Repeat("x", MaxLength), ""},
		{"empty", Policy{}, "", "", "You cannot have an empty password"},
		{"blank", Policy{}, "", " \t ", "You cannot have an empty password"},
		{"longer than can be hashed", Policy{}, "", strings.Repeat("x", MaxLength+1), "The new password must not be longer than 1024 bytes"},
		{"too short", Policy{MinLength: 12}, "", "elevenchars", sentence + ": at least 12 characters"},
		{"long enough", Policy{MinLength: 12}, "", "twelve chars", ""},
		{"characters, not bytes", Policy{MinLength: 6, MaxLength: 6}, "", "пароль", ""},
		{"too long", Policy{MaxLength: 5}, "", "пароль", sentence + ": at most 5 characters"},
		{"regex matches somewhere", Policy{}, "[0-9]", "abc1def", ""},
		{"regex does not match", Policy{}, "[0-9]", "abcdef", sentence},
		{"the directory's words", Policy{Message: "One digit, please."}, "[0-9]", "abcdef", sentence + ": One digit, please."},
		{"the directory's words on length", Policy{MinLength: 12, Message: "Twelve, please."}, "", "short", sentence + ": Twelve, please."},
		{"strict refuses", Strict, "", "difference", sentence + ": at least 12 characters"},
		{"strict takes a sentence", Strict, "", "the analytical engine", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			policy, err := NewPolicy(c.policy, c.regex)
			if err != nil {
				t.Fatal(err)
			}
			err = policy.Check(c.password)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("want it taken, got %v", err)
			case c.want != "" && (!errors.Is(err, ErrPolicy) || err.Error() != c.want):
				t.Errorf("want ErrPolicy %q, got %v", c.want, err)
			}
		})
	}
}

func TestNewPolicyReportsAllProblems(t *testing.T) {
	t.Parallel()
	_, err := NewPolicy(Policy{MinLength: -1, MaxLength: -1, History: 24}, "(?=.*[0-9])")
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{"minimum length", "maximum length", "history", "lookaheads"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want it to name %q, got %v", want, err)
		}
	}
	if _, err := NewPolicy(Policy{}, "[0-9"); err == nil {
		t.Error("a bad regular expression was taken")
	}
	if _, err := NewPolicy(Policy{MinLength: 12, MaxLength: 8}, ""); err == nil {
		t.Error("a maximum below the minimum was taken")
	}
}

func TestPolicyTellsItsRegex(t *testing.T) {
	t.Parallel()
	policy, err := NewPolicy(Policy{}, "[0-9]")
	if err != nil || policy.Regex() != "[0-9]" {
		t.Errorf("want [0-9], got %q, %v", policy.Regex(), err)
	}
	if got := (Policy{}).Regex(); got != "" {
		t.Errorf("zero policy: want none, got %q", got)
	}
}

func TestCheckHistory(t *testing.T) {
	t.Parallel()
	h := NewHasher(tiny, 0)
	latest, err := h.Hash(t.Context(), "latest")
	if err != nil {
		t.Fatal(err)
	}
	old := []string{latest, "{MD5}X03MO1qnZdYdgyfeuILPmQ==", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ="}
	for _, c := range []struct {
		name     string
		history  int
		password string
		refused  bool
	}{
		{"no history", 0, "latest", false},
		{"the latest", 1, "latest", true},
		{"behind one that cannot be read", 3, "password", true},
		{"older than asked", 3, "pass", false},
		{"more asked than there are", 10, "pass", true},
		{"new", 10, "difference", false},
	} {
		err := Policy{History: c.history}.CheckHistory(t.Context(), h, old, c.password)
		if errors.Is(err, ErrPolicy) != c.refused || (err != nil) != c.refused {
			t.Errorf("%s: want refused %t, got %v", c.name, c.refused, err)
		}
	}
	err = Policy{History: 1}.CheckHistory(t.Context(), h, old, strings.Repeat("x", MaxLength+1))
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("want Check's error, got %v", err)
	}
}
