package okta

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

const (
	logPath   = "/api/v1/logs"
	logFilter = `eventType eq "group.user_membership.add" or eventType eq "group.user_membership.remove"` +
		` or eventType sw "group.lifecycle." or eventType eq "group.profile.update"` +
		` or eventType sw "user.lifecycle." or eventType eq "user.account.update_profile"` +
		` or eventType sw "system.import.user." or eventType sw "system.import.group."`
)

// mostEvents bounds what is read of the log: above it a full read costs less.
const mostEvents = 200_000

// A hint is what the System Log says of one user or group. The log isn't complete, and its
// order isn't that of what happened: a hint says only which id to look at again.
type hint struct {
	Latest  time.Time `json:"latest"`
	Deleted bool      `json:"deleted,omitempty"`
}

// hints are what the log says of users, or of groups, by id.
type hints map[string]hint

// found takes back what the log says of something that was found and is as new. Deleted it may be
// all the same.
func (h hints) found(id string, changed ...time.Time) {
	for _, at := range changed {
		if known := h[id]; !known.Deleted && !known.Latest.After(at.Add(indexBehind)) {
			delete(h, id)
		}
	}
}

// A news is what a part of the log says.
type news struct{ users, groups hints }

// An event is a line of the System Log.
type event struct {
	Type      string    `json:"eventType"`
	Published time.Time `json:"published"`
	Targets   []struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"target"`
}

func decodeEvents(body []byte) ([]event, error) {
	return decodeList(body, func(*event) bool { return true })
}

func (n *news) add(e *event) {
	deleted := strings.Contains(e.Type, ".delete")
	for _, target := range e.Targets {
		var of hints
		switch {
		case target.Type == "User" && !strings.HasPrefix(e.Type, "group."):
			of = n.users // a membership doesn't change the user
		case target.Type == "UserGroup":
			of = n.groups
		}
		if of == nil || target.ID == "" {
			continue
		}
		known := of[target.ID]
		if e.Published.After(known.Latest) {
			known.Latest = e.Published
		}
		known.Deleted = known.Deleted || deleted
		of[target.ID] = known
	}
}

// readLog reads the System Log from a cursor to its end, and gives the cursor of the next run:
// Okta's time when this was begun, and the link that will go on.
func (s *Source) readLog(ctx context.Context, c cursor) (n news, next cursor, err error) {
	n = news{hints{}, hints{}}
	link := c.Log
	if link == "" {
		link = query(logPath, "since", oktaTime(c.Since.Add(-overlap)), "sortOrder", "ASCENDING", "limit", "1000", "filter", logFilter)
	}
	chain := s.client.Chain("read the System Log", mostPages)
	for count := 0; ; {
		events, after, at, err := s.readEvents(ctx, link)
		if err != nil {
			return n, next, err
		}
		if next.Since.IsZero() {
			next.Since = at
		}
		for i := range events {
			n.add(&events[i])
		}
		if count += len(events); count > mostEvents {
			return n, next, &dirsync.FullRead{Reason: fmt.Sprintf("Okta's System Log has more than %d events since the last run", mostEvents)}
		}
		// A polled log has ended when nothing comes any more. It always has a next link, which may
		// stay the same until something happens.
		ended := len(events) == 0
		if !ended && after == "" {
			return n, next, &dirsync.FullRead{Reason: "Okta's System Log came without a link to what comes next; a proxy may take Link headers away"}
		}
		next.Log = cmp.Or(withoutHost(after), link)
		if !ended || next.Log != link {
			if err := chain.Follow(after); err != nil {
				return n, next, err
			}
		}
		if ended {
			return n, next, nil
		}
		link = next.Log
	}
}

// readEvents reads a page of the System Log, and when Okta sent it.
func (s *Source) readEvents(ctx context.Context, link string) (events []event, next string, at time.Time, err error) {
	err = s.client.Do(ctx, cloud.Request{URL: link, Take: func(a cloud.Answer) (err error) {
		next, at = nextLink(a.Header), a.ServerTime()
		events, err = decodeEvents(a.Body)
		return err
	}})
	switch {
	case cloud.Answered(err, http.StatusBadRequest, http.StatusNotFound, http.StatusGone):
		err = &dirsync.FullRead{Reason: "Okta's System Log can't be read on from where the last run ended: " + err.Error()}
	case cloud.Answered(err, http.StatusForbidden):
		err = &dirsync.FullRead{Reason: "Okta's System Log can't be read: " + err.Error()}
	case err != nil:
		err = fmt.Errorf("read the System Log: %w", err)
	}
	return events, next, at, err
}

// withoutHost leaves the path and query of a link: a cursor stays good when the org's address
// is written in another way, and can't lead elsewhere.
func withoutHost(link string) string {
	if i := strings.Index(link, logPath); i >= 0 {
		return link[i:]
	}
	return link
}

// oktaTime is a time as Okta writes it.
func oktaTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
