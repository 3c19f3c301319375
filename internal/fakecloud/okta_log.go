package fakecloud

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// How far back the System Log goes: what is older isn't shown, and what is much older isn't
// even looked for.
const (
	logKept  = 90 * 24 * time.Hour
	logAsked = 180 * 24 * time.Hour
)

func logFilter(field, op string) bool {
	return field == "eventType" && slices.Contains([]string{"eq", "sw", "co"}, op)
}

// logs answers GET /api/v1/logs. Without "until" it is polled: there is always a link to the
// next page, also when nothing is left.
func (o *Okta) logs(w http.ResponseWriter, r *http.Request) {
	place, limit, ok := o.place(w, r, listing{[]string{"since", "until", "filter", "q", "sortOrder"}, 100, 1000})
	if !ok {
		return
	}
	query := r.URL.Query()
	var x *oktaExpression
	if text := query.Get("filter"); text != "" {
		var err error
		if x, err = parseOkta(text, logFilter); err != nil {
			o.invalid(w, "E0000053", "Invalid filter expression.", err.Error())
			return
		}
	}
	c, now := o.settings(), o.clock()
	since, until := now.Add(-7*24*time.Hour), now
	for name, into := range map[string]*time.Time{"since": &since, "until": &until} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			o.invalid(w, "E0000001", "Api validation failed: "+name, name+": The date format in your query is not recognized.")
			return
		}
		*into = at
	}
	switch {
	case query.Has("since") && query.Has("after"):
		o.invalid(w, "E0000001", "Api validation failed: since", "since: cannot be used with after.")
		return
	case now.Sub(since) > logAsked:
		o.invalid(w, "E0000001", "Api validation failed: since", "since: must be within the last 180 days.")
		return
	case now.Sub(since) > logKept:
		since = now.Add(-logKept)
	}
	b := []byte{'['}
	o.see(c.LogLag, func(v *oktaView) {
		from, end := place.At, v.at
		if !query.Has("after") {
			from = v.d.before(since.Add(-v.ahead).Add(-time.Nanosecond))
		}
		if query.Has("until") {
			end = min(end, v.d.before(until.Add(-v.ahead).Add(-time.Nanosecond)))
		}
		b, place.At = v.events(b, from, end, limit, x)
		ok = place.At < end || !query.Has("until")
		if len(b) == 1 {
			place.At = from // the link doesn't move on before something happens
		}
	})
	if !ok {
		o.sendList(w, r, append(b, ']'), nil)
		return
	}
	o.sendList(w, r, append(b, ']'), &place)
}

// events appends what happened in a part of the history, and says how far it came.
func (v *oktaView) events(b []byte, from, end, limit int, x *oktaExpression) ([]byte, int) {
	joined := v.joined(from)
	found := 0
	for i := from; i < end; i++ {
		c := v.d.history[i]
		kind := v.eventType(i, joined)
		if kind == "" || x != nil && !x.holds(func(string) (string, bool) { return kind, true }) {
			continue
		}
		if found == limit {
			return b, i
		}
		found++
		b = append(comma(b), '{')
		b = appendString(appendKey(b, "uuid"), fmt.Sprintf("%08x-0000-4000-8000-%012x", mix(uint64(i))>>32, i))
		b = appendString(appendKey(b, "published"), oktaTime(c.at.Add(v.ahead)))
		b = appendString(appendKey(b, "eventType"), kind)
		b = append(appendKey(b, "outcome"), `{"result":"SUCCESS"}`...)
		b = append(appendKey(b, "target"), '[')
		switch c.kind {
		case memberChanged:
			b = appendTarget(b, v.o.ids.user(UserNo(c.member.N)), "User")
			fallthrough
		case groupChanged:
			b = appendTarget(b, v.o.ids.group(c.group), "UserGroup")
		case userChanged:
			b = appendTarget(b, v.o.ids.user(c.user), "User")
		}
		b = append(b, ']', '}')
	}
	return b, max(from, end)
}

func appendTarget(b []byte, id, kind string) []byte {
	b = append(comma(b), '{')
	b = appendString(appendKey(b, "id"), id)
	b = appendString(appendKey(b, "type"), kind)
	return append(b, '}')
}

type oktaPair struct {
	group  GroupNo
	member Member
}

// joined tells of each membership that changed from a place in the history on, whether it was
// there after the change: the history itself says only that it became different.
func (v *oktaView) joined(from int) map[int]bool {
	now, is := map[oktaPair]bool{}, map[int]bool{}
	for i := len(v.d.history) - 1; i >= from; i-- {
		c := v.d.history[i]
		if c.kind != memberChanged {
			continue
		}
		key := oktaPair{c.group, c.member}
		state, known := now[key]
		if !known {
			state = v.d.isMember(c.group, c.member)
		}
		is[i], now[key] = state, !state
	}
	return is
}

// eventType is what Okta calls a change; empty: Okta has nothing to say of it.
func (v *oktaView) eventType(i int, joined map[int]bool) string {
	c := v.d.history[i]
	after := *v
	after.at = i + 1
	switch {
	case c.kind == memberChanged && c.member.Kind != UserMember:
		return ""
	case c.kind == memberChanged && joined[i]:
		return "group.user_membership.add"
	case c.kind == memberChanged:
		return "group.user_membership.remove"
	case c.kind == groupChanged:
		_, there := after.group(c.group)
		switch {
		case !there && c.life == alive:
			return "group.lifecycle.delete"
		case !there:
			return ""
		case c.life == alive:
			return "group.profile.update"
		}
		return "group.lifecycle.create"
	}
	u, there := after.user(c.user)
	before := oktaStatus(c.userBefore, c.life)
	switch {
	case !there:
		return "user.lifecycle.delete.completed"
	case c.life == unborn:
		return "user.lifecycle.create"
	case before == u.status:
		return "user.account.update_profile"
	case u.status == oktaDeprovisioned:
		return "user.lifecycle.deactivate"
	case u.status == oktaSuspended:
		return "user.lifecycle.suspend"
	case before == oktaDeprovisioned:
		return "user.lifecycle.reactivate"
	case before == oktaSuspended:
		return "user.lifecycle.unsuspend"
	}
	return "user.lifecycle.activate"
}
