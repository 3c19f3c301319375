package fakecloud_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// A workspaceClient is a client of Google as simple as can be.
type workspaceClient struct {
	t     *testing.T
	cloud *fakecloud.Google
	file  credentialsFile
	key   *rsa.PrivateKey
	token string
}

type credentialsFile struct {
	Key     string `json:"private_key"`
	KeyID   string `json:"private_key_id"`
	Email   string `json:"client_email"`
	TokenAt string `json:"token_uri"`
}

type claims map[string]any

func startGoogle(t *testing.T, c fakecloud.GoogleConfig) (*fakecloud.Google, *workspaceClient) {
	t.Helper()
	cloud := fakecloud.NewGoogle(c)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	v := &workspaceClient{t: t, cloud: cloud}
	if err := json.Unmarshal(cloud.Credentials(), &v.file); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(v.file.Key))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	v.key = key.(*rsa.PrivateKey)
	return cloud, v
}

// visitGoogle starts a cloud and gives a client who has a token.
func visitGoogle(t *testing.T, c fakecloud.GoogleConfig) (*fakecloud.Google, *workspaceClient) {
	t.Helper()
	cloud, v := startGoogle(t, c)
	if status, said := v.ask(nil); status != http.StatusOK {
		t.Fatalf("no token: %d %v", status, said)
	}
	return cloud, v
}

// ask asks for a token, with some claims in place of the right ones.
func (v *workspaceClient) ask(instead claims) (int, map[string]any) {
	v.t.Helper()
	now := time.Now().Unix()
	all := claims{"iss": v.file.Email, "sub": v.cloud.Subject(), "aud": v.file.TokenAt, "iat": now, "exp": now + 3600,
		"scope": fakecloud.GoogleUsersScope + " " + fakecloud.GoogleGroupsScope}
	for name, value := range instead {
		all[name] = value
	}
	status, said := v.post(v.sign(v.key, all))
	if token, ok := said["access_token"].(string); ok {
		v.token = token
	}
	return status, said
}

func (v *workspaceClient) sign(key *rsa.PrivateKey, all claims) string {
	part := func(value any) string {
		data, err := json.Marshal(value)
		if err != nil {
			v.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	signed := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": v.file.KeyID}) + "." + part(all)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		v.t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (v *workspaceClient) post(assertion string) (int, map[string]any) {
	v.t.Helper()
	answer, err := http.PostForm(v.file.TokenAt, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}})
	if err != nil {
		v.t.Fatal(err)
	}
	return v.read(answer)
}

// get asks for something below admin/directory/v1.
func (v *workspaceClient) get(path string, header ...string) (int, map[string]any) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.cloud.URL+"/admin/directory/v1/"+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.read(answer)
}

func (v *workspaceClient) read(answer *http.Response) (int, map[string]any) {
	v.t.Helper()
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	said := map[string]any{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &said); err != nil {
			v.t.Fatalf("%s: %v", data, err)
		}
	}
	if tag := answer.Header.Get("ETag"); tag != "" {
		said["ETag"] = tag
	}
	return answer.StatusCode, said
}

// all reads a list to its end, as it should be read.
func (v *workspaceClient) all(path, name string) (items []map[string]any, pages int) {
	v.t.Helper()
	next := ""
	for {
		status, said := v.get(path + "&pageToken=" + url.QueryEscape(next))
		if status != http.StatusOK {
			v.t.Fatalf("%s: %d %v", path, status, said)
		}
		list, _ := said[name].([]any)
		for _, item := range list {
			items = append(items, item.(map[string]any))
		}
		pages++
		if next, _ = said["nextPageToken"].(string); next == "" {
			return items, pages
		}
	}
}

