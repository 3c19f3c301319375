package sync

import (
	"errors"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
)

// FuzzPage reads staged pages that anybody may have written: it ends, with an error or without,
// and what is a page comes back as it was.
func FuzzPage(f *testing.F) {
	page := newPage("checkpoint")
	page.profile(&profile{id: "1", name: "ada", mail: "ada@mail.example", active: true, attributes: []models.Attribute{{Name: "team", Values: []string{"a", "b"}}}})
	f.Add(pageUsers, page.buf)
	page = newPage("")
	page.group(&Group{ID: "g", Name: "devs"})
	f.Add(pageGroups, page.buf)
	page = newPage("")
	page.members(&Members{Group: "g", Members: []Member{{"1", MemberUser}, {"h", MemberGroup}}, Last: true}, newIndex())
	page.members(&Members{Group: "g", Unreadable: errors.New("403")}, newIndex())
	f.Add(pageMembers, page.buf)
	page = newPage("")
	page.text(phaseUsers)
	page.text("")
	f.Add(pageDone, page.buf)
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		w := newWant(&Settings{}, nil)
		w.takeGroup(Group{ID: "g", Name: "devs", Mail: "d@mail.example"})
		if err := w.take(0, kind, data); err != nil {
			return
		}
		for n := range num(w.users.n) {
			r := reader{buf: data, at: int(w.users.at(n).at)}
			rec := r.record()
			if r.bad {
				t.Fatalf("user %d was taken in and can't be read again", n)
			}
			if got := w.users.findBytes(rec.id); got != n {
				t.Fatalf("user %q is number %d and is found as %d", rec.id, n, got)
			}
			own, err := rec.readAttributes()
			if err != nil {
				continue
			}
			again := newPage("")
			start := len(again.buf)
			again.profile(&profile{id: string(rec.id), skip: string(rec.skip), excluded: rec.excluded, name: string(rec.name), first: string(rec.first),
				last: string(rec.last), display: string(rec.display), mail: string(rec.mail), active: rec.active, attributes: own})
			back := reader{buf: again.buf, at: start}
			if two := back.record(); back.bad || string(two.id) != string(rec.id) || string(two.mail) != string(rec.mail) || two.active != rec.active {
				t.Fatalf("written again, %+v is %+v", rec, two)
			}
		}
		w.settle()
	})
}

// FuzzSettings reads what the door lets pass, and judges a user and a group by it.
func FuzzSettings(f *testing.F) {
	for _, s := range []string{"eng-*,re:a|b,id:7", "*", "**a*b*", "a=>b;;(x)=>$1\nq=>", "upn", "10,5%", "department=team, title", "re:(", "^(\\w+)@.*$=>$1"} {
		f.Add(s, s, "ada@contoso.example")
	}
	f.Fuzz(func(t *testing.T, one, two, name string) {
		dir := &models.Directory{Kind: models.KindEntra, Name: "cloud", Settings: map[string]string{"tenant": "t", "client-id": "c", "client-secret": "s",
			"groups": one, "username-rules": two, "group-rules": two, "attributes": one, "guard-users": two, "allow-groups": one}}
		if directory.CheckSettings(dir.Kind, dir.Settings) != nil {
			return
		}
		s, err := ReadSettings(dir)
		if err != nil {
			t.Fatalf("the door let pass what can't be read: %v", err)
		}
		u := User{ID: "1", Login: name, Mail: name, Active: true, Attributes: []models.Attribute{{Name: "department", Values: []string{name}}}}
		p := s.judge(&u, func(Verdict) {})
		if p.skip == "" && models.NameProblem(p.name) != "" {
			t.Errorf("%q became %q: %s", name, p.name, models.NameProblem(p.name))
		}
		if p.skip == "" && strings.ToLower(p.name) != p.name {
			t.Errorf("%q became %q, want lower case", name, p.name)
		}
		g := Group{ID: "1", Name: name}
		s.Chosen(&g)
		if called, problem := s.nameGroup(&g); problem == "" && models.NameProblem(called) != "" {
			t.Errorf("%q became %q: %s", name, called, models.NameProblem(called))
		}
	})
}
