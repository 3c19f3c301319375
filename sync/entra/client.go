package entra

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/rollcall-id/rollcall/sync/cloud"
)

// Broken answers: they are asked for again.
var (
	errNoList = errors.New("the answer has no list of values")
	errNoID   = errors.New("the answer has an object without an id")
)

// header goes with every request. Low priority: a sync gives way to what people wait for.
var header = http.Header{
	"Accept":                 {"application/json;odata.metadata=minimal"},
	"X-Ms-Throttle-Priority": {"low"},
}

// authorize puts the token on a request, and an id under which Microsoft's support finds it.
func (s *Source) authorize(r *http.Request, refused string) error {
	token, err := s.tokens.Get(r.Context(), refused)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", token.Header)
	r.Header.Set("Client-Request-Id", uuid.NewString())
	return nil
}

// slowAt is how much of our share is used up when we begin to ask more slowly.
const slowAt = 0.8

// judge says what Graph's answers mean.
func judge(a cloud.Answer) cloud.Verdict {
	v := cloud.Judge(a)
	if used, err := strconv.ParseFloat(a.Header.Get("X-Ms-Throttle-Limit-Percentage"), 64); err == nil && used >= slowAt {
		v.Slower = true
	}
	if a.OK() {
		return v
	}
	switch a.Status {
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked, http.StatusFailedDependency:
		v.Act = cloud.Retry // nothing that a read could bring about
	}
	v.Err = readError(a.Body)
	if v.Err.ID == "" {
		v.Err.ID = a.Header.Get("Request-Id")
	}
	v.Err.Hint = wayOut(a.Status, v.Err)
	return v
}

// readError reads Graph's form of an error. What isn't in that form has no code.
func readError(body []byte) *cloud.Error {
	var e struct {
		Error graphError `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil {
		return &cloud.Error{}
	}
	return e.Error.problem()
}

type graphError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Inner   struct {
		RequestID string `json:"request-id"`
	} `json:"innerError"` // or innererror: encoding/json takes any case
}

func (e *graphError) problem() *cloud.Error {
	return &cloud.Error{Code: e.Code, Said: e.Message, ID: e.Inner.RequestID}
}

// wayOut says what to do about a refusal by Graph.
func wayOut(status int, e *cloud.Error) string {
	switch status {
	case http.StatusUnauthorized:
		if e.Code == "Authorization_IdentityNotFound" {
			return "the tenant doesn't know the application any more: let an administrator consent in Entra, under App registrations, API permissions"
		}
		return "the token was refused twice; check graph-url, authority-url and this machine's clock, and that no conditional access policy blocks the application"
	case http.StatusForbidden:
		return "grant the application permissions User.Read.All and GroupMember.Read.All in Entra, with an administrator's consent; `rollcall directory test` says which one is missing"
	case http.StatusBadRequest, http.StatusNotImplemented:
		if strings.Contains(e.Said, "property") {
			return "check the names of the attributes in the directory's settings"
		}
	case http.StatusNotFound:
		if e.Code == "" {
			return "check graph-url: it ends in /v1.0"
		}
	}
	return ""
}

// gone tells whether Graph says that there is no such object. A 404 that isn't in its form may be
// anybody's, and nothing is removed because of it.
func gone(err error) bool {
	e := cloud.Refusal(err)
	return e != nil && e.Status == http.StatusNotFound && e.Code == "Request_ResourceNotFound"
}
