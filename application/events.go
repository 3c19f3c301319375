package application

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/store"
)

const (
	// startOverlap is how long another replica, which answers the search that follows a new
	// token, may lag behind.
	startOverlap = 2 * time.Second

	// startKeptFor is how long a client's full read may take. Jira takes a token before and
	// one after it and keeps the second: that must not lie behind the first.
	startKeptFor = time.Hour

	// maxEvents is how many changes a page of events may hold; a full read is cheaper than more.
	maxEvents = 50_000
)

// EventToken gives the token from which the application's next events count.
//
// Within an hour, and as long as nothing expired it, it is the same place that the application
// was given before, if the application has read everything since: its full read may have
// missed what changed meanwhile. Else it is the end of the feed as it was two seconds ago, or
// just behind what made tokens expire since.
func (v *View) EventToken(ctx context.Context) (string, error) {
	start, found, err := v.store.EventStart(ctx, v.app.ID)
	if err != nil {
		return "", err
	}
	if found && start.ReadAt != 0 && v.store.Now().Sub(start.GivenAt) < startKeptFor {
		_, _, err := v.changesSince(ctx, &v.store.Reads, start.Place)
		if err == nil {
			return v.token(start.Place), nil
		}
		if !models.Is(err, models.EventTokenExpired) {
			return "", err
		}
	}
	place, err := v.startPlace(ctx)
	if err != nil {
		return "", err
	}
	if err := v.store.GiveEventStart(ctx, v.app.ID, place); err != nil {
		return "", err
	}
	return v.token(place), nil
}

// startPlace gives the place from which a new token counts. A place from before a change that
// makes tokens expire would be worth nothing: the client would read everything twice.
func (v *View) startPlace(ctx context.Context) (store.Place, error) {
	place := v.store.PlaceBefore(startOverlap)
	err := v.store.Snapshot(ctx, func(r *store.Reads) error {
		end, err := r.Place(ctx)
		if err != nil {
			return err
		}
		changes, err := r.ChangesBetween(ctx, place, end, maxEvents+1)
		if len(changes) > maxEvents {
			place = end
			return err
		}
		for i := range changes {
			if v.expiredBy(&changes[i]) != "" {
				place = min(r.PlaceAfter(&changes[i]), end)
			}
		}
		return err
	})
	return place, err
}

// NoteFullRead comes before the application reads everything, by a search or the dump. What it
// then reads has all that was committed before, also by other processes: the application may have
// taken an event token from one of these, and will not be told again of what lies before that.
func (v *View) NoteFullRead(ctx context.Context) error {
	if v.reads != roster.Reads(&v.store.Reads) {
		if err := v.catchUp(ctx); err != nil {
			return err
		}
	}
	return v.store.NoteFullRead(ctx, v.app.ID)
}

// token writes a place so that it can't be made up, nor used by another application or with
// another database.
func (v *View) token(place store.Place) string {
	text := fmt.Sprintf("%s:%d:%d", v.store.InstallationID()[:8], v.app.ID, place)
	return text + ":" + hex.EncodeToString(v.store.Mark("event token", text)[:8])
}

func (v *View) readToken(token string) (store.Place, error) {
	parts := strings.Split(token, ":")
	if len(parts) == 4 {
		place, err := strconv.ParseInt(parts[2], 10, 64)
		if err == nil && v.token(store.Place(place)) == token { // guessing it is no use: it opens nothing
			return store.Place(place), nil
		}
	}
	return 0, expired("the token is unknown")
}

func expired(why string) error {
	return models.Fail(models.EventTokenExpired, "", "The event token has expired: "+why+". Read everything again.")
}

// Events gives what changed for the application since a token, in the order of the feed, and
// the token to go on from. EventTokenExpired when the application must read everything again.
func (v *View) Events(ctx context.Context, token string) (events []Event, next string, err error) {
	from, err := v.readToken(token)
	if err != nil {
		return nil, "", err
	}
	err = v.store.Snapshot(ctx, func(r *store.Reads) error {
		changes, to, err := v.changesSince(ctx, r, from)
		if err != nil {
			return err
		}
		next = v.token(to)
		events, err = v.replay(ctx, r, changes)
		return err
	})
	return events, next, err
}

// changesSince reads the feed from a place to its end, and tells whether a token for that place
// still counts.
func (v *View) changesSince(ctx context.Context, r *store.Reads, from store.Place) ([]models.Change, store.Place, error) {
	floor, err := r.FeedFloor(ctx)
	if err != nil {
		return nil, 0, err
	}
	to, err := r.Place(ctx)
	if err != nil {
		return nil, 0, err
	}
	if from < floor || from > to {
		return nil, 0, expired("it is too old")
	}
	changes, err := r.ChangesBetween(ctx, from, to, maxEvents+1)
	if err != nil {
		return nil, 0, err
	}
	if len(changes) > maxEvents {
		return nil, 0, expired("too much has changed since")
	}
	for i := range changes {
		if why := v.expiredBy(&changes[i]); why != "" {
			return nil, 0, expired(why)
		}
	}
	return changes, to, nil
}

// expiredBy tells why a change makes earlier tokens expire; empty when it doesn't.
func (v *View) expiredBy(c *models.Change) string {
	switch c.Kind {
	case models.ApplicationChanged, models.AliasChanged:
		if c.RowID == v.app.ID {
			return "what the application sees was configured anew"
		}
	case models.ApplicationSync:
		if c.RowID == v.app.ID {
			return "an operator asked for a full synchronisation"
		}
	case models.DirectoryChanged, models.DirectoryDeleted:
		if v.mapped(c.DirectoryID) {
			return "a directory was changed"
		}
	case models.DirectoryReplaced:
		if v.mapped(c.DirectoryID) {
			return "a directory was replaced"
		}
	case models.UserRenamed:
		// Atlassian's client matches events by name alone: only its full read follows an id.
		if v.mapping(c.DirectoryID) != nil {
			return "a user was renamed"
		}
	}
	return ""
}

// mapped tells whether the application is mapped to a directory, active or not.
func (v *View) mapped(id models.ID) bool {
	for i := range v.app.Mappings {
		if v.app.Mappings[i].DirectoryID == id {
			return true
		}
	}
	return false
}
