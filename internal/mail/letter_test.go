package mail_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/mail"
)

type data struct {
	Server, Application, Name, Link, Until string
	Names                                  []account
	More                                   bool
}

type account struct {
	Name   string
	Active bool
}

func TestTheTextOfAReset(t *testing.T) {
	t.Parallel()
	l, err := mail.Write("reset", data{
		Server: "https://id.example.test", Application: "jira", Name: "zoë", Link: "https://id.example.test/reset/abc", Until: "2 March 2026, 12:30 UTC",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := mail.Letter{Subject: "Choose a new password for zoë", Text: `Hello,

somebody, hopefully you, asked for a new password for the account

    zoë

through the application jira. To choose one, open this address:

    https://id.example.test/reset/abc

It works once, until 2 March 2026, 12:30 UTC. A later letter like this one ends it.

If it wasn't you, do nothing: your password stays as it is.

-- 
https://id.example.test
`}
	if diff := cmp.Diff(want, l); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheTextOfUsernames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names         []account
		more          bool
		subject, says string
	}{
		{[]account{{"ada", true}}, false, "Your user name for jira", "have your mail address. It is this one:\n\n    ada\n\nIf it"},
		{[]account{{"ada", true}, {"bob", false}}, false, "Your user names for jira", "They are these:\n\n    ada\n    bob (switched off)\n\nIf it"},
		{[]account{{"ada", true}, {"<b>&", true}}, true, "Your user names for jira", "    ada\n    <b>&\n    … and more\n\nIf it"},
	} {
		l, err := mail.Write("usernames", data{Server: "https://id.example.test", Application: "jira", Names: c.names, More: c.more})
		if err != nil || l.Subject != c.subject || !strings.Contains(l.Text, c.says) {
			t.Errorf("%v: %q, %v\n%s", c.names, l.Subject, err, l.Text)
		}
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	if _, err := mail.Write("birthday", data{}); !errors.Is(err, mail.ErrLetter) {
		t.Errorf("an unknown template: %v", err)
	}
	if _, err := mail.Write("reset", struct{}{}); !errors.Is(err, mail.ErrLetter) {
		t.Errorf("data without its fields: %v", err)
	}
}
