package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/models"
)

func TestTimesAreDatesTimesOrLengths(t *testing.T) {
	t.Parallel()
	now := models.TimeOf(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		text string
		ago  bool
		want string // empty: refused
	}{
		{"", false, "never"},
		{"2026-12-31", false, "2026-12-31T00:00:00.000Z"},
		{"2026-12-31T18:00:00+02:00", true, "2026-12-31T16:00:00.000Z"},
		{"90d", false, "2026-05-31T12:00:00.000Z"},
		{"90d", true, "2025-12-02T12:00:00.000Z"},
		{"12h30m", true, "2026-03-01T23:30:00.000Z"},
		{"soon", false, ""}, {"-1h", false, ""}, {"0d", false, ""}, {"31.12.2026", false, ""}, {"9999999d", false, ""},
	} {
		got, err := timeFlag("expires", c.text, now, c.ago)
		if c.want == "" && err == nil || c.want != "" && (err != nil || got.String() != c.want) {
			t.Errorf("%q: want %q, got %q (%v)", c.text, c.want, got, err)
		}
	}
}

func TestAttributesGatherTheirValues(t *testing.T) {
	t.Parallel()
	got, err := attributes([]string{"phone=1", "room=A=1", "phone=2", "old="})
	want := []models.Attribute{{Name: "phone", Values: []string{"1", "2"}}, {Name: "room", Values: []string{"A=1"}}, {Name: "old"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWordsAreQuotedForAShell(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"jira": "jira", "::1": "::1", "10.0.0.0/8": "10.0.0.0/8", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'"} {
		if got := quotedArg(word); got != want {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}

// Ctrl-C at a prompt ends the command, although nothing was typed.
func TestPromptEndsWithItsContext(t *testing.T) {
	t.Parallel()
	silent, typing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	defer typing.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := readLine(ctx, bufio.NewReader(silent)); !errors.Is(err, context.Canceled) {
		t.Errorf("want the prompt to be cancelled, got %v", err)
	}
}
