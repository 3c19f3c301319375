package fakecloud_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// cast gives the address of members of one type, with what such a query needs.
func (v *visitor) cast(g fakecloud.GroupNo, list, kind string) string {
	v.header.Set("ConsistencyLevel", "eventual")
	return "/groups/" + v.cloud.GroupID(g) + "/" + list + "/microsoft.graph." + kind + "?$select=id&$top=2&$count=true"
}

func TestMembersOfAllTypes(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5}, PageLimit: 2})
	var g, inner fakecloud.GroupNo
	cloud.Edit(func(e *fakecloud.Edit) {
		g, inner = e.CreateGroup(fakecloud.Group{Name: "all sorts"}), e.CreateGroup(fakecloud.Group{Name: "inner"})
		for n := range fakecloud.UserNo(3) {
			e.AddUser(g, n)
		}
		e.Nest(g, inner)
		for _, kind := range []fakecloud.MemberKind{fakecloud.Device, fakecloud.ServicePrincipal, fakecloud.Contact} {
			e.Add(g, fakecloud.Member{Kind: kind, N: 7})
		}
		e.RemoveUser(g, 1)
		e.DeleteUser(2)
	})
	v := visit(t, cloud)
	members, _, _ := v.all("/groups/" + cloud.GroupID(g) + "/members?$select=id")
	var types []string
	for _, m := range members {
		types = append(types, strings.TrimPrefix(fmt.Sprint(m["@odata.type"]), "#microsoft.graph."))
	}
	wantSame(t, "types", []string{"user", "group", "device", "servicePrincipal", "orgContact"}, types)
	wantSame(t, "members", memberIDs(cloud, g), ids(members))
	users, _, _ := v.all(v.cast(g, "members", "user"))
	wantSame(t, "users", []string{cloud.UserID(0)}, ids(users))
	groups, _, _ := v.all(v.cast(g, "members", "group"))
	wantSame(t, "groups", []string{cloud.GroupID(inner)}, ids(groups))

	cloud.Edit(func(e *fakecloud.Edit) { e.RestoreUser(2) })
	members, _, _ = v.all("/groups/" + cloud.GroupID(g) + "/members?$select=id,displayName")
	wantSame(t, "members after somebody came back", memberIDs(cloud, g), ids(members))
	if len(members) != 6 || members[0]["displayName"] == nil {
		t.Errorf("want 6 members with names, got %v", members)
	}
}

func TestGroupsInCircles(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 9}, PageLimit: 2})
	cloud.Edit(func(e *fakecloud.Edit) {
		a, b, c := e.CreateGroup(fakecloud.Group{Name: "a"}), e.CreateGroup(fakecloud.Group{Name: "b"}), e.CreateGroup(fakecloud.Group{Name: "c"})
		e.Nest(a, a)
		e.Nest(a, b)
		e.Nest(b, c)
		e.Nest(c, a)
		for n := range fakecloud.UserNo(9) {
			e.AddUser(fakecloud.GroupNo(n/3), n)
		}
		e.AddUser(b, 0)
	})
	v := visit(t, cloud)
	members, _, _ := v.all("/groups/" + cloud.GroupID(0) + "/transitiveMembers?$select=id")
	wantSame(t, "everybody below", append(userIDs(cloud), cloud.GroupID(1), cloud.GroupID(2)), ids(members))
	users, _, _ := v.all(v.cast(0, "transitiveMembers", "user"))
	wantSame(t, "users below", userIDs(cloud), ids(users))
	direct, _, _ := v.all("/users/" + cloud.UserID(0) + "/memberOf?$select=id")
	wantSame(t, "groups of a user", []string{cloud.GroupID(0), cloud.GroupID(1)}, ids(direct))
	all, _, _ := v.all("/users/" + cloud.UserID(8) + "/transitiveMemberOf?$select=id")
	wantSame(t, "groups above a user", groupIDs(cloud), ids(all))
}

