package google

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// Whatever an answer says, it is judged, and nothing but a quota is tried again after a 403.
func FuzzJudge(f *testing.F) {
	f.Add(403, `{"error":{"code":403,"message":"Request rate higher than configured.","errors":[{"reason":"quotaExceeded"}]}}`)
	f.Add(403, `{"error":{"code":403,"message":"off","status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}`)
	f.Add(403, `{"error":"access_denied","error_description":"Account restricted"}`)
	f.Add(503, `<html>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		a := cloud.Answer{Status: status, Header: http.Header{}, Body: []byte(body), Now: time.Now()}
		v := judge(a)
		if !a.OK() && v.Act == cloud.Accept {
			t.Errorf("%d is accepted", status)
		}
		if status == http.StatusForbidden && (v.Act == cloud.Retry) != (v.Err.Code == "quotaExceeded" || v.Err.Code == "userRateLimitExceeded" || v.Err.Code == "rateLimitExceeded") {
			t.Errorf("%q is %v", v.Err.Code, v.Act)
		}
		s := &Source{credentials: &credentials{}}
		if v := s.judgeToken(a); !a.OK() && (v.Act == cloud.Accept || v.Act == cloud.Renew) {
			t.Errorf("a refused token request is %v", v.Act)
		}
		if token, err := readToken(a.Body, a.Now); err == nil && !token.Expires.After(a.Now) {
			t.Error("a token without a life")
		}
	})
}

// A key file can be anything that somebody pastes; what is wrong is said without it.
func FuzzCredentials(f *testing.F) {
	good := string(fakecloud.NewGoogle(fakecloud.GoogleConfig{}).Credentials())
	f.Add(strings.Replace(good, `"token_uri": "/token"`, `"token_uri": "https://oauth2.googleapis.com/token"`, 1))
	f.Add(good)
	f.Add(`{"type":"service_account","client_email":"a","token_uri":"https://x","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`)
	f.Fuzz(func(t *testing.T, file string) {
		c, err := readCredentials(models.Secret(file))
		switch {
		case err == nil && (c.key == nil || c.email == "" || c.tokenURL == ""):
			t.Error("a key file without what it is for is taken")
		case err != nil && len(file) > 40 && strings.Contains(err.Error(), file):
			t.Errorf("the file is in %v", err)
		}
	})
}

// A customer's own fields can hold anything.
func FuzzCustom(f *testing.F) {
	f.Add(`{"badge":"B1"}`, "badge")
	f.Add(`{"badge":[{"value":"B1","type":"work"},{"value":2,"primary":true}]}`, "badge")
	f.Fuzz(func(t *testing.T, schema, key string) {
		for _, value := range custom([]byte(schema), key) {
			if value == "" {
				t.Error("an empty value")
			}
		}
	})
}
