package fakecloud_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// A visitor is a client of Graph as simple as can be.
type visitor struct {
	t     *testing.T
	cloud *fakecloud.Entra
	token string
	// header goes with each request.
	header http.Header
}

// startEntra starts a cloud; the test fails when a client does there what it may not.
func startEntra(t *testing.T, c fakecloud.EntraConfig) *fakecloud.Entra {
	t.Helper()
	cloud := startUnchecked(t, c)
	t.Cleanup(func() {
		for _, v := range cloud.Violations() {
			t.Error(v)
		}
	})
	return cloud
}

func startUnchecked(t *testing.T, c fakecloud.EntraConfig) *fakecloud.Entra {
	t.Helper()
	cloud := fakecloud.NewEntra(c)
	if err := cloud.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	return cloud
}

// visit gives a visitor who has a token.
func visit(t *testing.T, cloud *fakecloud.Entra) *visitor {
	t.Helper()
	v := &visitor{t: t, cloud: cloud, header: http.Header{}}
	v.renew()
	return v
}

func (v *visitor) renew() {
	v.t.Helper()
	answer, err := http.PostForm(v.cloud.AuthorityURL()+"/"+v.cloud.Tenant+"/oauth2/v2.0/token", secretForm(v.cloud))
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || body.AccessToken == "" {
		v.t.Fatalf("no token: %d %v", answer.StatusCode, err)
	}
	v.token = body.AccessToken
}

func secretForm(cloud *fakecloud.Entra) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {cloud.ClientID}, "client_secret": {cloud.Secret},
		"scope": {cloud.URL + "/.default"}}
}

// oneByOne uses a connection once: on one that was used before, a Transport repeats by itself
// what a reset cut off.
var oneByOne = &http.Transport{DisableKeepAlives: true}

// A response is an answer, read.
type response struct {
	status int
	header http.Header
	body   string
}

func (v *visitor) do(method, address, body string) (response, error) {
	v.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = v.cloud.GraphURL() + address
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	maps.Copy(request.Header, v.header)
	if v.token != "" {
		request.Header.Set("Authorization", "Bearer "+v.token)
	}
	answer, err := oneByOne.RoundTrip(request)
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return response{answer.StatusCode, answer.Header, string(data)}, err
}

func (v *visitor) get(address string) response {
	v.t.Helper()
	r, err := v.do(http.MethodGet, address, "")
	if err != nil {
		v.t.Fatalf("GET %s: %v", address, err)
	}
	return r
}

// A graphPage is a page of a list, or of a delta query.
type graphPage struct {
	Count int              `json:"@odata.count"`
	Next  string           `json:"@odata.nextLink"`
	Delta string           `json:"@odata.deltaLink"`
	Value []map[string]any `json:"value"`
}

func (v *visitor) page(address string) graphPage {
	v.t.Helper()
	r := v.get(address)
	var p graphPage
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.status != http.StatusOK {
		v.t.Fatalf("GET %s: %d %s (%v)", address, r.status, r.body, err)
	}
	return p
}

// all follows the links of a list from page to page.
func (v *visitor) all(address string) (objects []map[string]any, delta string, pages int) {
	v.t.Helper()
	for address != "" {
		p := v.page(address)
		objects = append(objects, p.Value...)
		address, delta = p.Next, p.Delta
		if pages++; pages > 5000 {
			v.t.Fatal("the list doesn't end")
		}
	}
	return objects, delta, pages
}

// ids gives the ids of objects, with "-" before those that are removed.
func ids(objects []map[string]any) []string {
	var all []string
	for _, o := range objects {
		id := fmt.Sprint(o["id"])
		if o["@removed"] != nil {
			id = "-" + id
		}
		all = append(all, id)
	}
	return all
}

// wantSame compares what was listed with what there is, whatever the order.
func wantSame(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func userIDs(cloud *fakecloud.Entra) (all []string) {
	for n := range cloud.Directory.Users() {
		all = append(all, cloud.UserID(n))
	}
	return all
}

func groupIDs(cloud *fakecloud.Entra) (all []string) {
	for n := range cloud.Directory.Groups() {
		all = append(all, cloud.GroupID(n))
	}
	return all
}

func memberIDs(cloud *fakecloud.Entra, g fakecloud.GroupNo) (all []string) {
	for m := range cloud.Directory.Members(g) {
		all = append(all, cloud.MemberID(m))
	}
	return all
}

func TestListsHaveEverything(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		set  fakecloud.EntraConfig
	}{
		{"nobody", fakecloud.EntraConfig{}},
		{"one page", fakecloud.EntraConfig{Gen: fakecloud.Typical(7, 7)}},
		{"just one page", fakecloud.EntraConfig{Gen: fakecloud.Typical(20, 20), PageLimit: 20}},
		{"one more", fakecloud.EntraConfig{Gen: fakecloud.Typical(21, 21), PageLimit: 20}},
		{"many", fakecloud.EntraConfig{Gen: fakecloud.Typical(1100, 120)}},
		{"empty pages", fakecloud.EntraConfig{Gen: fakecloud.Typical(100, 20), PageLimit: 7, EmptyPages: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cloud := startEntra(t, c.set)
			v := visit(t, cloud)
			users, _, _ := v.all("/users?$select=id&$top=999")
			wantSame(t, "users", userIDs(cloud), ids(users))
			groups, _, _ := v.all("/groups?$select=id,displayName&$top=999")
			wantSame(t, "groups", groupIDs(cloud), ids(groups))
			for n := range cloud.Directory.Groups() {
				members, _, _ := v.all("/groups/" + cloud.GroupID(n) + "/members?$select=id&$top=999")
				wantSame(t, fmt.Sprintf("members of group %d", n), memberIDs(cloud, n), ids(members))
			}
		})
	}
}
