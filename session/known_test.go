package session

import (
	"fmt"
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

func row(user models.ID, token string) models.Session {
	return models.Session{UserID: user, TokenHash: []byte(token), Sealed: []byte("sealed")}
}

func knows(k *known, tokens ...string) string {
	text := ""
	for _, token := range tokens {
		if _, ok, _ := k.get([]byte(token)); ok {
			text += token
		}
	}
	return text
}

func TestWhatDropsKnownSessions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change models.Change
		left   string
	}{
		{"the sessions of a user end", models.Change{Kind: models.SessionsEnded, RowID: 1}, "c"},
		{"sessions end, whose isn't said", models.Change{Kind: models.SessionsEnded}, ""},
		{"a user is deleted", models.Change{Kind: models.UserDeleted, RowID: 2}, "ab"},
		{"a directory is deleted", models.Change{Kind: models.DirectoryDeleted, RowID: 9}, ""},
		{"a directory is replaced", models.Change{Kind: models.DirectoryReplaced, RowID: 9}, ""},
		{"a session starts", models.Change{Kind: models.SessionStarted, RowID: 1}, "abc"},
	} {
		k := &known{byToken: map[string]models.Session{}}
		k.put(row(1, "a"), 0)
		k.put(row(1, "b"), 0)
		k.put(row(2, "c"), 0)
		k.heed([]models.Change{{Kind: models.UserUpdated, RowID: 1}, c.change})
		if got := knows(k, "a", "b", "c"); got != c.left {
			t.Errorf("%s: %q stay, want %q", c.name, got, c.left)
		}
	}
}

// A row that was read before a session ended must not be kept after it.
func TestASessionThatEndsWhileItIsReadIsNotKept(t *testing.T) {
	k := &known{byToken: map[string]models.Session{}}
	_, _, seen := k.get([]byte("a"))
	k.heed([]models.Change{{Kind: models.SessionsEnded, RowID: 1}})
	k.put(row(1, "a"), seen)
	if knows(k, "a") != "" {
		t.Error("an ended session is known")
	}
}

func TestKnownSessionsAreBounded(t *testing.T) {
	k := &known{byToken: map[string]models.Session{}}
	for i := range maxKnown + 100 {
		k.put(row(1, fmt.Sprint(i)), 0)
	}
	if len(k.byToken) != maxKnown || knows(k, fmt.Sprint(maxKnown+99)) == "" {
		t.Errorf("%d sessions are known, want the last among %d", len(k.byToken), maxKnown)
	}
}

func TestAKnownSessionHasNoToken(t *testing.T) {
	k := &known{byToken: map[string]models.Session{}}
	k.put(row(1, "a"), 0)
	if found, _, _ := k.get([]byte("a")); found.Sealed != nil {
		t.Error("a copy in memory holds the sealed token")
	}
}
