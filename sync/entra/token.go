package entra

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	tokenLimit    = 64 << 10
)

// credentials prove that we are the application, in one of three ways.
type credentials struct {
	secret      models.Secret
	certificate *certificate
	tokenFile   string
}

func readCredentials(o Options) (credentials, error) {
	given := 0
	for _, is := range []bool{o.Secret != "", o.Certificate != "", o.TokenFile != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return credentials{}, errors.New("set exactly one of client-secret, client-certificate and token-file")
	}
	c := credentials{secret: o.Secret, tokenFile: o.TokenFile}
	if o.Certificate != "" {
		var err error
		if c.certificate, err = readCertificate([]byte(o.Certificate.Reveal())); err != nil {
			return credentials{}, fmt.Errorf("client-certificate: %w", err)
		}
	}
	return c, nil
}

// put adds the proof to the form of a token request for endpoint. An assertion is made anew for
// each, and a token file is read anew: both live for minutes.
func (c credentials) put(form url.Values, clientID, endpoint string, now time.Time) error {
	if c.secret != "" {
		form.Set("client_secret", c.secret.Reveal())
		return nil
	}
	form.Set("client_assertion_type", assertionType)
	if c.certificate != nil {
		assertion, err := c.certificate.assertion(clientID, endpoint, now)
		form.Set("client_assertion", assertion)
		return err
	}
	token, err := os.ReadFile(c.tokenFile)
	if err != nil {
		return fmt.Errorf("token-file: %w; the platform (a Kubernetes service account, for one) has to put a token there", err)
	}
	token = bytes.TrimSpace(token)
	if len(token) == 0 {
		return fmt.Errorf("token-file: %s is empty; the platform has to put a token there", c.tokenFile)
	}
	form.Set("client_assertion", string(token))
	return nil
}

// fetchToken asks for an access token, by OAuth's client credentials.
func (s *Source) fetchToken(ctx context.Context) (cloud.Token, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {s.clientID},
		"scope": {s.client.Root().Scheme + "://" + s.client.Root().Host + "/.default"},
	}
	asked := s.now()
	if err := s.credentials.put(form, s.clientID, s.tokenURL, asked); err != nil {
		return cloud.Token{}, err
	}
	var token cloud.Token
	err := s.client.Do(ctx, cloud.Request{
		Method: http.MethodPost, URL: s.tokenURL, Bare: true, Judge: judgeToken, Limit: tokenLimit,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
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

// readToken reads the token endpoint's success.
func readToken(body []byte, asked time.Time) (cloud.Token, error) {
	var answer struct {
		Type    string      `json:"token_type"`
		Token   string      `json:"access_token"`
		Seconds json.Number `json:"expires_in"` // a number, or text in old clouds
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return cloud.Token{}, notQuoted(err)
	}
	seconds, err := answer.Seconds.Int64()
	switch {
	case answer.Token == "" || strings.ContainsAny(answer.Token, " \r\n\t"):
		return cloud.Token{}, errors.New("the answer has no token")
	case !strings.EqualFold(answer.Type, "Bearer"):
		return cloud.Token{}, errors.New("the answer has a token of another type than Bearer")
	case err != nil || seconds <= 0 || seconds > 7*24*3600:
		return cloud.Token{}, errors.New("the answer doesn't say how long the token lives")
	}
	return cloud.Token{Header: "Bearer " + answer.Token, Expires: asked.Add(time.Duration(seconds) * time.Second)}, nil
}

// notQuoted says that a body isn't what it should be, without a word of it: it may hold a token.
func notQuoted(error) error { return errors.New("the answer is no JSON that we know") }
