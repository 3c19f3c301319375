package sync

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rollcall-id/rollcall/models"
)

// The kinds of staged page. Each begins with the checkpoint from which its phase goes on.
const (
	pageUsers   byte = 'u'
	pageChanged byte = 'c' // users of a delta: a full read that follows takes no notice of them
	pageGroups  byte = 'g'
	pageMembers byte = 'm'
	pageDone    byte = 'd' // the phase that it names is complete
)

// errPage says that a staged page isn't one: a bug, or a file that somebody touched.
var errPage = errors.New("a staged page is damaged; `rollcall sync NAME --apply --full` reads everything anew")

// A writer appends texts and numbers to a page.
type writer struct{ buf []byte }

func newPage(next Checkpoint) *writer {
	w := &writer{}
	w.text(string(next))
	return w
}

func (w *writer) text(s string) {
	w.buf = binary.AppendUvarint(w.buf, uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *writer) number(n int) { w.buf = binary.AppendUvarint(w.buf, uint64(n)) }

func (w *writer) flag(on bool) {
	b := byte(0)
	if on {
		b = 1
	}
	w.buf = append(w.buf, b)
}

// A reader takes them back. Once something is wrong, all that follows is empty.
type reader struct {
	buf []byte
	at  int
	bad bool
}

func (r *reader) more() bool { return !r.bad && r.at < len(r.buf) }

func (r *reader) err() error {
	if r.bad {
		return errPage
	}
	return nil
}

func (r *reader) number() int {
	n, size := binary.Uvarint(r.buf[min(r.at, len(r.buf)):])
	if size <= 0 || n > 1<<31 {
		r.bad = true
		return 0
	}
	r.at += size
	return int(n)
}

// bytes gives a text that is valid as long as the page is.
func (r *reader) bytes() []byte {
	n := r.number()
	if r.bad || n > len(r.buf)-r.at {
		r.bad = true
		return nil
	}
	b := r.buf[r.at : r.at+n]
	r.at += n
	return b
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) flag() bool {
	if r.bad || r.at >= len(r.buf) {
		r.bad = true
		return false
	}
	r.at++
	return r.buf[r.at-1] != 0
}

// A record is a staged profile whose texts lie in its page.
type record struct {
	id, name, first, last, display, mail, skip []byte
	active                                     bool
	excluded                                   bool   // the settings leave it out; else a skip is a doubt
	attributes                                 []byte // as they were written
}

func (w *writer) profile(p *profile) {
	w.text(p.id)
	w.text(p.skip)
	w.flag(p.excluded)
	w.text(p.name)
	w.text(p.first)
	w.text(p.last)
	w.text(p.display)
	w.text(p.mail)
	w.flag(p.active)
	inner := writer{}
	for _, a := range p.attributes {
		inner.attribute(a)
	}
	w.text(string(inner.buf))
}

func (w *writer) attribute(a models.Attribute) {
	w.text(a.Name)
	w.number(len(a.Values))
	for _, v := range a.Values {
		w.text(v)
	}
}

func (r *reader) record() (rec record) {
	rec.id, rec.skip = r.bytes(), r.bytes()
	rec.excluded = r.flag()
	rec.name = r.bytes()
	rec.first, rec.last, rec.display, rec.mail = r.bytes(), r.bytes(), r.bytes(), r.bytes()
	rec.active = r.flag()
	rec.attributes = r.bytes()
	return rec
}

// clone copies a record out of its page.
func (rec *record) clone() record {
	out := *rec
	for _, text := range []*[]byte{&out.id, &out.name, &out.first, &out.last, &out.display, &out.mail, &out.skip, &out.attributes} {
		*text = bytes.Clone(*text)
	}
	return out
}

// readAttributes reads what a record holds of attributes.
func (rec *record) readAttributes() (out []models.Attribute, err error) {
	r := reader{buf: rec.attributes}
	for r.more() {
		a := models.Attribute{Name: r.text()}
		for n := r.number(); n > 0 && !r.bad; n-- {
			a.Values = append(a.Values, r.text())
		}
		out = append(out, a)
	}
	return out, r.err()
}

// user makes a row of a record.
func (rec *record) user(dir models.ID) *models.User {
	return &models.User{DirectoryID: dir, ExternalID: string(rec.id), Name: string(rec.name), FirstName: string(rec.first),
		LastName: string(rec.last), DisplayName: string(rec.display), Email: string(rec.mail), Active: rec.active}
}

func (w *writer) group(g *Group) {
	w.text(g.ID)
	w.text(g.Name)
	w.text(g.Mail)
	w.text(g.Description)
}

func (r *reader) group() Group {
	return Group{ID: r.text(), Name: r.text(), Mail: r.text(), Description: r.text()}
}

// The states of a part of a group's members.
const (
	partMore = iota
	partLast
	partGone
	partUnreadable
)

// memberNumbered stands for MemberUser where the user has a number: its id needn't be written again.
const memberNumbered = MemberKind(255)

func (w *writer) members(m *Members, users *index) {
	w.text(m.Group)
	state := partMore
	switch {
	case m.Gone:
		state = partGone
	case m.Unreadable != nil:
		state = partUnreadable
	case m.Last:
		state = partLast
	}
	w.number(state)
	if m.Unreadable != nil {
		w.text(m.Unreadable.Error())
	}
	w.number(len(m.Members))
	for _, member := range m.Members {
		if member.Kind == MemberUser {
			if n := users.find(member.ID); n != none {
				w.buf = append(w.buf, byte(memberNumbered))
				w.number(int(n))
				continue
			}
		}
		w.buf = append(w.buf, byte(member.Kind))
		w.text(member.ID)
	}
}

// part reads the head of a part: as many members follow as n says.
func (r *reader) part() (group []byte, state int, problem string, n int) {
	group, state = r.bytes(), r.number()
	if state == partUnreadable {
		problem = r.text()
	}
	return group, state, problem, r.number()
}

// member reads a member: one that is numbered has no id.
func (r *reader) member() (kind MemberKind, user num, id []byte) {
	if r.bad || r.at >= len(r.buf) {
		r.bad = true
		return MemberOther, none, nil
	}
	kind = MemberKind(r.buf[r.at])
	r.at++
	if kind == memberNumbered {
		return MemberUser, num(r.number()), nil
	}
	return kind, none, r.bytes()
}

// checkKind refuses a page that an older program may have written.
func checkKind(kind byte) error {
	switch kind {
	case pageUsers, pageChanged, pageGroups, pageMembers, pageDone:
		return nil
	}
	return fmt.Errorf("%w (kind %q)", errPage, kind)
}
