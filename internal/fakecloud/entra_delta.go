package fakecloud

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A deltaPlace is where a page of a delta query begins. What the first request asked for is baked
// into it: later ones can't ask for anything else.
type deltaPlace struct {
	Options string      `json:"o,omitempty"`
	From    int         `json:"f"` // changes from here on; everything when it is less than zero
	To      int         `json:"t"` // changes before this one
	At      int         `json:"a,omitempty"`
	Parts   []deltaPart `json:"p,omitempty"` // groups of which more is to come
	Issued  int64       `json:"i"`           // Unix time
	Era     int         `json:"e,omitempty"`
	Empty   bool        `json:"n,omitempty"`
	Round   int         `json:"r,omitempty"`
}

// everything is the From of a first round.
const everything = -1

// A deltaRound is one request of a delta query, understood.
type deltaRound struct {
	place   deltaPlace
	query   graphQuery
	ids     []string // of the filter; nil: all
	config  EntraConfig
	minimal bool // only what changed is asked for
}

// maxDeltaIDs is how many ids the filter of a delta query may name.
const maxDeltaIDs = 50

// openDelta reads a request of a delta query. It answers itself, and gives false, when there is
// nothing to read, be it that the client starts from now.
func (e *Entra) openDelta(w http.ResponseWriter, r *http.Request, about string) (d deltaRound, ok bool) {
	d.config = e.settings()
	q, ok := e.readQuery(w, r, "$select", "$filter", "$skiptoken", "$deltatoken")
	if !ok {
		return d, false
	}
	e.mu.Lock()
	era := e.era
	e.mu.Unlock()
	e.Directory.mu.RLock()
	changes := len(e.Directory.history)
	e.Directory.mu.RUnlock()

	var handedOut deltaPlace
	d.place = deltaPlace{Options: q.options, From: everything, To: changes, Era: era}
	switch {
	case q.tokenIs == "" || q.tokenIs == "$deltatoken" && q.token == "":
	case q.tokenIs == "$deltatoken" && q.token == "latest":
		e.write(w, r, graphPage{about: about, value: []byte("[]"), delta: e.deltaLink(r, d.place)})
		return d, false
	case q.options != "" || !e.places.open(r.URL.Path+"?"+q.tokenIs, q.token, &handedOut):
		return d, e.badQuery(w, r, "The "+q.tokenIs[1:]+" is not one that was handed out for this address.")
	default:
		d.place = handedOut
		if !e.checkDeltaAge(w, r, d, q.tokenIs, era, changes) {
			return d, false
		}
		if q.tokenIs == "$deltatoken" {
			d.place.From, d.place.To = d.place.To, changes
		}
	}
	if d.query, ok = e.bakedQuery(w, r, d.place.Options); !ok {
		return d, false
	}
	d.minimal = d.place.From != everything && strings.Contains(r.Header.Get("Prefer"), "return=minimal")
	if d.query.filter != nil {
		if d.ids, ok = d.query.filter.ids(); !ok || len(d.ids) > maxDeltaIDs {
			return d, e.badQuery(w, r, "A delta query can be filtered by at most 50 ids, and by nothing else.")
		}
	}
	return d, true
}

func (e *Entra) bakedQuery(w http.ResponseWriter, r *http.Request, options string) (graphQuery, bool) {
	baked := r.Clone(r.Context())
	baked.URL.RawQuery = options
	return e.readQuery(w, baked, "$select", "$filter")
}

// checkDeltaAge refuses a link that came too late, or that a reset has made worth nothing.
func (e *Entra) checkDeltaAge(w http.ResponseWriter, r *http.Request, d deltaRound, kind string, era, changes int) bool {
	age := e.now().Sub(time.Unix(d.place.Issued, 0))
	switch {
	case d.place.Era != era || d.place.To > changes: // the latter: the fake has started anew
		w.Header().Set("Location", e.startAgain(r))
		e.refuse(w, r, http.StatusGone, "resyncRequired", "Resync required. Replace any local items with the server's version.")
		return false
	case kind == "$skiptoken":
		return e.checkLinkAge(w, r, d.config, d.place.Issued)
	case age <= d.config.DeltaLife:
		return true
	case d.config.Stale == GoneWithLocation:
		w.Header().Set("Location", e.startAgain(r))
		e.refuse(w, r, http.StatusGone, "resyncRequired", "Resync required. Replace any local items with the server's version.")
	default:
		e.refuse(w, r, http.StatusBadRequest, "syncStateNotFound", "The sync state generation is not found; it may be expired. Data must be synchronized again.")
	}
	return false
}

// startAgain is where a client whose link is worth nothing begins again.
func (e *Entra) startAgain(r *http.Request) string {
	var place deltaPlace
	var options string
	for option := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, token, _ := strings.Cut(option, "="); name == "$skiptoken" || name == "$deltatoken" {
			if e.places.open(r.URL.Path+"?"+name, token, &place) && place.Options != "" {
				options = place.Options + "&"
			}
		}
	}
	return e.base(r) + r.URL.Path + "?" + options + "$deltatoken="
}

