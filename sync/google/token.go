package google

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/sync/cloud"
)

// The scopes that a directory needs, no more. Google gives a token for all that is asked, or none.
const (
	usersScope  = "https://www.googleapis.com/auth/admin.directory.user.readonly"
	groupsScope = "https://www.googleapis.com/auth/admin.directory.group.readonly" // members, too
)

var scopes = []string{usersScope, groupsScope}

const (
	jwtBearer  = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	tokenLimit = 64 << 10
)

// fetchToken asks for an access token to everything that a run reads.
func (s *Source) fetchToken(ctx context.Context) (cloud.Token, error) {
	return s.tokenFor(ctx, strings.Join(scopes, " "))
}

// tokenFor asks for an access token. When Google says that the time in our assertion is out of
// range, it is asked once more by Google's own clock.
func (s *Source) tokenFor(ctx context.Context, scopes string) (cloud.Token, error) {
	now := s.now()
	token, err := s.askToken(ctx, scopes, now)
	if outOfTime(err) {
		if skew := s.client.Skew(); skew.Abs() > backdated {
			token, err = s.askToken(ctx, scopes, now.Add(skew))
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return cloud.Token{}, ctx.Err()
		}
		return cloud.Token{}, fmt.Errorf("get a token: %w", err)
	}
	return token, nil
}

func (s *Source) askToken(ctx context.Context, scopes string, now time.Time) (cloud.Token, error) {
	assertion, err := s.credentials.assertion(s.subject, scopes, now)
	if err != nil {
		return cloud.Token{}, err
	}
	asked := s.now()
	var token cloud.Token
	err = s.client.Do(ctx, cloud.Request{
		Method: http.MethodPost, URL: s.credentials.tokenURL, Bare: true, Judge: s.judgeToken, Limit: tokenLimit,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Body:   []byte(url.Values{"grant_type": {jwtBearer}, "assertion": {assertion}}.Encode()),
		Take: func(a cloud.Answer) (err error) {
			token, err = readToken(a.Body, asked)
			return err
		},
	})
	return token, err
}

// readToken reads the token endpoint's success. Its errors quote nothing: there is a token in it.
func readToken(body []byte, asked time.Time) (cloud.Token, error) {
	var answer struct {
		Type    string `json:"token_type"`
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case err != nil:
		return cloud.Token{}, errors.New("the answer is no JSON that we know")
	case answer.Token == "" || strings.ContainsAny(answer.Token, " \r\n\t"):
		return cloud.Token{}, errors.New("the answer has no token")
	case !strings.EqualFold(answer.Type, "Bearer"):
		return cloud.Token{}, errors.New("the answer has a token of another type than Bearer")
	case answer.Seconds <= 0 || answer.Seconds > 24*3600:
		return cloud.Token{}, errors.New("the answer doesn't say how long the token lives")
	}
	return cloud.Token{Header: "Bearer " + answer.Token, Expires: asked.Add(time.Duration(answer.Seconds) * time.Second)}, nil
}

// judgeToken says what the token endpoint's answers mean.
func (s *Source) judgeToken(a cloud.Answer) cloud.Verdict {
	v := cloud.Judge(a)
	if a.OK() {
		return v
	}
	if v.Act == cloud.Renew { // a refused service account, not a refused token
		v.Act = cloud.Fail
	}
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	v.Err = &cloud.Error{}
	if json.Unmarshal(a.Body, &e) != nil || e.Error == "" {
		v.Err.Hint = "check the address in token_uri of the credentials"
		return v
	}
	v.Err.Code, v.Err.Said = e.Error, strings.TrimSuffix(e.Description, ".")
	v.Err.Hint = s.tokenWayOut(e.Error, e.Description)
	if e.Error == "internal_failure" {
		v.Act = cloud.Retry
	}
	if outOfTime(v.Err) {
		v.Err.Hint = clock(a.ServerTime().Sub(a.Now))
	}
	return v
}

// tokenWayOut says what to do about a refusal. Google has few codes here; most of what it means
// stands in the sentence.
func (s *Source) tokenWayOut(code, said string) string {
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(strings.ToLower(said), w) {
				return true
			}
		}
		return false
	}
	switch {
	case code == "unauthorized_client":
		return s.delegation("the scopes " + strings.Join(scopes, ","))
	case says("signature", "verifier"):
		return "the key isn't one of the service account's any more: add a key in the Cloud console, and set credentials to the new file"
	case says("email or user id", "not a valid email", "impersonation", "account has been deleted"):
		return "there is no user " + s.subject + ": set subject to the primary address of an administrator"
	case code == "access_denied", says("restricted", "suspended", "account has been disabled"):
		return "the user " + s.subject + " is suspended or may not use the API: choose another administrator as subject"
	case says("account not found", "robot"), code == "invalid_client", code == "disabled_client", code == "deleted_client":
		return "the service account is deleted or disabled: check it in the Cloud console, project " + s.credentials.project
	case says("audience"):
		return "token_uri in the credentials isn't the address at which Google expects to be asked: download the file anew"
	case code == "admin_policy_enforced":
		return "the account's policy forbids this application: mark it as trusted in the Admin console under Security, API controls, App access control"
	}
	return ""
}

// delegation says how to grant scopes.
func (s *Source) delegation(what string) string {
	return "in the Admin console, under Security, API controls, Domain-wide delegation, add the client id " + s.credentials.clientID + " with " + what + "; it may take some minutes to count, up to a day"
}

// outOfTime tells whether Google finds the time in our assertion out of range.
func outOfTime(err error) bool {
	var e *cloud.Error
	return errors.As(err, &e) && e.Code == "invalid_grant" && strings.Contains(e.Said, "reasonable timeframe")
}
