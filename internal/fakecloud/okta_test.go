package fakecloud_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// noon is when tests of the fake Okta begin, by their own clock.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// An oktaVisitor is a client of Okta as simple as can be.
type oktaVisitor struct {
	t             *testing.T
	cloud         *fakecloud.Okta
	clock         *fakecloud.Clock
	authorization string
	lean          bool
}

// visitOkta starts an org and gives a visitor with the API token; the test fails when somebody
// does there what he may not.
func visitOkta(t *testing.T, c fakecloud.OktaConfig) *oktaVisitor {
	t.Helper()
	v := visitOktaUnchecked(t, c)
	t.Cleanup(func() {
		for _, violation := range v.cloud.Violations() {
			t.Error(violation)
		}
	})
	return v
}

func visitOktaUnchecked(t *testing.T, c fakecloud.OktaConfig) *oktaVisitor {
	t.Helper()
	clock := fakecloud.NewClock(noon)
	c.Now = clock.Now
	cloud := fakecloud.NewOkta(c)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	return &oktaVisitor{t: t, cloud: cloud, clock: clock, authorization: "SSWS " + cloud.Token}
}

func (v *oktaVisitor) get(address string) response {
	v.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = v.cloud.URL + address
	}
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	if v.authorization != "" {
		request.Header.Set("Authorization", v.authorization)
	}
	if v.lean {
		request.Header.Set("Content-Type", "application/json; okta-response=omitCredentials,omitCredentialsLinks")
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response{answer.StatusCode, answer.Header, string(body)}
}

// page gets one page of a list, and the link to the next one.
func (v *oktaVisitor) page(address string) (objects []map[string]any, next string) {
	v.t.Helper()
	r := v.get(address)
	if err := json.Unmarshal([]byte(r.body), &objects); err != nil || r.status != http.StatusOK {
		v.t.Fatalf("GET %s: %d %s (%v)", address, r.status, r.body, err)
	}
	for _, line := range r.header.Values("Link") {
		if link, isNext := strings.CutSuffix(line, `>; rel="next"`); isNext {
			next = strings.TrimPrefix(link, "<")
		}
	}
	return objects, next
}

func (v *oktaVisitor) all(address string) (objects []map[string]any) {
	v.t.Helper()
	for n := 0; address != ""; n++ {
		var page []map[string]any
		page, address = v.page(address)
		objects = append(objects, page...)
		if n > 1000 {
			v.t.Fatal("the list doesn't end")
		}
	}
	return objects
}

// events gives the types of the events of a part of the log, and the link that goes on.
func (v *oktaVisitor) events(address string) (types []string, next string) {
	v.t.Helper()
	objects, next := v.page(address)
	for _, o := range objects {
		types = append(types, fmt.Sprint(o["eventType"]))
	}
	return types, next
}

func with(name, value string) string { return name + "=" + url.QueryEscape(value) }

func TestOktaListsHaveEverything(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 6, 7, 8, 21, 500} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Typical(n, n/7), PageLimit: 7})
			var users, groups []string
			for n := range v.cloud.Directory.Users() {
				users = append(users, v.cloud.UserID(n))
			}
			wantSame(t, "users", users, ids(v.all("/api/v1/users?limit=200")))
			for n := range v.cloud.Directory.Groups() {
				groups = append(groups, v.cloud.GroupID(n))
				var members []string
				for m := range v.cloud.Directory.Members(n) {
					members = append(members, v.cloud.MemberID(m))
				}
				wantSame(t, fmt.Sprintf("members of group %d", n), members, ids(v.all("/api/v1/groups/"+v.cloud.GroupID(n)+"/users?limit=200")))
			}
			wantSame(t, "groups", groups, ids(v.all("/api/v1/groups?limit=200")))
		})
	}
}

func TestOktaSendsEachLinkInALineOfItsOwn(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 250}})
	lines := v.get("/api/v1/users").header.Values("Link")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], `>; rel="self"`) || !strings.HasSuffix(lines[1], `>; rel="next"`) {
		t.Errorf("want two lines, got %q", lines)
	}
	_, next := v.page("/api/v1/users")
	if lines := v.get(next).header.Values("Link"); len(lines) != 1 {
		t.Errorf("the last page has %q", lines)
	}
}