func reason(said map[string]any) string {
	problem, _ := said["error"].(map[string]any)
	list, _ := problem["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	return list[0].(map[string]any)["reason"].(string)
}

const everyUser = "users?customer=my_customer"

func TestGoogleListsEverybodyOnce(t *testing.T) {
	t.Parallel()
	cloud, v := visitGoogle(t, fakecloud.GoogleConfig{Gen: fakecloud.Typical(1201, 430)})
	ids := map[string]bool{}
	users, pages := v.all(everyUser+"&maxResults=5000&orderBy=email", "users")
	for _, u := range users {
		ids[u["id"].(string)] = true
	}
	if len(users) != 1201 || len(ids) != 1201 || pages != 3 {
		t.Errorf("want 1201 users on 3 pages of at most 500, got %d users, %d ids, %d pages", len(users), len(ids), pages)
	}
	if groups, pages := v.all("groups?customer=my_customer&maxResults=1000", "groups"); len(groups) != 430 || pages != 3 {
		t.Errorf("want 430 groups on 3 pages of at most 200, got %d on %d", len(groups), pages)
	}
	if _, pages := v.all(everyUser, "users"); pages != 13 {
		t.Errorf("want 13 pages of 100 without maxResults, got %d", pages)
	}
	first := users[0]
	for n, u := range cloud.Directory.Users() {
		if n == 0 && (first["id"] != cloud.UserID(0) || first["primaryEmail"] != u.Login || len(cloud.UserID(0)) != 21) {
			t.Errorf("the first user is %v, got %v", u, first)
		}
	}
	for n := range fakecloud.GroupNo(430) {
		want := []string{}
		for m := range cloud.Directory.Members(n) {
			want = append(want, cloud.MemberID(m))
		}
		got := []string{}
		members, _ := v.all("groups/"+cloud.GroupID(n)+"/members?fields=nextPageToken,members/id", "members")
		for _, m := range members {
			got = append(got, m["id"].(string))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("group %d: %s", n, diff)
		}
	}
	for _, violation := range cloud.Violations() {
		t.Error(violation)
	}
}

func TestGoogleTellsWhatAMaskNames(t *testing.T) {
	t.Parallel()
	cloud, v := visitGoogle(t, fakecloud.GoogleConfig{})
	var devs fakecloud.GroupNo
	cloud.Edit(func(e *fakecloud.Edit) {
		ada := e.CreateUser(fakecloud.User{Login: "ada", Given: "Ada", Surname: "Lovelace", EmployeeID: "7", OtherMails: []string{"countess@example.test"},
			Attributes: map[string]string{"HR.badge": "17", "orgUnitPath": "/eng"}})
		e.CreateUser(fakecloud.User{Login: "bob", Disabled: true})
		devs = e.CreateGroup(fakecloud.Group{Name: "devs"})
		e.AddUser(devs, ada)
	})
	for _, c := range []struct{ path, want string }{
		{everyUser + "&fields=users(primaryEmail,name/givenName,suspended)",
			`{"users":[{"name":{"givenName":"Ada"},"primaryEmail":"ada@example.test","suspended":false},{"name":{},"primaryEmail":"bob@example.test","suspended":true}]}`},
		{everyUser + "&maxResults=1&fields=users/primaryEmail", `{"users":[{"primaryEmail":"ada@example.test"}]}`}, // and the next page is lost
		{everyUser + "&fields=users(customSchemas)", `{"users":[{},{}]}`},
		{everyUser + "&projection=full&fields=users(customSchemas)", `{"users":[{"customSchemas":{"HR":{"badge":"17"}}},{}]}`},
		{"users/countess@example.test?fields=id,orgUnitPath,aliases,externalIds",
			`{"aliases":["countess@example.test"],"externalIds":[{"type":"organization","value":"7"}],"id":"` + cloud.UserID(0) + `","orgUnitPath":"/eng"}`},
		{"groups?customer=my_customer&fields=groups(name,email,directMembersCount)", `{"groups":[{"directMembersCount":"1","email":"devs.0@example.test","name":"devs"}]}`},
		{"groups?userKey=ada@example.test&fields=groups/id", `{"groups":[{"id":"` + cloud.GroupID(0) + `"}]}`},
		{"groups?userKey=bob@example.test&fields=kind,groups", `{"kind":"admin#directory#groups"}`},
		{"groups/devs.0@example.test?fields=name,directMembersCount", `{"directMembersCount":"1","name":"devs"}`},
	} {
		status, said := v.get(c.path)
		if got, _ := json.Marshal(said); status != http.StatusOK || c.want != string(got) {
			t.Errorf("%s: %d\nwant %s\ngot  %s", c.path, status, c.want, got)
		}
	}
	for _, path := range []string{everyUser + "&fields=members", everyUser + "&fields=users(login)", everyUser + "&fields=users(", "users/ada@example.test?fields=users/id"} {
		if status, said := v.get(path); status != http.StatusBadRequest || reason(said) != "invalidParameter" {
			t.Errorf("%s: %d %v", path, status, said)
		}
	}
}

func TestGoogleMembersOfAllKinds(t *testing.T) {
	t.Parallel()
	cloud, v := visitGoogle(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 2}})
	cloud.Edit(func(e *fakecloud.Edit) {
		g, sub := e.CreateGroup(fakecloud.Group{Name: "all"}), e.CreateGroup(fakecloud.Group{Name: "sub"})
		e.UpdateUser(1, func(u *fakecloud.User) { u.Disabled = true })
		e.AddUser(g, 0)
		e.AddUser(g, 1)
		e.Nest(g, sub)
		e.Add(g, fakecloud.Member{Kind: fakecloud.Everybody})
		e.Add(g, fakecloud.Member{Kind: fakecloud.GoogleStranger, N: 1})
		e.Add(g, fakecloud.Member{Kind: fakecloud.Device, N: 1})
	})
	members, _ := v.all("groups/"+cloud.GroupID(0)+"/members?fields=members(type,status)", "members")
	want := `[{"status":"ACTIVE","type":"USER"},{"status":"SUSPENDED","type":"USER"},{"status":"ACTIVE","type":"GROUP"},{"type":"CUSTOMER"},{"status":"ACTIVE","type":"USER"},{"status":"UNKNOWN","type":"OTHER"}]`
	if got, _ := json.Marshal(members); want != string(got) {
		t.Errorf("want %s\ngot  %s", want, got)
	}
	if members, _ := v.all("groups/"+cloud.GroupID(0)+"/members?fields=members(email)", "members"); len(members[3]) != 0 {
		t.Errorf("everybody has no address, got %v", members[3])
	}
	if status, said := v.get("groups/" + cloud.GroupID(1) + "/members?fields=members"); status != http.StatusOK || len(said) != 0 {
		t.Errorf("an empty list is absent, got %d %v", status, said)
	}
	if status, said := v.get("groups/" + cloud.GroupID(9) + "/members"); status != http.StatusNotFound || reason(said) != "notFound" {
		t.Errorf("a group that isn't there: %d %v", status, said)
	}
	cloud.Edit(func(e *fakecloud.Edit) {
		e.AddUser(1, 0)
		e.Nest(1, e.CreateGroup(fakecloud.Group{Name: "deep"}))
		e.AddUser(2, e.CreateUser(fakecloud.User{Login: "deep"}))
	})
	derived, _ := v.all("groups/"+cloud.GroupID(0)+"/members?includeDerivedMembership=true&maxResults=2&fields=nextPageToken,members(id)", "members")
	if len(derived) != 7 || derived[3]["id"] != cloud.GroupID(2) {
		t.Errorf("want the 6 members and the group that is in one of them, without who is in that, got %v", derived)
	}
	cloud.Set(func(c *fakecloud.GoogleConfig) { c.LeaveOut = []string{"members"} })
	if members, _ := v.all("groups/"+cloud.GroupID(0)+"/members?fields=members(type)", "members"); len(members) != 3 {
		t.Errorf("want every second of 6 members, got %v", members)
	}
}

