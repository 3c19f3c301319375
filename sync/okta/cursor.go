package okta

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// A cursor is a moment by Okta's clock, and where the System Log goes on after it.
type cursor struct {
	Since time.Time `json:"since"`
	Log   string    `json:"log,omitempty"` // path and query of the link; empty: the log is read from Since on
	// Asked are users who were asked for one by one lately, and why. The search may be behind for
	// longer than a run takes, and would bring back who was deleted meanwhile.
	Asked hints `json:"asked,omitempty"`
}

const (
	// overlap is how much of what was told already is asked for again: Okta's search finds a
	// change some seconds, at bad times minutes, after it was made.
	overlap = 15 * time.Minute
	// longestGap is how old a cursor may be. The log goes back 90 days, but nobody says for how
	// long a link into it is good.
	longestGap = 7 * 24 * time.Hour
)

// Begin gives the moment from which Changes can tell what changed; none when the System Log may
// not be read, which alone tells of deleted users and groups.
func (s *Source) Begin(ctx context.Context) (dirsync.Cursor, error) {
	var now time.Time
	err := s.client.Do(ctx, cloud.Request{URL: query(logPath, "limit", "1"), Take: func(a cloud.Answer) error {
		now = a.ServerTime()
		_, err := decodeEvents(a.Body)
		return err
	}})
	switch {
	case cloud.Answered(err, http.StatusForbidden, http.StatusNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the System Log: %w", err)
	}
	return cursor{Since: now}.write()
}

func (c cursor) write() (dirsync.Cursor, error) {
	data, err := json.Marshal(c)
	return dirsync.Cursor(data), err
}

// readCursor reads a cursor that still counts at a time.
func readCursor(text dirsync.Cursor, now time.Time) (cursor, error) {
	var c cursor
	if json.Unmarshal([]byte(text), &c) != nil || c.Since.IsZero() || c.Log != "" && !strings.HasPrefix(c.Log, logPath+"?") {
		return c, &dirsync.FullRead{Reason: "the place to go on from can't be read"}
	}
	if gap := now.Sub(c.Since); gap > longestGap {
		return c, &dirsync.FullRead{Reason: fmt.Sprintf("the last complete run was %d days ago", int(gap.Hours()/24))}
	}
	return c, nil
}
