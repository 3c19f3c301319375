package session_test

import (
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/session"
)

func forwarded(value string) session.Factor {
	return session.Factor{Name: "X-Forwarded-For", Value: value}
}

func trusted(address string) bool { return address == "10.0.0.1" || address == "10.0.0.2" }

// each case tells whether a session that was made with one set of factors may be used with
// another.
var factorCases = []struct {
	name       string
	made, used []session.Factor
	valid      bool
}{
	{"the same", []session.Factor{from("192.0.2.1")}, []session.Factor{from("192.0.2.1")}, true},
	{"another address", []session.Factor{from("192.0.2.1")}, []session.Factor{from("192.0.2.2")}, false},
	{"none, though it has some", []session.Factor{from("192.0.2.1")}, nil, false},
	{"some, though it has none", nil, []session.Factor{from("192.0.2.1")}, false},
	{"none and none", nil, []session.Factor{}, true},
	{"another order", []session.Factor{from("192.0.2.1"), {"NAME", "jira"}}, []session.Factor{{"NAME", "jira"}, from("192.0.2.1")}, true},
	{"a name in another case", []session.Factor{{"REMOTE_ADDRESS", "192.0.2.1"}}, []session.Factor{from("192.0.2.1")}, true},
	{"a value in another case", []session.Factor{{"NAME", "jira"}}, []session.Factor{{"NAME", "JIRA"}}, false},
	{"a value with a blank", []session.Factor{{"NAME", "jira"}}, []session.Factor{{"NAME", "jira "}}, false},
	{"one more", []session.Factor{from("192.0.2.1")}, []session.Factor{from("192.0.2.1"), {"NAME", "jira"}}, false},
	{"one twice", []session.Factor{from("192.0.2.1")}, []session.Factor{from("192.0.2.1"), from("192.0.2.1")}, true},
	{"two addresses", []session.Factor{from("192.0.2.1")}, []session.Factor{from("192.0.2.1"), from("192.0.2.2")}, false},
	{"name and value swapped", []session.Factor{{"a", "b"}}, []session.Factor{{"b", "a"}}, false},
	{"name and value run together", []session.Factor{{"ab", "c"}}, []session.Factor{{"a", "bc"}}, false},

	{"forwarded by nobody we trust", []session.Factor{from("192.0.2.1"), forwarded("198.51.100.7")}, []session.Factor{from("192.0.2.1")}, true},
	{"a forged header doesn't help", []session.Factor{from("192.0.2.1")}, []session.Factor{from("203.0.113.9"), forwarded("192.0.2.1")}, false},
	{"a header without an address", []session.Factor{forwarded("192.0.2.1")}, nil, true},
	{"by a trusted proxy", []session.Factor{from("10.0.0.1"), forwarded("192.0.2.1")}, []session.Factor{from("192.0.2.1")}, true},
	{"by another trusted proxy", []session.Factor{from("10.0.0.1"), forwarded("192.0.2.1")}, []session.Factor{from("10.0.0.2"), {"x-forwarded-for", "192.0.2.1"}}, true},
	{"in python-crowd's spelling", []session.Factor{from("10.0.0.1"), forwarded("192.0.2.1")}, []session.Factor{from("10.0.0.1"), {"x_forwarded_for", "192.0.2.1"}}, true},
	{"for another client", []session.Factor{from("10.0.0.1"), forwarded("192.0.2.1")}, []session.Factor{from("10.0.0.1"), forwarded("192.0.2.2")}, false},
	{"for nobody", []session.Factor{from("10.0.0.1"), forwarded("192.0.2.1")}, []session.Factor{from("10.0.0.1")}, false},
	{"through two trusted proxies", []session.Factor{from("10.0.0.1"), forwarded("192.0.2.1, 10.0.0.2")}, []session.Factor{from("192.0.2.1")}, true},
	{"with something forged on the left", []session.Factor{from("10.0.0.1"), forwarded("203.0.113.9, 192.0.2.1")}, []session.Factor{from("192.0.2.1")}, true},
	{"with garbage", []session.Factor{from("10.0.0.1"), forwarded("192.0.2.1, garbage")}, []session.Factor{from("10.0.0.1")}, true},
}

func TestFactors(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{TrustedProxy: trusted})
		for _, c := range factorCases {
			token := w.issue(session.Request{User: w.ada.ID, Factors: c.made}).Token
			if c.valid {
				w.use(token, c.used...)
			} else {
				w.isInvalid(token, c.used...)
			}
			if t.Failed() {
				t.Fatalf("in the case: %s", c.name)
			}
		}
	})
}

func TestWithoutTheSameAddressFactorsDontMatter(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		before := w.issue(session.Request{User: w.ada.ID, Factors: []session.Factor{from("192.0.2.1")}})

		w.Service = session.New(w.store, session.Options{AnyAddress: true})
		w.use(before.Token, from("198.51.100.7"))
		meanwhile := w.issue(session.Request{User: w.ada.ID, Factors: []session.Factor{from("192.0.2.1")}})
		w.use(meanwhile.Token)
		w.use(meanwhile.Token, from("198.51.100.7"))
		if again := w.issue(session.Request{User: w.ada.ID, Factors: []session.Factor{from("192.0.2.2")}}); again.Token != meanwhile.Token {
			t.Error("a login from elsewhere got another session")
		}

		// Switched on again, nobody's session becomes valid from elsewhere.
		w.Service = session.New(w.store, session.Options{})
		w.isInvalid(meanwhile.Token, from("192.0.2.1"))
		w.use(before.Token, from("192.0.2.1"))
	})
}

func TestAnUnboundSessionIsValidEverywhere(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		w := newWorld(t, db, session.Options{})
		page := w.issue(session.Request{User: w.ada.ID, Unbound: true})
		w.use(page.Token)
		w.use(page.Token, from("192.0.2.1"), session.Factor{Name: "NAME", Value: "jira"})
		// It is given to no application that logs the user in: each page has its own.
		if w.issue(session.Request{User: w.ada.ID}).Token == page.Token || w.issue(session.Request{User: w.ada.ID, Unbound: true}).Token == page.Token {
			t.Error("an unbound session was given out again")
		}
	})
}
