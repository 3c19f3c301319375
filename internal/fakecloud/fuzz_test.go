package fakecloud

import (
	"strings"
	"testing"
)

func FuzzGraphFilter(f *testing.F) {
	for _, s := range []string{"id eq 'a' or id eq 'b'", "not startswith(displayName,'x')", "accountEnabled eq true and mail ne null", "displayName eq 'it''s'", "a eq '", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseFilter(text)
		if err != nil {
			return
		}
		if len(parsed.tests) == 0 {
			t.Errorf("%q has no clause and is no error", text)
		}
		parsed.holds(func(string) string { return `"x"` })
		if ids, ok := parsed.ids(); ok && len(ids) != len(parsed.tests) {
			t.Errorf("%q has %d clauses and %d ids", text, len(parsed.tests), len(ids))
		}
	})
}

func FuzzPlace(f *testing.F) {
	s := newSealer(1)
	f.Add("/v1.0/users?", s.seal("/v1.0/users?", graphPlace{At: 5}))
	f.Add("/v1.0/users?", "e30.")
	f.Add("", ".")
	f.Fuzz(func(t *testing.T, address, token string) {
		var place graphPlace
		if s.open(address, token, &place) && !strings.HasSuffix(token, s.mac(address, []byte(`{"a":5,"i":0}`))) {
			t.Errorf("%q was opened for %q and nobody sealed it", token, address)
		}
	})
}

func FuzzObjectID(f *testing.F) {
	ids := newEntraIDs(1)
	f.Add(ids.of(Member{UserMember, 7}).String())
	f.Add("00000000-0000-4000-8000-000000000000")
	f.Add("----")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := parseObjectID(text)
		if !ok {
			return
		}
		if !strings.EqualFold(id.String(), text) {
			t.Errorf("%q was read as %s", text, id)
		}
		if m, found := ids.find(id); found && ids.of(m) != id {
			t.Errorf("%s was found as %v, whose id is %s", id, m, ids.of(m))
		}
	})
}