func TestGoogleGivesTokensOnlyForGoodAssertions(t *testing.T) {
	t.Parallel()
	const short = "Invalid JWT: Token must be a short-lived token"
	cloud, v := startGoogle(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 2}})
	cloud.Edit(func(e *fakecloud.Edit) { e.UpdateUser(1, func(u *fakecloud.User) { u.Disabled = true }) })
	ordinary, _ := cloud.Directory.User(0)
	suspended, _ := cloud.Directory.User(1)
	now := time.Now().Unix()
	for _, c := range []struct {
		name    string
		instead claims
		status  int
		want    string // the error, or the beginning of its sentence
	}{
		{"in order", nil, 200, ""},
		{"an ordinary user", claims{"sub": ordinary.Login}, 200, ""}, // the API refuses him
		{"nobody to act as", claims{"sub": ""}, 200, ""},             // the API refuses that
		{"a suspended user", claims{"sub": suspended.Login}, 400, "Account restricted"},
		{"nobody of the account", claims{"sub": "nobody@example.test"}, 400, "Invalid email or User ID"},
		{"a scope that wasn't delegated", claims{"scope": fakecloud.GoogleUsersScope + " " + fakecloud.GoogleCustomerScope}, 401, "unauthorized_client"},
		{"no scope", claims{"scope": ""}, 400, "invalid_scope"},
		{"another account", claims{"iss": "other@rollcall-demo.iam.gserviceaccount.com"}, 400, "Invalid grant: account not found"},
		{"another audience", claims{"aud": "https://oauth2.googleapis.com/token"}, 400, "Invalid JWT: Failed audience check"},
		{"from an hour ago", claims{"iat": now - 7200, "exp": now - 3600}, 400, short},
		{"from a clock that is ahead", claims{"iat": now + 600, "exp": now + 4200}, 400, short},
		{"for a day", claims{"exp": now + 86400}, 400, short},
	} {
		status, said := v.ask(c.instead)
		text := fmt.Sprint(said["error"], " ", said["error_description"])
		if status != c.status || !strings.Contains(text, c.want) || (c.status == 200) != (said["access_token"] != nil) {
			t.Errorf("%s: want %d %s, got %d %v", c.name, c.status, c.want, status, said)
		}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, assertion := range map[string]string{
		"another key": v.sign(other, claims{"iss": v.file.Email, "sub": cloud.Subject(), "aud": v.file.TokenAt, "iat": now, "exp": now + 60, "scope": fakecloud.GoogleUsersScope}),
		"no JWT":      "x.y", "nothing": "",
	} {
		if status, said := v.post(assertion); status != http.StatusBadRequest || said["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, said)
		}
	}
	for _, violation := range cloud.Violations() {
		t.Error(violation)
	}
}

