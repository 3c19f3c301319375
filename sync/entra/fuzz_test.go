package entra

import (
	"strings"
	"testing"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// FuzzUserPage decodes what a server may send as a page of users, with attributes and without.
func FuzzUserPage(f *testing.F) {
	for _, seed := range []string{
		`{"value":[{"id":"1","userPrincipalName":"a@b","accountEnabled":null,"otherMails":["x@y"],"department":["a",1,null],"o":{"i":true}}],"@odata.nextLink":"http://h/"}`,
		`{"value":[{"id":"1","@removed":{"reason":"changed"}}],"@odata.deltaLink":"http://h/"}`,
		`{"value":[{}]}`, `{"value":null}`, `[]`, `<html>`, `{"value":[{"id":"1","department":{"a":1}}]}`,
	} {
		f.Add([]byte(seed))
	}
	plain, err := newUserDecoder(nil)
	if err != nil {
		f.Fatal(err)
	}
	asked, err := newUserDecoder([]string{"department", "mail", "o.i"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range []*userDecoder{plain, asked} {
			page, err := d.decode(body)
			if err != nil {
				continue
			}
			for _, u := range page.users {
				if u.user().ID == "" {
					t.Error("a user without an id")
				}
			}
			changes, nameless := userChanges(page.users)
			seen := map[string]bool{}
			for _, id := range append(append(nameless, changes.GoneUsers...), idsOf(changes.Users)...) {
				if seen[id] {
					t.Errorf("user %q is told twice on a page", id)
				}
				seen[id] = true
			}
		}
		_, _ = plain.decodeOne(body)
	})
}

func idsOf(users []dirsync.User) (ids []string) {
	for _, u := range users {
		ids = append(ids, u.ID)
	}
	return ids
}

// FuzzGroupPage decodes what a server may send as a page of groups, of a list or a delta query.
func FuzzGroupPage(f *testing.F) {
	f.Add([]byte(`{"value":[{"id":"g","displayName":"n","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"u"},{"id":"u","@removed":{"reason":"deleted"}}]},{"id":"g","@removed":{"reason":"changed"}}],"@odata.deltaLink":"l"}`))
	f.Add([]byte(`{"value":[{"id":"g","mailEnabled":true,"groupTypes":["Unified"]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := decodeGroups(body)
		if err != nil {
			return
		}
		changes := groupChanges(page.Value)
		added := map[[2]string]bool{}
		for _, e := range changes.Added {
			added[[2]string{e.Group, e.Member.ID}] = true
		}
		for _, e := range changes.Removed {
			if added[[2]string{e.Group, e.Member.ID}] {
				t.Errorf("a page both adds and removes %v", e)
			}
		}
	})
}

// FuzzBatch decodes what a server may send as the answer to a batch, and its items.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"responses":[{"id":"1","status":200,"body":{"value":[{"@odata.type":"#microsoft.graph.user","id":"u"}]}},{"id":"2","status":429,"headers":{"Retry-After":"7"},"body":{"error":{"code":"x"}}},{"id":"3","status":502,"body":"aGk="}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		responses, err := decodeBatch(body)
		if err != nil {
			return
		}
		for _, r := range responses {
			if verdict, problem := r.judge("/groups/x/members?$select=id", true, time.Unix(1_700_000_000, 0)); verdict.Act != cloud.Accept && problem == nil {
				t.Error("a refusal without a reason")
			}
			_, _ = decodeMembers(r.Body)
		}
	})
}

// FuzzToken reads what a server may send as a token, or as the refusal of one.
func FuzzToken(f *testing.F) {
	f.Add([]byte(`{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0.eyJyb2xlcyI6WyJhIl19.x"}`), 200)
	f.Add([]byte(`{"token_type":"Bearer","expires_in":"3599","access_token":"opaque"}`), 200)
	f.Add([]byte(`{"error":"invalid_client","error_description":"AADSTS7000215: Invalid. Trace ID: x","error_codes":[7000215],"correlation_id":"c"}`), 401)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		asked := time.Unix(1_700_000_000, 0)
		if token, err := readToken(body, asked); err == nil {
			if !token.Expires.After(asked) || strings.ContainsAny(token.Header, "\r\n") {
				t.Errorf("a token that ends before it begins, or more than one header")
			}
			rolesOf(token)
		}
		a := cloud.Answer{Status: status, Body: body, Now: asked}
		if v := judgeToken(a); v.Act == cloud.Renew {
			t.Error("a refused client isn't a refused token")
		}
		judge(a)
	})
}
