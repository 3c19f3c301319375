package google

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// authorize puts the token on a request.
func (s *Source) authorize(r *http.Request, refused string) error {
	token, err := s.tokens.Get(r.Context(), refused)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", token.Header)
	return nil
}

// patience are the reasons of a 403 that goes away by itself. Google says "too fast" with the
// same status as "you may not".
var patience = []string{"quotaExceeded", "userRateLimitExceeded", "rateLimitExceeded"}

// waysOut are what to do about a refusal, by its reason.
var waysOut = map[string]string{
	"invalid":                 wrongSetting,
	"badRequest":              wrongSetting,
	"notFound":                wrongSetting,
	"forbidden":               "the subject may not read this: give it an administrator's role with the privileges Users > Read and Groups > Read, in the Admin console under Account, Admin roles",
	"insufficientPermissions": "the access token lacks a scope: " + delegate,
	"accessNotConfigured":     "switch the Admin SDK API on in the service account's Google Cloud project, and wait some minutes",
	"domainCannotUseApis":     "the account may not use the API: it is suspended, not paid for, or API access is blocked under Security, API controls in the Admin console",
	"dailyLimitExceeded":      "the project's requests of today are used up: wait until tomorrow, or ask Google for more in the Cloud console under IAM & Admin, Quotas",
	"authError":               "the token was refused twice: check this machine's clock, and that the service account still exists",
}

const wrongSetting = "if all users or groups were asked for, check the settings customer (" + MyCustomer + ", or the account's id, C…) and attributes (a schema of customSchemas must be there)"

const delegate = "in the Admin console, under Security, API controls, Domain-wide delegation, the service account's client id needs it"

// judge says what the Directory API's answers mean.
func judge(a cloud.Answer) cloud.Verdict {
	v := cloud.Judge(a)
	if a.OK() {
		return v
	}
	v.Err = readError(a.Body)
	v.Err.Hint = waysOut[v.Err.Code]
	if a.Status == http.StatusForbidden && slices.Contains(patience, v.Err.Code) {
		wait, _ := a.RetryAfter()
		v.Act, v.Wait, v.Throttled = cloud.Retry, wait, true
	}
	if a.Status == http.StatusNotFound && v.Err.Code == "" {
		v.Err.Hint = "check directory-url: it is the root, without a path (" + PublicDirectory + ")"
	}
	return v
}

// readError reads Google's form of an error, the old one and the new one. The reason is its code:
// a status alone says little.
func readError(body []byte) *cloud.Error {
	var e struct {
		Error struct {
			Message string
			Errors  []struct{ Reason, Message string }
			Status  string
			Details []struct{ Reason string }
		}
	}
	if json.Unmarshal(body, &e) != nil {
		return &cloud.Error{}
	}
	code := cmp.Or(newReasons[e.Error.Status], e.Error.Status)
	for _, detail := range e.Error.Details {
		code = cmp.Or(newReasons[detail.Reason], code)
	}
	if len(e.Error.Errors) > 0 {
		code = cmp.Or(e.Error.Errors[0].Reason, code)
	}
	return &cloud.Error{Code: code, Said: strings.TrimSuffix(e.Error.Message, ".")}
}

// newReasons are the old names of what newer back ends call otherwise.
var newReasons = map[string]string{
	"INVALID_ARGUMENT":                "invalid",
	"NOT_FOUND":                       "notFound",
	"PERMISSION_DENIED":               "forbidden",
	"UNAUTHENTICATED":                 "authError",
	"SERVICE_DISABLED":                "accessNotConfigured",
	"ACCESS_TOKEN_SCOPE_INSUFFICIENT": "insufficientPermissions",
	"RATE_LIMIT_EXCEEDED":             "rateLimitExceeded",
}

// readable says whether an answer can be read at all; one that can't be is asked for again.
func readable(a cloud.Answer) error {
	if !json.Valid(a.Body) {
		return errors.New("the answer is no JSON, or only a part of it")
	}
	return nil
}

