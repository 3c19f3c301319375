package entra

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
)

// linkLife is how long we trust a delta link. Entra keeps one for seven days.
const linkLife = 6 * 24 * time.Hour

// A cursor is what Changes goes on from.
type cursor struct {
	Users  deltaLink `json:"users"`
	Groups deltaLink `json:"groups"`
	// Asked is a hash of the address and of the fields: Entra has the fields in the link, so
	// that others need other links.
	Asked string `json:"asked"`
}

// A deltaLink is an address that tells what changed since it was made.
type deltaLink struct {
	Link string    `json:"link"`
	Made time.Time `json:"made"`
}

// moved is the link for the next time. An unchanged link is as old as it was.
func (l deltaLink) moved(link string, now time.Time) deltaLink {
	if link == l.Link {
		return l
	}
	return deltaLink{Link: link, Made: now.UTC()}
}

func (s *Source) asked() string {
	sum := sha256.Sum256([]byte(s.client.Root().String() + "\n" + s.users.fields + "\n" + groupDeltaFields))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func (c cursor) pack() (dirsync.Cursor, error) {
	text, err := json.Marshal(c)
	return dirsync.Cursor(text), err
}

// unpack reads a cursor; *dirsync.FullRead when it no longer counts.
func (s *Source) unpack(since dirsync.Cursor) (cursor, error) {
	var c cursor
	if err := json.Unmarshal([]byte(since), &c); err != nil || c.Users.Link == "" || c.Groups.Link == "" {
		return c, &dirsync.FullRead{Reason: "what the last run remembered can't be read"}
	}
	if c.Asked != s.asked() {
		return c, &dirsync.FullRead{Reason: "the address or the attributes that are asked for have changed"}
	}
	for _, link := range []deltaLink{c.Users, c.Groups} {
		if age := s.now().Sub(link.Made); age > linkLife {
			return c, &dirsync.FullRead{Reason: fmt.Sprintf("the last run's delta link is %d days old, and Entra keeps one for 7 days", int(age.Hours()/24))}
		}
	}
	return c, nil
}