// What a client gets that does it wrong.
func TestGoogleRefusesWrongClients(t *testing.T) {
	t.Parallel()
	cloud, v := visitGoogle(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 3, Groups: 1}})
	good := v.token
	as := func(s fakecloud.GoogleSubject) {
		cloud.Set(func(c *fakecloud.GoogleConfig) { c.Subjects["admin@example.test"] = s })
	}
	for _, c := range []struct {
		name, path, token string
		before            func()
		status            int
		reason            string
	}{
		{"no token", everyUser, "", nil, 401, "required"},
		{"a token of its own", everyUser, "ya29.mine", nil, 401, "authError"},
		{"no account", "users", good, nil, 400, "badRequest"},
		{"another account", "users?customer=C0other", good, nil, 400, "invalid"},
		{"a parameter that there isn't", everyUser + "&$top=5", good, nil, 400, "badRequest"},
		{"a path that there isn't", "people", good, nil, 404, "notFound"},
		{"a page of nothing", everyUser + "&maxResults=0", good, nil, 400, "invalid"},
		{"a stranger", "users/eve@elsewhere.example", good, nil, 403, "forbidden"},
		{"somebody who isn't there", "users/nobody@example.test", good, nil, 404, "notFound"},
		{"the wrong scope", "customers/my_customer", good, nil, 403, "insufficientPermissions"},
		{"no administrator any more", everyUser, good, func() { as(fakecloud.GoogleOrdinary) }, 403, "forbidden"},
		{"a half administrator", "groups?customer=my_customer", good, func() { as(fakecloud.GoogleUsersOnly) }, 403, "forbidden"},
		{"the API switched off", everyUser, good, func() { cloud.Set(func(c *fakecloud.GoogleConfig) { c.Subjects, c.APIOff = nil, true }) }, 403, "accessNotConfigured"},
		{"an account that isn't paid for", everyUser, good, func() { cloud.Set(func(c *fakecloud.GoogleConfig) { c.APIOff, c.Suspended = false, true }) }, 403, "domainCannotUseApis"},
		{"a revoked token", everyUser, good, cloud.RevokeTokens, 401, "authError"},
	} {
		if c.before != nil {
			c.before()
		}
		v.token = c.token
		if status, said := v.get(c.path); status != c.status || reason(said) != c.reason {
			t.Errorf("%s: want %d %s, got %d %v", c.name, c.status, c.reason, status, said)
		}
	}
}