func TestOktaWritesUsersAndGroups(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Seed: 3}})
	var ada fakecloud.UserNo
	var devs fakecloud.GroupNo
	v.cloud.Edit(func(e *fakecloud.Edit) {
		ada = e.CreateUser(fakecloud.User{Login: "ada", Given: "Ada", Attributes: map[string]string{"site": "Kent"}})
		devs = e.CreateGroup(fakecloud.Group{Name: "devs"})
		e.AddUser(devs, ada)
	})
	v.lean = true
	want := `{"id":"` + v.cloud.UserID(ada) + `","status":"ACTIVE","created":"2026-03-02T12:00:00.000Z","statusChanged":"2026-03-02T12:00:00.000Z",` +
		`"lastLogin":null,"lastUpdated":"2026-03-02T12:00:00.000Z","type":{"id":"otyfakefakefakefake0"},` +
		`"profile":{"login":"ada@contoso.example","email":null,"firstName":"Ada","lastName":null,"displayName":"Ada","site":"Kent"}}`
	for _, id := range []string{v.cloud.UserID(ada), "ada@contoso.example"} {
		if diff := cmp.Diff(want, v.get("/api/v1/users/"+id).body); diff != "" {
			t.Error(diff)
		}
	}
	want = `[{"id":"` + v.cloud.GroupID(devs) + `","created":"2026-03-02T12:00:00.000Z","lastUpdated":"2026-03-02T12:00:00.000Z",` +
		`"lastMembershipUpdated":"2026-03-02T12:00:00.000Z","objectClass":["okta:user_group"],"type":"OKTA_GROUP",` +
		`"profile":{"name":"devs","description":null},"_links":{"users":{"href":"` + v.cloud.URL + `/api/v1/groups/` + v.cloud.GroupID(devs) + `/users"}}}]`
	for _, list := range []string{"/api/v1/groups", "/api/v1/users/" + v.cloud.UserID(ada) + "/groups"} {
		if diff := cmp.Diff(want, v.get(list).body); diff != "" {
			t.Error(diff)
		}
	}
}

func TestOktaLeavesTheDeactivatedOutOfPlainListsOnly(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 3}})
	gone, purged := v.cloud.UserID(0), v.cloud.UserID(1)
	var devs fakecloud.GroupNo
	v.cloud.Edit(func(e *fakecloud.Edit) {
		devs = e.CreateGroup(fakecloud.Group{Name: "devs"})
		e.AddUser(devs, 0)
		e.AddUser(devs, 1)
		e.DeleteUser(0)
		e.PurgeUser(1)
		e.UpdateUser(2, func(u *fakecloud.User) { u.Disabled = true })
	})
	wantSame(t, "the plain list", []string{v.cloud.UserID(2)}, ids(v.all("/api/v1/users")))
	wantSame(t, "a filter", []string{gone}, ids(v.all("/api/v1/users?"+with("filter", `status eq "DEPROVISIONED"`))))
	wantSame(t, "a search", []string{gone, v.cloud.UserID(2)}, ids(v.all("/api/v1/users?"+with("search", `lastUpdated gt "2026-03-01T00:00:00.000Z"`))))
	wantSame(t, "the group", []string{gone}, ids(v.all("/api/v1/groups/"+v.cloud.GroupID(devs)+"/users")))
	if r := v.get("/api/v1/users/" + purged); r.status != 404 || !strings.Contains(r.body, "E0000007") {
		t.Errorf("who was deleted is answered %d %s", r.status, r.body)
	}
	if r := v.get("/api/v1/users/" + v.cloud.UserID(2)); !strings.Contains(r.body, `"SUSPENDED"`) {
		t.Errorf("who was disabled is %s", r.body)
	}
}

