package fakecloud

import (
	"iter"
	"net/http"
	"strconv"
	"time"
)

// getCustomer answers GET /admin/directory/v1/customers/{key}.
func (g *Google) getCustomer(w http.ResponseWriter, r *http.Request) {
	if key := r.PathValue("key"); key != "my_customer" && key != GoogleCustomer {
		googleNotFound("customerKey").send(w)
		return
	}
	sendOne(g, w, r, googleCustomerFields, &g.Directory.gen.Domain)
}

var googleCustomerFields = []googleField[string]{
	text("kind", func(*string) string { return "admin#directory#customer" }),
	text("id", func(*string) string { return GoogleCustomer }),
	text("customerDomain", func(domain *string) string { return *domain }),
	text("customerCreationTime", func(*string) string { return googleTime(firstDay) }),
}

// A googleActivity is one line of the audit log.
type googleActivity struct {
	n      int
	change change
	event  string
	params []activityParam
}

type activityParam struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

var googleActivityFields = []googleField[googleActivity]{
	text("kind", func(*googleActivity) string { return "admin#reports#activity" }),
	{"id", func(b []byte, a *googleActivity, _ googleMask) []byte {
		return appendAny(b, map[string]string{"time": googleTime(a.change.at), "uniqueQualifier": strconv.Itoa(a.n),
			"applicationName": "admin", "customerId": GoogleCustomer})
	}},
	{"events", func(b []byte, a *googleActivity, _ googleMask) []byte {
		group := "GROUP_SETTINGS"
		if a.change.kind == userChanged {
			group = "USER_SETTINGS"
		}
		return appendAny(b, []map[string]any{{"type": group, "name": a.event, "parameters": a.params}})
	}},
}

// listActivities answers GET /admin/reports/v1/activity/users/all/applications/admin: what
// administrators did, newest first.
func (g *Google) listActivities(w http.ResponseWriter, r *http.Request) {
	var since, until time.Time
	for name, into := range map[string]*time.Time{"startTime": &since, "endTime": &until} {
		text := r.FormValue(name)
		t, err := time.Parse(time.RFC3339, text)
		if text != "" && err != nil {
			googleInvalid(name).send(w)
			return
		}
		*into = t
	}
	event := r.FormValue("eventName")
	sendList(g, w, r, googleListing[googleActivity]{
		name: "items", kind: "admin#reports#activities", usual: 1000, most: 1000, fields: googleActivityFields,
		from: func(place int) iter.Seq2[*googleActivity, int] {
			return func(yield func(*googleActivity, int) bool) {
				history := g.Directory.history
				if place == 0 {
					place = len(history) + 1
				}
				// The place of line i is i+2, so that the oldest line's next place isn't zero.
				for i := place - 2; i >= 0; i-- {
					c := history[i]
					if c.at.Before(since) || !until.IsZero() && c.at.After(until) {
						continue
					}
					a := g.activity(i)
					if (event == "" || a.event == event) && !yield(a, i+1) {
						return
					}
				}
			}
		},
	})
}

// activity tells the i-th change in Google's words. The directory's lock is held.
func (g *Google) activity(i int) *googleActivity {
	d := g.Directory
	c := d.history[i]
	a := &googleActivity{n: i, change: c}
	switch c.kind {
	case userChanged:
		now, state := d.user(c.user)
		for _, later := range d.history[i+1:] {
			if later.kind == userChanged && later.user == c.user {
				now, state = later.userBefore, later.life
				break
			}
		}
		a.event = userEvent(c, now, state)
		a.params = []activityParam{{"USER_EMAIL", now.Login}}
	case groupChanged:
		team, _ := d.group(c.group)
		a.event = map[life]string{unborn: "CREATE_GROUP", alive: "CHANGE_GROUP_SETTING", deleted: "CREATE_GROUP"}[c.life]
		if d.groupLife(c.group) != alive && c.life == alive {
			a.event = "DELETE_GROUP"
		}
		a.params = []activityParam{{"GROUP_EMAIL", g.GroupAddress(c.group, team)}}
	case memberChanged:
		in := d.isMember(c.group, c.member)
		for _, later := range d.history[i+1:] {
			if later.kind == memberChanged && later.group == c.group && later.member == c.member {
				in = !in
			}
		}
		a.event = "REMOVE_GROUP_MEMBER"
		if in {
			a.event = "ADD_GROUP_MEMBER"
		}
		team, _ := d.group(c.group)
		a.params = []activityParam{{"USER_EMAIL", g.shownMember(c.member).email}, {"GROUP_EMAIL", g.GroupAddress(c.group, team)}}
	}
	return a
}

// userEvent names what happened to a user, of whom we know how it was after.
func userEvent(c change, after User, state life) string {
	switch {
	case c.life == unborn:
		return "CREATE_USER"
	case c.life == deleted && state == alive:
		return "UNDELETE_USER"
	case state != alive:
		return "DELETE_USER"
	case !c.userBefore.Disabled && after.Disabled:
		return "SUSPEND_USER"
	case c.userBefore.Disabled && !after.Disabled:
		return "UNSUSPEND_USER"
	case c.userBefore.Login != after.Login:
		return "RENAME_USER"
	}
	return "CHANGE_FIRST_NAME"
}