func TestGooglePageTokensCannotBeMade(t *testing.T) {
	t.Parallel()
	clock := fakecloud.NewClock(time.Now())
	cloud, v := visitGoogle(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 9}, Now: clock.Now, TokenLife: 96 * time.Hour})
	_, said := v.get(everyUser + "&maxResults=3")
	token, _ := said["nextPageToken"].(string)
	next := "&pageToken=" + url.QueryEscape(token)
	for _, c := range []struct {
		name, path string
		status     int
		violations int
	}{
		{"as it was given", everyUser + "&maxResults=3" + next, 200, 0},
		{"with a page of another size", everyUser + "&maxResults=2" + next, 200, 0},
		{"for another list", "groups?customer=my_customer" + next, 400, 1},
		{"in another order", everyUser + "&orderBy=email" + next, 400, 2},
		{"made up", everyUser + "&pageToken=3", 400, 3},
		{"changed", everyUser + "&maxResults=3" + next + "x", 400, 4},
	} {
		if status, _ := v.get(c.path); status != c.status || len(cloud.Violations()) != c.violations {
			t.Errorf("%s: want %d and %d violations, got %d and %v", c.name, c.status, c.violations, status, cloud.Violations())
		}
	}
	clock.Advance(73 * time.Hour)
	if status, said := v.get(everyUser + "&maxResults=3" + next); status != 400 || reason(said) != "invalid" || len(cloud.Violations()) != 4 {
		t.Errorf("after three days: %d %v", status, said)
	}
}

func TestGoogleRefusesForManyReasons(t *testing.T) {
	t.Parallel()
	cloud, v := visitGoogle(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 1}})
	for _, c := range []struct {
		fault  fakecloud.Fault
		status int
		reason string
	}{
		{fakecloud.Fault{Do: fakecloud.Forbidden}, 403, "forbidden"},
		{fakecloud.Fault{Do: fakecloud.Forbidden, Reason: "quotaExceeded"}, 403, "quotaExceeded"},
		{fakecloud.Fault{Do: fakecloud.Forbidden, Reason: "userRateLimitExceeded"}, 403, "userRateLimitExceeded"},
		{fakecloud.Fault{Do: fakecloud.Throttle}, 429, "rateLimitExceeded"},
		{fakecloud.Fault{Do: fakecloud.Unavailable}, 503, "backendError"},
		{fakecloud.Fault{Do: fakecloud.Expired}, 401, "authError"},
	} {
		c.fault.Path = "/users"
		cloud.Fail(c.fault)
		if status, said := v.get(everyUser); status != c.status || reason(said) != c.reason {
			t.Errorf("want %d %s, got %d %v", c.status, c.reason, status, said)
		}
	}
	// One that comes back at once, although it was told when to come back.
	cloud.Fail(fakecloud.Fault{Path: "/users", Do: fakecloud.Throttle, RetryAfter: 5 * time.Second})
	v.get(everyUser)
	v.get(everyUser)
	if got := cloud.Violations(); len(got) != 1 || !strings.Contains(got[0], "Retry-After") {
		t.Errorf("want the early retry as a violation, got %v", got)
	}
}