func TestOktaFindsUsersByFilterAndSearch(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 300}})
	five, _ := v.cloud.Directory.User(5)
	v.cloud.Edit(func(e *fakecloud.Edit) {
		e.UpdateUser(7, func(u *fakecloud.User) {
			u.Mail, u.Attributes = `odd"one@contoso.example`, map[string]string{"status": "LOCKED_OUT"}
		})
	})
	for _, c := range []struct {
		name, expression string
		want             []string
	}{
		{"filter", `id eq "` + v.cloud.UserID(4) + `"`, []string{v.cloud.UserID(4)}},
		{"filter", `profile.login eq "` + strings.ToUpper(five.Login) + `"`, []string{v.cloud.UserID(5)}},
		{"filter", `profile.email eq "odd\"one@contoso.example" or id eq "` + v.cloud.UserID(5) + `"`, []string{v.cloud.UserID(5), v.cloud.UserID(7)}},
		{"filter", `profile.login eq "nobody" or profile.email eq "nobody"`, nil},
		{"filter", `status eq "LOCKED_OUT"`, []string{v.cloud.UserID(7)}},
		{"search", `(status eq "locked_out" or status eq "RECOVERY") and lastUpdated ge "2026-03-02T12:00:00Z"`, []string{v.cloud.UserID(7)}},
		{"search", `profile.login sw "` + five.Login + `"`, []string{v.cloud.UserID(5)}},
		{"search", `lastUpdated gt "2026-03-02T12:00:00.000Z"`, nil},
	} {
		wantSame(t, c.expression, c.want, ids(v.all("/api/v1/users?"+with(c.name, c.expression))))
	}
	for _, wrong := range []string{
		with("filter", `status ne "ACTIVE"`), with("filter", `profile.department eq "eng"`), with("search", `status ne "ACTIVE"`),
		with("search", `status eq ACTIVE`), with("search", `(status eq "ACTIVE"`), with("search", `lastUpdated gt "yesterday"`), with("filter", `profile.login sw "a"`),
	} {
		if r := v.get("/api/v1/users?" + wrong); r.status != 400 || !strings.Contains(r.body, "E0000031") {
			t.Errorf("%s is answered %d %s", wrong, r.status, r.body)
		}
	}
}

func TestOktaSearchLagsBehind(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 2}, SearchLag: time.Minute})
	v.cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(0, func(u *fakecloud.User) { u.Given = "First" }) })
	v.clock.Advance(2 * time.Minute)
	v.cloud.Edit(func(e *fakecloud.Edit) {
		e.UpdateUser(0, func(u *fakecloud.User) { u.Given = "Second" })
		e.CreateUser(fakecloud.User{Login: "new"})
	})
	given := func(address string) string {
		var all []string
		for _, o := range v.all(address) {
			profile, _ := o["profile"].(map[string]any)
			all = append(all, fmt.Sprint(profile["firstName"]))
		}
		return strings.Join(all, " ")
	}
	search := "/api/v1/users?" + with("search", `lastUpdated ge "2026-03-02T12:00:00.000Z"`)
	if got := given(search); got != "First" {
		t.Errorf("the search still finds First, got %q", got)
	}
	if r := v.get("/api/v1/users/" + v.cloud.UserID(0)); !strings.Contains(r.body, "Second") {
		t.Errorf("a single user is told at once, got %s", r.body)
	}
	v.clock.Advance(time.Minute)
	if got := given(search); got != "Second <nil>" {
		t.Errorf("the search knows it by now, got %q", got)
	}
}

func TestOktaSearchEnds(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 500}, SearchMost: 300})
	first, next := v.page("/api/v1/users?" + with("search", `status eq "ACTIVE"`))
	second, beyond := v.page(next)
	if len(first)+len(second) != 300 || beyond == "" {
		t.Errorf("want 300 users and a link, got %d, %d and %q", len(first), len(second), beyond)
	}
	if r := v.get(beyond); r.status != 400 || !strings.Contains(r.body, "E0000031") {
		t.Errorf("beyond them is answered %d %s", r.status, r.body)
	}
	if all := v.all("/api/v1/users"); len(all) != 500 {
		t.Errorf("the plain list has %d", len(all))
	}
}

func TestOktaRepeatsUsersOverPages(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 20}, PageLimit: 8, Repeats: true})
	all := ids(v.all("/api/v1/users"))
	if len(all) != 22 || all[7] != all[8] || len(slices.Compact(slices.Sorted(slices.Values(all)))) != 20 {
		t.Errorf("got %v", all)
	}
}