// deltaLink is where a client asks for what changes after this round.
func (e *Entra) deltaLink(r *http.Request, p deltaPlace) string {
	p = deltaPlace{Options: p.Options, To: p.To, Issued: e.now().Unix(), Era: p.Era}
	address := r.URL.Path + "?$deltatoken"
	return e.base(r) + address + "=" + e.places.seal(address, p)
}

func (e *Entra) deltaNextLink(r *http.Request, p deltaPlace) string {
	p.Issued = e.now().Unix()
	address := r.URL.Path + "?$skiptoken"
	return e.base(r) + address + "=" + e.places.seal(address, p)
}

// writeDelta writes one page. fill appends objects from the round's place on and moves it; it
// says whether there are more. The directory is locked meanwhile.
func (e *Entra) writeDelta(w http.ResponseWriter, r *http.Request, d deltaRound, about string, fill func(b []byte, p *deltaPlace) ([]byte, bool)) {
	b := graphBuffers.Get().(*[]byte)
	defer graphBuffers.Put(b)
	p := graphPage{about: about, value: append((*b)[:0], '[')}
	place, more := d.place, true
	fault, led := linkFault(r)
	switch {
	case led && fault.Do == EmptyPages:
		place.Round++
	case d.config.EmptyPages && !place.Empty && (place.At > 0 || len(place.Parts) > 0):
		place.Empty = true
	default:
		place.Empty, place.Round = false, 0
		e.Directory.mu.RLock()
		p.value, more = fill(p.value, &place)
		e.Directory.mu.RUnlock()
	}
	p.value = append(p.value, ']')
	*b = p.value
	if more || led {
		p.next = e.deltaNextLink(r, place)
	} else {
		p.delta = e.deltaLink(r, place)
	}
	if d.minimal {
		w.Header().Set("Preference-Applied", "return=minimal")
	}
	e.write(w, r, p)
}

// usersDelta answers GET /users/delta.
func (e *Entra) usersDelta(w http.ResponseWriter, r *http.Request, a graphAccess) {
	if !a.allOfUsers() {
		e.forbidden(w, r)
		return
	}
	d, ok := e.openDelta(w, r, "users")
	if !ok {
		return
	}
	fields, ok := e.selectUsers(w, r, a, d.query, usersWithoutSelect)
	if !ok {
		return
	}
	// A delta query gives the id whatever is selected.
	fields = slices.DeleteFunc(fields, func(f graphField[User]) bool { return f.name == "id" || f.name == d.config.DeltaLeavesOut })
	e.writeDelta(w, r, d, "users", func(b []byte, p *deltaPlace) ([]byte, bool) {
		next, last := e.userDeltas(p.From, p.To)
		room := d.config.DeltaPage
		if d.config.Replays && p.At > 0 {
			b, _ = e.appendUserDelta(b, d, fields, next(p.At-1))
		}
		for ; p.At < last; p.At++ {
			if room == 0 {
				return b, true
			}
			var shown bool
			if b, shown = e.appendUserDelta(b, d, fields, next(p.At)); shown {
				room--
			}
		}
		return b, false
	})
}

// userDeltas gives the i-th user of a round, and how many there are.
func (e *Entra) userDeltas(from, to int) (func(i int) userDelta, int) {
	if from == everything {
		return func(i int) userDelta { return userDelta{n: UserNo(i), life: unborn} }, e.Directory.userCount
	}
	changed := e.Directory.usersChanged(from, to)
	return func(i int) userDelta { return changed[i] }, len(changed)
}

// appendUserDelta appends what there is to say of one user, if anything.
func (e *Entra) appendUserDelta(b []byte, d deltaRound, fields []graphField[User], c userDelta) ([]byte, bool) {
	id := Member{UserMember, int(c.n)}
	u, state := e.Directory.user(c.n)
	switch {
	case d.ids != nil && !slices.Contains(d.ids, e.MemberID(id)), state == unborn:
		return b, false
	case state == gone && d.place.From == everything:
		return b, false
	case state != alive:
		return e.appendRemoved(append(comma(b), '{'), id, state), true
	case c.life == alive:
		changed := differing(e, fields, id.N, &c.before, &u)
		if len(changed) == 0 {
			return b, false
		}
		if d.minimal {
			fields = changed
		}
	}
	b = appendID(e, appendKey(append(comma(b), '{'), "id"), id)
	return append(appendFields(e, b, fields, id.N, &u, true), '}'), true
}

// appendRemoved says that an object is deleted: "changed" when it may come back.
func (e *Entra) appendRemoved(b []byte, id Member, state life) []byte {
	b = appendID(e, appendKey(b, "id"), id)
	if state == gone {
		return append(b, `,"@removed":{"reason":"deleted"}}`...)
	}
	return append(b, `,"@removed":{"reason":"changed"}}`...)
}

// withoutID leaves the id out of fields: a delta query gives it whatever is selected.
func withoutID[T any](fields []graphField[T]) []graphField[T] {
	return slices.DeleteFunc(fields, func(f graphField[T]) bool { return f.name == "id" })
}
