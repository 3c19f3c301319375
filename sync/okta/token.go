package okta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// Scopes that a service app needs; without the last one there is no telling what changed.
const (
	scopeUsers  = "okta.users.read"
	scopeGroups = "okta.groups.read"
	scopeLogs   = "okta.logs.read"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	tokenLimit    = 64 << 10
)

// credentials are an API token, or a service app with a key.
type credentials struct {
	token models.Secret

	clientID string
	key      *signingKey
	tokenURL string
	scopes   []string // to ask for; fetchToken alone changes them
}

func readCredentials(o Options, root *url.URL) (credentials, error) {
	switch {
	case o.Token != "" && (o.ClientID != "" || o.Key != ""), o.Token == "" && (o.ClientID == "" || o.Key == ""):
		return credentials{}, errors.New("set either token (an API token), or client-id and private-key (a service app)")
	case o.Token != "":
		token := strings.TrimPrefix(strings.TrimSpace(o.Token.Reveal()), "SSWS ")
		if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return credentials{}, errors.New("token: it is one word, as Okta shows it once")
		}
		return credentials{token: models.Secret(token)}, nil
	}
	key, err := readKey(o.Key.Reveal(), o.KeyID)
	if err != nil {
		return credentials{}, fmt.Errorf("private-key: %w", err)
	}
	scopes := o.Scopes
	if len(scopes) == 0 {
		scopes = []string{scopeUsers, scopeGroups, scopeLogs}
	}
	// The org's own authorization server: tokens of another one aren't for this API.
	return credentials{clientID: o.ClientID, key: key, tokenURL: root.String() + "/oauth2/v1/token", scopes: scopes}, nil
}

// fetchToken asks for an access token. An app that wasn't granted okta.logs.read gets one without.
func (s *Source) fetchToken(ctx context.Context) (cloud.Token, error) {
	token, err := s.askForToken(ctx, s.credentials.scopes)
	less := slices.DeleteFunc(slices.Clone(s.credentials.scopes), func(scope string) bool { return scope == scopeLogs })
	if refusedAs(err, "invalid_scope") && len(less) > 0 && len(less) < len(s.credentials.scopes) {
		if token, err = s.askForToken(ctx, less); err == nil {
			s.credentials.scopes = less
		}
	}
	return token, err
}

// askForToken asks for a token of these scopes. Okta refuses an assertion whose times are off by
// its own clock: then it is made again by that clock.
func (s *Source) askForToken(ctx context.Context, scopes []string) (cloud.Token, error) {
	token, err := s.askForTokenAt(ctx, scopes, s.now())
	if skew := s.client.Skew(); refusedAs(err, "invalid_client") && skew.Abs() > backdated {
		return s.askForTokenAt(ctx, scopes, s.now().Add(skew))
	}
	return token, err
}

// askForTokenAt asks by OAuth's client credentials, with an assertion of a moment.
func (s *Source) askForTokenAt(ctx context.Context, scopes []string, moment time.Time) (token cloud.Token, err error) {
	c, asked := &s.credentials, s.now()
	assertion, err := c.key.assertion(c.clientID, c.tokenURL, moment)
	if err != nil {
		return token, err
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")},
		"client_assertion_type": {assertionType}, "client_assertion": {assertion},
	}
	err = s.client.Do(ctx, cloud.Request{
		Method: http.MethodPost, URL: c.tokenURL, Bare: true, Judge: judgeToken, Limit: tokenLimit,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   []byte(form.Encode()),
		Take: func(a cloud.Answer) (err error) {
			token, err = readToken(a.Body, asked)
			return err
		},
	})
	if err != nil {
		return cloud.Token{}, fmt.Errorf("get a token: %w", err)
	}
	return token, nil
}

// readToken reads the token endpoint's success. Its errors quote nothing: the body has a token.
func readToken(body []byte, asked time.Time) (token cloud.Token, err error) {
	var answer struct {
		Type    string `json:"token_type"`
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	switch {
	case json.Unmarshal(body, &answer) != nil:
		return token, errors.New("the answer is no JSON that we know")
	case answer.Token == "" || strings.ContainsAny(answer.Token, " \r\n\t"):
		return token, errors.New("the answer has no token")
	case !strings.EqualFold(answer.Type, "Bearer"):
		return token, errors.New("the answer has a token of another type than Bearer")
	case answer.Seconds <= 0 || answer.Seconds > 7*24*3600:
		return token, errors.New("the answer doesn't say how long the token lives")
	}
	return cloud.Token{Header: "Bearer " + answer.Token, Expires: asked.Add(time.Duration(answer.Seconds) * time.Second)}, nil
}

// judgeToken says what the token endpoint's answers mean.
func judgeToken(a cloud.Answer) cloud.Verdict {
	v := cloud.Judge(a)
	if a.OK() {
		return v
	}
	if v.Act == cloud.Renew { // a refused client, not a refused token
		v.Act = cloud.Fail
	}
	if rate, told := readRate(a.Header); told && a.Status == http.StatusTooManyRequests {
		v.Wait = rate.throttled(a)
	}
	// OAuth's form of an error, or Okta's own: an app that isn't there is refused in the latter.
	v.Err = readError(a)
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(a.Body, &e) == nil && e.Error != "" {
		v.Err.Code, v.Err.Said = e.Error, e.Description
	}
	switch v.Err.Code {
	case "":
		if a.Status == http.StatusNotFound {
			v.Err.Hint = "check org-url"
		}
	case "invalid_client":
		v.Err.Hint = "check client-id, that the public half of private-key is registered at the app and active, and its key id; " + clock(a.ServerTime().Sub(a.Now))
	case "invalid_scope":
		v.Err.Hint = "grant the service app the scopes " + scopeUsers + ", " + scopeGroups + " and " + scopeLogs + ", on its page Okta API Scopes"
	case "use_dpop_nonce", "invalid_dpop_proof":
		v.Err.Hint = "switch off \"Require Demonstrating Proof of Possession (DPoP) header in token requests\" on the app's page General"
	case "access_denied", "unauthorized_client", codeForbidden:
		v.Err.Hint = "check that the service app is active, and give it the role Read-only Administrator on its page Admin roles"
	}
	return v
}

// refusedAs tells whether an error is a refusal with a code.
func refusedAs(err error, code string) bool {
	var e *cloud.Error
	return errors.As(err, &e) && e.Code == code
}

// clock says how far clocks differ.
func clock(ahead time.Duration) string {
	ahead = ahead.Round(time.Second)
	switch {
	case ahead >= 2*time.Second:
		return fmt.Sprintf("this machine's clock is %v behind Okta's: set it right", ahead)
	case ahead <= -2*time.Second:
		return fmt.Sprintf("this machine's clock is %v ahead of Okta's: set it right", -ahead)
	}
	return "this machine's clock agrees with Okta's"
}