func TestOktaHasEmptyPagesInBetween(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 20}, PageLimit: 8, Gaps: true})
	var sizes []int
	for next := "/api/v1/users"; next != ""; {
		var page []map[string]any
		page, next = v.page(next)
		sizes = append(sizes, len(page))
	}
	if diff := cmp.Diff([]int{8, 0, 8, 0, 4}, sizes); diff != "" {
		t.Error(diff)
	}
}

func TestOktaGroupsThatChanged(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 30, Groups: 5, AvgMembers: 20, Everyone: true, UnifiedPct: 40}})
	kinds := map[any]int{}
	for _, g := range v.all("/api/v1/groups") {
		kinds[g["type"]]++
	}
	if kinds["BUILT_IN"] != 1 || kinds["APP_GROUP"] == 0 || kinds["OKTA_GROUP"] == 0 {
		t.Errorf("the types are %v", kinds)
	}
	since := `"2026-03-02T12:00:00.000Z"`
	v.clock.Advance(time.Second)
	leaver := firstMember(v.cloud, 2)
	v.cloud.Edit(func(e *fakecloud.Edit) {
		e.UpdateGroup(1, func(g *fakecloud.Group) { g.Description = "other" })
		e.RemoveUser(2, leaver)
		e.DeleteGroup(3)
	})
	for filter, want := range map[string][]string{
		`lastUpdated gt ` + since:                                           {v.cloud.GroupID(1)},
		`lastMembershipUpdated gt ` + since:                                 {v.cloud.GroupID(2)},
		`lastUpdated gt ` + since + ` or lastMembershipUpdated gt ` + since: {v.cloud.GroupID(1), v.cloud.GroupID(2)},
		`type eq "BUILT_IN"`:                                                {v.cloud.GroupID(0)},
	} {
		wantSame(t, filter, want, ids(v.all("/api/v1/groups?"+with("filter", filter))))
	}
	if r := v.get("/api/v1/groups/" + v.cloud.GroupID(3) + "/users"); r.status != 404 || !strings.Contains(r.body, "(UserGroup)") {
		t.Errorf("a deleted group is answered %d %s", r.status, r.body)
	}
}

func firstMember(cloud *fakecloud.Okta, g fakecloud.GroupNo) fakecloud.UserNo {
	for m := range cloud.Directory.Members(g) {
		return fakecloud.UserNo(m.N)
	}
	panic("nobody is in it")
}

func TestOktaTellsItsRates(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 2}, RateLimit: 3, ClockAhead: 10 * time.Minute})
	for want := 2; want >= 0; want-- {
		r := v.get("/api/v1/users")
		if r.header.Get("X-Rate-Limit-Limit") != "3" || r.header.Get("X-Rate-Limit-Remaining") != strconv.Itoa(want) {
			t.Errorf("want %d left of 3, got %v", want, r.header)
		}
		v.clock.Advance(time.Second)
	}
	if r := v.get("/api/v1/groups"); r.header.Get("X-Rate-Limit-Remaining") != "2" {
		t.Errorf("another bucket is its own, got %v", r.header)
	}
	v.clock.Advance(57 * time.Second)
	if r := v.get("/api/v1/users"); r.status != 200 {
		t.Errorf("after a minute the bucket is full, got %d", r.status)
	}
	v.cloud.Fail(fakecloud.Fault{Do: fakecloud.Throttle, RetryAfter: 20 * time.Second})
	r := v.get("/api/v1/users")
	date, err := http.ParseTime(r.header.Get("Date"))
	reset, _ := strconv.ParseInt(r.header.Get("X-Rate-Limit-Reset"), 10, 64)
	if err != nil || r.status != 429 || time.Unix(reset, 0).Sub(date) != 20*time.Second || !strings.Contains(r.body, "E0000047") || r.header.Get("Retry-After") != "" {
		t.Errorf("a throttled request is answered %d %v %s", r.status, r.header, r.body)
	}
	if ahead := date.Sub(v.clock.Now()); ahead != 10*time.Minute {
		t.Errorf("its clock is %v ahead", ahead)
	}
	v.cloud.Fail(fakecloud.Fault{Do: fakecloud.Throttle})
	if r := v.get("/api/v1/org"); r.status != 429 || r.header.Get("X-Rate-Limit-Limit") != "0" {
		t.Errorf("a crowd is answered %d %v", r.status, r.header)
	}
}