func TestTransitiveMembersOfGeneratedGroups(t *testing.T) {
	t.Parallel()
	gen := fakecloud.Typical(300, 40)
	gen.NestedPct = 60
	gen.AvgMembers = 6
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: gen})
	v := visit(t, cloud)
	for n := range cloud.Directory.Groups() {
		want := map[string]bool{}
		var below func(g fakecloud.GroupNo)
		below = func(g fakecloud.GroupNo) {
			for m := range cloud.Directory.Members(g) {
				if id := cloud.MemberID(m); !want[id] {
					want[id] = true
					if m.Kind == fakecloud.GroupMember {
						below(fakecloud.GroupNo(m.N))
					}
				}
			}
		}
		below(n)
		var expected []string
		for id := range want {
			expected = append(expected, id)
		}
		members, _, _ := v.all("/groups/" + cloud.GroupID(n) + "/transitiveMembers?$select=id&$top=7")
		wantSame(t, fmt.Sprintf("group %d", n), expected, ids(members))
	}
}

func TestHiddenMembers(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5}})
	cloud.Edit(func(e *fakecloud.Edit) {
		e.AddUser(e.CreateGroup(fakecloud.Group{Name: "secret", Hidden: true, Kind: fakecloud.Unified}), 0)
	})
	v := visit(t, cloud)
	path := "/groups/" + cloud.GroupID(0) + "/members?$select=id"
	if r := v.get(path); r.status != http.StatusForbidden || !strings.Contains(r.body, "Authorization_RequestDenied") {
		t.Errorf("want 403, got %d %s", r.status, r.body)
	}
	if told := v.page(groupsDelta).Value; len(told) != 1 || told[0]["members@delta"] != nil {
		t.Errorf("want a group without members, got %v", told)
	}
	if r := v.get(v.cast(0, "members", "group")); r.status != http.StatusForbidden {
		t.Errorf("want 403, got %d %s", r.status, r.body)
	}
	in := "/users/" + cloud.UserID(0) + "/memberOf?$select=id"
	if groups := v.page(in).Value; len(groups) != 0 {
		t.Errorf("want the group left out, got %v", groups)
	}
	cloud.Set(func(c *fakecloud.EntraConfig) { c.Permissions = append(c.Permissions, fakecloud.MemberReadHidden) })
	v.renew()
	if groups := v.page(in).Value; len(groups) != 1 {
		t.Errorf("want the group, got %v", groups)
	}
	if members := v.page(path).Value; len(members) != 1 {
		t.Errorf("want the member, got %v", members)
	}
	// A group of Microsoft 365 can't contain groups, and Graph refuses the question.
	if r := v.get(v.cast(0, "members", "group")); r.status != http.StatusBadRequest || !strings.Contains(r.body, "Request_UnsupportedQuery") {
		t.Errorf("want 400, got %d %s", r.status, r.body)
	}
}

// Graph doesn't refuse users to a client that may read groups only: it leaves everything null.
func TestUsersWithoutPermissionAreNull(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5, Groups: 1}, Permissions: []string{fakecloud.GroupMemberReadAll}})
	v := visit(t, cloud)
	for _, path := range []string{"/users?$select=id,userPrincipalName,accountEnabled", "/groups/" + cloud.GroupID(0) + "/members?$select=id,userPrincipalName,accountEnabled"} {
		for _, u := range v.page(path).Value {
			if u["id"] == nil || u["userPrincipalName"] != nil || u["accountEnabled"] != nil {
				t.Errorf("%s: want an id and nothing else, got %v", path, u)
			}
		}
	}
	if r := v.get("/users/delta?$select=id"); r.status != http.StatusForbidden {
		t.Errorf("want 403 for the delta query, got %d", r.status)
	}
	cloud.Set(func(c *fakecloud.EntraConfig) { c.Permissions = []string{fakecloud.UserReadBasicAll} })
	v.renew()
	for _, u := range v.page("/users?$select=id,userPrincipalName,accountEnabled").Value {
		if u["id"] == nil || u["userPrincipalName"] == nil || u["accountEnabled"] != nil {
			t.Errorf("want a name, and not whether it is enabled, got %v", u)
		}
	}
	cloud.Set(func(c *fakecloud.EntraConfig) { c.Permissions = []string{} })
	v.renew()
	if r := v.get("/users?$select=id"); r.status != http.StatusForbidden {
		t.Errorf("want 403 without any permission, got %d", r.status)
	}
}

