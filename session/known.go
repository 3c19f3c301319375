package session

import (
	"maps"
	"sync"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

// known keeps sessions that were found a moment ago: an application asks for the same one with
// every page that it shows. Whatever ends a session stands in the feed, which drops it here: at
// once for this process, within a second for others.
//
// A copy may be older than the row, never the other way about in what counts: uses only move a
// session's end away. So one that looks ended is read again.
type known struct {
	mu      sync.Mutex
	byToken map[string]models.Session // by the token's hash
	dropped int                       // how often something was dropped
}

// maxKnown is how many sessions are kept; each takes some 300 bytes.
const maxKnown = 10_000

// staleFeed is how long after the feed was last read a copy still counts. It is read each second.
const staleFeed = 2 * time.Second

// get gives a copy of the session of a token's hash; a session that is read because there is none
// is handed to put together with seen.
func (k *known) get(hash []byte) (found models.Session, ok bool, seen int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok = k.byToken[string(hash)]
	return found, ok, k.dropped
}

// put keeps a session, unless something was dropped while it was being read.
func (k *known) put(s models.Session, seen int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dropped != seen {
		return
	}
	if len(k.byToken) >= maxKnown {
		for any := range k.byToken {
			delete(k.byToken, any)
			break
		}
	}
	s.Sealed = nil // nobody asks a copy for it
	k.byToken[string(s.TokenHash)] = s
}

// heed drops what a change may have ended.
func (k *known) heed(changes []models.Change) {
	for _, c := range changes {
		switch c.Kind {
		case models.SessionsEnded, models.UserDeleted:
			k.drop(func(s models.Session) bool { return s.UserID == c.RowID || c.RowID == 0 })
		case models.DirectoryDeleted, models.DirectoryReplaced:
			k.drop(func(models.Session) bool { return true })
		}
	}
}

func (k *known) drop(ended func(models.Session) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropped++
	maps.DeleteFunc(k.byToken, func(_ string, s models.Session) bool { return ended(s) })
}
