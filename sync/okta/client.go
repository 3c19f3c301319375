package okta

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/sync/cloud"
)

// header goes with every request. Okta sends users without their credentials and links to whoever
// asks so in the type of a body that isn't there.
var header = http.Header{
	"Accept":       {"application/json"},
	"Content-Type": {"application/json; okta-response=omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"},
}

// authorize puts the token on a request.
func (s *Source) authorize(r *http.Request, refused string) error {
	if s.tokens == nil {
		r.Header.Set("Authorization", "SSWS "+s.credentials.token.Reveal())
		return nil
	}
	token, err := s.tokens.Get(r.Context(), refused)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", token.Header)
	return nil
}

// judge says what Okta's answers mean.
func (s *Source) judge(a cloud.Answer) cloud.Verdict {
	v := cloud.Judge(a)
	switch rate, told := readRate(a.Header); {
	case told && a.Status == http.StatusTooManyRequests:
		v.Wait = rate.throttled(a)
	case told: // refusals are counted as well
		s.save(rate, a, &v)
	}
	if a.OK() {
		return v
	}
	if a.Status == http.StatusUnauthorized && s.tokens == nil {
		v.Act = cloud.Fail // there is no other API token
	}
	v.Err = readError(a)
	v.Err.Hint = s.wayOut(a, v.Err)
	return v
}

// A rate is what an answer says of the bucket of requests that it was taken from.
type rate struct {
	limit, remaining int
	reset            time.Time // by Okta's clock
}

func readRate(h http.Header) (r rate, ok bool) {
	numbers := [3]int64{}
	for i, name := range []string{"X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"} {
		first, _, _ := strings.Cut(h.Get(name), ",")
		n, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
		if err != nil || n < 0 {
			return r, false
		}
		numbers[i] = n
	}
	return rate{int(numbers[0]), int(numbers[1]), time.Unix(numbers[2], 0)}, true
}

// untilReset is how long to wait until the bucket is full again. Only Okta's clock counts: ours
// may be off.
func (r rate) untilReset(a cloud.Answer) time.Duration {
	return max(0, r.reset.Sub(a.ServerTime())) + time.Second
}

// throttled is how long a request that was one too many waits; zero: it backs off. When too many
// ran at once the reset is only an estimate, and one that is past comes of a Date that isn't Okta's.
func (r rate) throttled(a cloud.Answer) time.Duration {
	if r.limit == 0 || r.reset.Before(a.ServerTime()) {
		return 0
	}
	return r.untilReset(a)
}

const (
	slowBelow = 30 // percent of a bucket: ask more slowly, and leave the rest to sign-ins and others
	stopBelow = 10 // percent: wait until it is full again
)

// save keeps us from emptying a bucket: requests of all programs of the org share it.
func (s *Source) save(r rate, a cloud.Answer, v *cloud.Verdict) {
	if r.limit == 0 {
		return
	}
	// Requests that are underway will still be counted.
	reserve := min(max(r.limit*stopBelow/100, s.client.Workers()), r.limit/2)
	switch {
	case r.remaining <= reserve:
		v.Wait = max(v.Wait, r.untilReset(a))
	case r.remaining <= r.limit*slowBelow/100:
		v.Slower = true
	}
}

// readError reads Okta's form of an error. What isn't in that form has no code.
func readError(a cloud.Answer) *cloud.Error {
	var e struct {
		Code    string `json:"errorCode"`
		Summary string `json:"errorSummary"`
		ID      string `json:"errorId"`
		Causes  []struct {
			Summary string `json:"errorSummary"`
		} `json:"errorCauses"`
	}
	_ = json.Unmarshal(a.Body, &e) // a proxy's page, for one, is in no form: that is an error without a code
	said := e.Summary
	for _, cause := range e.Causes {
		said += ": " + cause.Summary
	}
	return &cloud.Error{Code: e.Code, Said: said, ID: cmp.Or(e.ID, a.Header.Get("X-Okta-Request-Id"))}
}

// Codes of Okta that something follows from.
const (
	codeForbidden = "E0000006"
	codeNotFound  = "E0000007"
	codeSearch    = "E0000031"
)

// wayOut says what to do about a refusal.
func (s *Source) wayOut(a cloud.Answer, e *cloud.Error) string {
	switch a.Status {
	case http.StatusUnauthorized:
		if s.tokens == nil {
			return "the API token is refused: it ends with its owner's account, 30 days after its last use, or outside its network zone; make a new one in Okta, under Security, API, Tokens, and set token"
		}
		return "the access token was refused twice; check org-url and this machine's clock"
	case http.StatusForbidden:
		if strings.Contains(a.Header.Get("Www-Authenticate"), "insufficient_scope") {
			return "grant the service app the scopes okta.users.read, okta.groups.read and okta.logs.read, on its page Okta API Scopes"
		}
		return "give " + s.whom() + " the role Read-only Administrator, in Okta under Security, Administrators; a network zone of the token may refuse this machine, too"
	case http.StatusNotFound:
		if e.Code == "" {
			return "check org-url: it is https://HOST and nothing else"
		}
	}
	return ""
}

// whom names who needs a role.
func (s *Source) whom() string {
	if s.tokens == nil {
		return "the account that owns the API token"
	}
	return "the service app"
}

// gone tells whether Okta says that there is no such object. A 404 that isn't in its form may be
// a proxy's, and nothing is removed for that.
func gone(err error) bool {
	e := cloud.Refusal(err)
	return e != nil && e.Status == http.StatusNotFound && e.Code == codeNotFound
}

// hidden tells whether Okta says that a single object isn't for us to see, when the lists are: the
// role leaves it out, and so do the lists.
func hidden(err error) bool {
	return cloud.Answered(err, http.StatusForbidden) && refusedAs(err, codeForbidden)
}