func TestPeopleThatAreUnusual(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{})
	cloud.Edit(func(e *fakecloud.Edit) {
		e.CreateUser(fakecloud.User{Login: "anna@fabrikam.example", Guest: true, External: true, Pending: true, Mail: "anna@fabrikam.example"})
		e.CreateUser(fakecloud.User{Login: "o'brien", Given: "Pat", Surname: "O'Brien", Untyped: true, Disabled: true, OnPremName: "obrien",
			Attributes: map[string]string{"extension_x_badge": "7", "extensionAttribute3": "blue"}})
	})
	v := visit(t, cloud)
	const fields = "userPrincipalName,displayName,givenName,mail,userType,externalUserState,accountEnabled,onPremisesSamAccountName,onPremisesImmutableId,extension_x_badge,onPremisesExtensionAttributes"
	guest, local := v.page("/users?$select=" + fields).Value[0], v.page("/users?$select=" + fields).Value[1]
	for _, c := range []struct {
		user map[string]any
		key  string
		want any
	}{
		{guest, "userPrincipalName", "anna_fabrikam.example#EXT#@contoso.onmicrosoft.com"},
		{guest, "userType", "Guest"},
		{guest, "externalUserState", "PendingAcceptance"},
		{guest, "givenName", nil},
		{guest, "extension_x_badge", nil},
		{local, "userPrincipalName", "o'brien@contoso.example"},
		{local, "displayName", "Pat O'Brien"},
		{local, "mail", nil},
		{local, "userType", nil},
		{local, "accountEnabled", false},
		{local, "onPremisesSamAccountName", "obrien"},
		{local, "extension_x_badge", "7"},
	} {
		if c.user[c.key] != c.want {
			t.Errorf("want %s %v, got %v", c.key, c.want, c.user[c.key])
		}
	}
	if more := local["onPremisesExtensionAttributes"].(map[string]any); more["extensionAttribute3"] != "blue" || more["extensionAttribute1"] != nil {
		t.Errorf("want an extension attribute, got %v", more)
	}
	for n, name := range []string{"Anna_fabrikam.example#EXT#@contoso.onmicrosoft.com", "O'BRIEN@contoso.example"} {
		var u map[string]any
		if r := v.get("/users/" + url.PathEscape(name) + "?$select=id"); json.Unmarshal([]byte(r.body), &u) != nil || u["id"] != cloud.UserID(fakecloud.UserNo(n)) {
			t.Errorf("%s isn't found: %d %s", name, r.status, r.body)
		}
	}
}

func TestFiltersAndCounts(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 40, GuestPct: 30, DisabledPct: 30, Seed: 3}})
	cloud.Edit(func(e *fakecloud.Edit) {
		for _, name := range []string{"jira-users", "jira-admins", "it's", "it's"} {
			e.CreateGroup(fakecloud.Group{Name: name})
		}
	})
	v := visit(t, cloud)
	v.header.Set("ConsistencyLevel", "eventual")
	var guests, enabled int
	for _, u := range cloud.Directory.Users() {
		if u.Guest {
			guests++
		}
		if !u.Disabled && !u.Guest {
			enabled++
		}
	}
	if guests == 0 || enabled == 0 {
		t.Fatal("there is nothing to filter")
	}
	for _, c := range []struct {
		list, filter string
		want         int
	}{
		{"users", "userType eq 'Guest'", guests},
		{"users", "userType ne 'Guest'", 40 - guests},
		{"users", "accountEnabled eq true and userType eq 'Member'", enabled},
		{"users", "id eq '" + cloud.UserID(3) + "' or id eq '" + cloud.UserID(4) + "'", 2},
		{"groups", "startswith(displayName,'JIRA-')", 2},
		{"groups", "not startswith(displayName,'jira-')", 2},
		{"groups", "endswith(displayName,'admins')", 1},
		{"groups", "displayName eq 'it''s'", 2},
	} {
		p := v.page("/" + c.list + "?$count=true&$select=id&$filter=" + url.QueryEscape(c.filter))
		if len(p.Value) != c.want || p.Count != c.want {
			t.Errorf("%s: want %d, got %d, counted %d", c.filter, c.want, len(p.Value), p.Count)
		}
	}
	if p := v.page("/groups?$count=true&$select=id&$search=" + url.QueryEscape(`"displayName:jira"`)); len(p.Value) != 2 {
		t.Errorf("want 2 groups found, got %d", len(p.Value))
	}
	for list, want := range map[string]string{"users": "40", "groups": "4"} {
		if r := v.get("/" + list + "/$count"); r.body != want || !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain") {
			t.Errorf("want %s %s, got %s", want, list, r.body)
		}
	}
}