func TestOktaTakesSoManyAtOnce(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 2000}, AtOnce: 1})
	var refused atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				r := v.get("/api/v1/users?" + with("search", `profile.login co "nobody"`)) // looks at everybody
				if r.status == 429 && r.header.Get("X-Rate-Limit-Limit") == "0" && r.header.Get("X-Rate-Limit-Remaining") == "0" {
					refused.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := refused.Load(); n == 0 || n == 160 {
		t.Errorf("of 160 requests, eight at a time, %d were refused", n)
	}
}

func TestOktaLogIsPolled(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 3}, LogLag: time.Second})
	link := "/api/v1/logs?limit=2&sortOrder=ASCENDING&" + with("since", "2026-03-02T12:00:00Z")
	types, next := v.events(link)
	if len(types) != 0 || next == "" {
		t.Fatalf("nothing happened, got %v and %q", types, next)
	}
	if _, again := v.events(next); again != next {
		t.Errorf("nothing happened, and the link moved on to %q", again)
	}
	v.cloud.Edit(func(e *fakecloud.Edit) {
		g := e.CreateGroup(fakecloud.Group{Name: "new"})
		e.AddUser(g, 0)
		e.RemoveUser(g, 0)
		e.UpdateUser(0, func(u *fakecloud.User) { u.Surname = "Other" })
		e.UpdateUser(0, func(u *fakecloud.User) { u.Disabled = true })
		e.UpdateUser(0, func(u *fakecloud.User) { u.Disabled = false })
		e.DeleteUser(1)
		e.RestoreUser(1)
		e.CreateUser(fakecloud.User{Login: "new"})
		e.UpdateGroup(g, func(g *fakecloud.Group) { g.Name = "other" })
		e.DeleteGroup(g)
		e.PurgeUser(2)
	})
	if types, _ := v.events(next); len(types) != 0 {
		t.Errorf("the log is behind, and shows %v", types)
	}
	v.clock.Advance(2 * time.Second)
	var got []string
	for {
		types, after := v.events(next)
		if len(types) == 0 {
			break
		}
		got, next = append(got, types...), after
	}
	want := []string{
		"group.lifecycle.create", "group.user_membership.add", "group.user_membership.remove", "user.account.update_profile",
		"user.lifecycle.suspend", "user.lifecycle.unsuspend", "user.lifecycle.deactivate", "user.lifecycle.reactivate",
		"user.lifecycle.create", "group.profile.update", "group.lifecycle.delete", "user.lifecycle.deactivate", "user.lifecycle.delete.completed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	filtered, _ := v.events("/api/v1/logs?limit=1000&" + with("since", "2026-03-02T12:00:00Z") + "&" + with("filter", `eventType sw "group.lifecycle." or eventType eq "user.lifecycle.create"`))
	if diff := cmp.Diff([]string{"group.lifecycle.create", "user.lifecycle.create", "group.lifecycle.delete"}, filtered); diff != "" {
		t.Error(diff)
	}
	bounded := "/api/v1/logs?limit=1000&" + with("since", "2026-03-02T12:00:00Z") + "&" + with("until", "2026-03-02T12:00:01Z")
	if all, end := v.events(bounded); len(all) != len(want) || end != "" {
		t.Errorf("a bounded request has %d events and goes on at %q", len(all), end)
	}
}

func TestOktaLogGoesBackNinetyDays(t *testing.T) {
	t.Parallel()
	v := visitOkta(t, fakecloud.OktaConfig{Gen: fakecloud.Gen{Users: 3}})
	v.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(0) })
	v.clock.Advance(100 * 24 * time.Hour)
	if types, _ := v.events("/api/v1/logs?" + with("since", "2026-03-01T00:00:00Z")); len(types) != 0 {
		t.Errorf("it has %v", types)
	}
	v.clock.Advance(100 * 24 * time.Hour)
	if r := v.get("/api/v1/logs?" + with("since", "2026-03-01T00:00:00Z")); r.status != 400 {
		t.Errorf("want 400, got %d", r.status)
	}
}