func TestGoogleTagsWhatDidNotChange(t *testing.T) {
	t.Parallel()
	cloud, v := visitGoogle(t, fakecloud.GoogleConfig{Gen: fakecloud.Gen{Users: 2}, ETags: true})
	_, said := v.get(everyUser)
	tag, _ := said["ETag"].(string)
	if status, _ := v.get(everyUser, "If-None-Match", tag); status != http.StatusNotModified {
		t.Errorf("want 304, got %d", status)
	}
	cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(0) })
	if status, said := v.get(everyUser, "If-None-Match", tag); status != http.StatusOK || len(said["users"].([]any)) != 1 {
		t.Errorf("want the one who is left, got %d %v", status, said)
	}
	if status, said := v.get(everyUser + "&showDeleted=true&fields=users(id,deletionTime)"); status != http.StatusOK || len(said["users"].([]any)[0].(map[string]any)) != 2 {
		t.Errorf("want the deleted one, got %d %v", status, said)
	}
}

func TestGoogleReportsWhatAdministratorsDid(t *testing.T) {
	t.Parallel()
	clock := fakecloud.NewClock(time.Now())
	cloud, v := startGoogle(t, fakecloud.GoogleConfig{Now: clock.Now, Scopes: []string{fakecloud.GoogleReportsScope, fakecloud.GoogleCustomerScope}})
	if status, said := v.ask(claims{"scope": fakecloud.GoogleReportsScope + " " + fakecloud.GoogleCustomerScope}); status != 200 {
		t.Fatal(said)
	}
	do := func(edit func(*fakecloud.Edit)) {
		clock.Advance(time.Minute)
		cloud.Edit(edit)
	}
	do(func(e *fakecloud.Edit) { e.CreateUser(fakecloud.User{Login: "ada"}) })
	do(func(e *fakecloud.Edit) { e.CreateGroup(fakecloud.Group{Name: "devs"}) })
	noon := clock.Now().UTC().Add(time.Second).Format(time.RFC3339)
	do(func(e *fakecloud.Edit) { e.AddUser(0, 0) })
	do(func(e *fakecloud.Edit) { e.UpdateUser(0, func(u *fakecloud.User) { u.Disabled = true }) })
	do(func(e *fakecloud.Edit) {
		e.UpdateUser(0, func(u *fakecloud.User) { u.Login = "countess@example.test" })
	})
	do(func(e *fakecloud.Edit) { e.RemoveUser(0, 0) })
	do(func(e *fakecloud.Edit) { e.DeleteUser(0) })
	do(func(e *fakecloud.Edit) { e.RestoreUser(0) })
	do(func(e *fakecloud.Edit) { e.DeleteGroup(0) })

	activities := func(query string) (names []string) {
		items, _ := v.all("../../reports/v1/activity/users/all/applications/admin?"+query, "items")
		for _, item := range items {
			names = append(names, item["events"].([]any)[0].(map[string]any)["name"].(string))
		}
		return names
	}
	all := []string{"DELETE_GROUP", "UNDELETE_USER", "DELETE_USER", "REMOVE_GROUP_MEMBER", "RENAME_USER", "SUSPEND_USER", "ADD_GROUP_MEMBER", "CREATE_GROUP", "CREATE_USER"}
	for query, want := range map[string][]string{
		"maxResults=2":                   all,
		"startTime=" + noon:              all[:7],
		"eventName=ADD_GROUP_MEMBER":     {"ADD_GROUP_MEMBER"},
		"endTime=" + noon:                all[7:],
		"maxResults=1&eventName=NOTHING": nil,
	} {
		if got := activities(query); !slices.Equal(want, got) {
			t.Errorf("%s: want %v, got %v", query, want, got)
		}
	}
	if status, said := v.get("customers/my_customer"); status != 200 || said["id"] != fakecloud.GoogleCustomer {
		t.Errorf("the account: %d %v", status, said)
	}
}

func TestGoogleOpenTakesAnySubject(t *testing.T) {
	t.Parallel()
	_, v := startGoogle(t, fakecloud.GoogleConfig{Open: true, Gen: fakecloud.Gen{Users: 1}})
	if status, said := v.ask(claims{"sub": "whoever@corp.example"}); status != 200 {
		t.Fatal(said)
	}
	if users, _ := v.all(everyUser, "users"); len(users) != 1 {
		t.Errorf("want one user, got %v", users)
	}
}