func TestRestOfTheTenant(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 5, Groups: 3}})
	cloud.Edit(func(e *fakecloud.Edit) {
		e.DeleteUser(1)
		e.DeleteUser(3)
		e.PurgeUser(3)
		e.DeleteGroup(2)
	})
	v := visit(t, cloud)
	gone, _, _ := v.all("/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime")
	wantSame(t, "deleted users", []string{cloud.UserID(1)}, ids(gone))
	if len(gone) == 1 && gone[0]["deletedDateTime"] == nil {
		t.Error("a deleted user has no day of deletion")
	}
	groups, _, _ := v.all("/directory/deletedItems/microsoft.graph.group?$select=id")
	wantSame(t, "deleted groups", []string{cloud.GroupID(2)}, ids(groups))
	if org := v.page("/organization?$select=id,displayName").Value; len(org) != 1 || len(org[0]) != 2 || org[0]["id"] != cloud.Tenant {
		t.Errorf("want the tenant, got %v", org)
	}
	for _, path := range []string{"/applications(appId='" + cloud.ClientID + "')?$select=passwordCredentials", "/applications?$filter=appId%20eq%20'" + cloud.ClientID + "'"} {
		if r := v.get(path); r.status != http.StatusForbidden {
			t.Errorf("%s: want 403, got %d", path, r.status)
		}
		cloud.Set(func(c *fakecloud.EntraConfig) { c.Permissions = append(c.Permissions, fakecloud.ApplicationReadAll) })
		v.renew()
		if r := v.get(path); r.status != http.StatusOK || !strings.Contains(r.body, `"endDateTime":"`) || strings.Contains(r.body, cloud.Secret) {
			t.Errorf("%s: want the day on which the secret ends, got %d %s", path, r.status, r.body)
		}
		cloud.Set(func(c *fakecloud.EntraConfig) { c.Permissions = nil })
		v.renew()
	}
	some, err := v.do(http.MethodPost, "/directoryObjects/getByIds?$select=id", fmt.Sprintf(`{"ids":[%q,%q,%q,"11111111-1111-4111-8111-111111111111"],"types":["user"]}`,
		cloud.UserID(0), cloud.UserID(1), cloud.GroupID(0)))
	if err != nil || strings.Count(some.body, `"id"`) != 1 || !strings.Contains(some.body, cloud.UserID(0)) {
		t.Errorf("want one user, got %v %s", err, some.body)
	}
}

func TestEverydayChangesAreTold(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{Gen: fakecloud.Typical(50, 10)})
	v := visit(t, cloud)
	_, users, _ := v.all("/users/delta?$select=id,displayName,accountEnabled")
	_, groups, _ := v.all(groupsDelta)
	for range 40 {
		if did := cloud.Everyday(); did == "" {
			t.Error("it doesn't say what it did")
		}
	}
	changed, _, _ := v.all(users)
	moved, _, _ := v.all(groups)
	if len(changed) < 20 || len(moved) < 5 {
		t.Errorf("want many changes, got %d users and %d groups", len(changed), len(moved))
	}
	empty := startEntra(t, fakecloud.EntraConfig{})
	for range 8 {
		empty.Everyday() // also where nobody is yet
	}
	if len(userIDs(empty)) == 0 {
		t.Error("nobody began")
	}
}