// problem takes from an error what Google's client and net/http put around ours: they repeat the
// whole address.
func problem(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}
	return err
}

// gone tells whether Google says that there is no such object, or no longer: of a user who was
// deleted and can still be restored it says so in a 412. A 404 that isn't in its form may be
// anybody's, and nothing is removed because of it.
func gone(err error) bool {
	e := cloud.Refusal(err)
	switch {
	case e == nil:
		return false
	case e.Status == http.StatusPreconditionFailed:
		return e.Code == "conditionNotMet" && strings.HasSuffix(e.Said, "is deleted")
	}
	return e.Status == http.StatusNotFound && e.Code == "notFound"
}

// refused tells whether an error is a refusal for one of these reasons.
func refused(err error, reasons ...string) bool {
	e := cloud.Refusal(err)
	return e != nil && e.Status == http.StatusForbidden && slices.Contains(reasons, e.Code)
}

// Ends of lists that seem to have none: ten million users, and so many pages without anybody.
const (
	mostPages      = 20_000
	mostEmptyPages = 100
)

// A fetcher asks for the page of a token, and says how much was in it and what the next one is.
type fetcher func(token string) (items int, next string, err error)

// pages reads a list from a checkpoint on; send passes on what was fetched. A page token is good
// for three days; when one is refused, the list is read from its start, once: what was sent may
// be sent again.
func (s *Source) pages(ctx context.Context, what string, from dirsync.Checkpoint, fetch fetcher, send func(dirsync.Checkpoint) error) error {
	err := s.follow(ctx, what, string(from), fetch, send)
	var old *oldToken
	if errors.As(err, &old) {
		err = s.follow(ctx, what, "", fetch, send)
	}
	return err
}

// An oldToken is the refusal of a page token.
type oldToken struct{ error }

func (e *oldToken) Unwrap() error { return e.error }

func (s *Source) follow(ctx context.Context, what, token string, fetch fetcher, send func(dirsync.Checkpoint) error) error {
	chain := s.client.Chain(what, mostPages)
	for n, empty := 1, 0; ; n++ {
		items, next, err := fetch(token)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			err = fmt.Errorf("%s: page %d: %w", what, n, problem(err))
			if token != "" && cloud.Answered(err, http.StatusBadRequest) {
				return &oldToken{err}
			}
			return err
		}
		if empty++; items > 0 {
			empty = 0
		}
		if next != "" {
			if empty >= mostEmptyPages {
				return fmt.Errorf("%s: %d pages without anything came one after the other, and there is no end; run again, and report it to Google if it stays", what, empty)
			}
			if err := chain.Follow(s.client.Root().String() + "/?pageToken=" + url.QueryEscape(next)); err != nil {
				return err
			}
		}
		if err := send(dirsync.Checkpoint(next)); err != nil {
			return err
		}
		if token = next; token == "" {
			return nil
		}
	}
}

// each does something for each of many, several at once. The first error ends it.
func (s *Source) each(ctx context.Context, ids []string, do func(ctx context.Context, id string) error) error {
	all, until := errgroup.WithContext(ctx)
	all.SetLimit(s.client.Workers())
	for _, id := range ids {
		if until.Err() != nil {
			break
		}
		all.Go(func() error { return do(until, id) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// clock says how far clocks differ.
func clock(ahead time.Duration) string {
	ahead = ahead.Round(time.Second)
	if ahead < 0 {
		return fmt.Sprintf("this machine's clock is %v ahead of Google's: set it right", -ahead)
	}
	return fmt.Sprintf("this machine's clock is %v behind Google's: set it right", ahead)
}

// notGoogles is what comes from something else than the Directory API: it must not be taken for
// an empty list.
func notGoogles(kind, want string) error {
	if kind == want {
		return nil
	}
	return fmt.Errorf("the answer is no list of the Directory API (%s): check directory-url, and whether a proxy answered", strings.TrimPrefix(want, "admin#directory#"))
}
