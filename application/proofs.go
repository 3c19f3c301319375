package application

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"

	"github.com/rollcall-id/rollcall/models"
)

// proofs remembers which headers were checked against which stored passwords, so that a slow
// hash is computed once per password and not once per request. A stored password never
// changes, only comes and goes, so a proof can't become wrong: it counts as long as the
// password it names is still the application's.
type proofs struct {
	key   [32]byte // of this process only
	mu    sync.RWMutex
	known map[digest]proof
}

// proof says which password row of an application a header matched, zero for none, and which
// it did not. Rows are named one by one: one with a lower number may be committed later.
type proof struct {
	application models.ID
	key         string // of the application's name, as the header has it
	password    models.ID
	others      []models.ID
}

const maxProofs = 4096

func newProofs() *proofs {
	p := &proofs{known: map[digest]proof{}}
	rand.Read(p.key[:]) // never fails
	return p
}

// A digest stands for a header, so that no password is kept in memory.
type digest [sha256.Size]byte

// digest hashes a header behind the key. HMAC would guard against somebody who sees a digest and
// extends it, but nobody is shown one, and it would be paid for in every request.
func (p *proofs) digest(header string) digest {
	var room [256]byte // enough for nearly all, and no allocation
	return sha256.Sum256(append(append(room[:0], p.key[:]...), header...))
}

// get gives what is known of a header: an empty proof where that is nothing.
func (p *proofs) get(d digest) proof {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.known[d]
}

// of gives what is known of a header and one application.
func (p *proofs) of(d digest, application models.ID) proof {
	if known := p.get(d); known.application == application {
		return known
	}
	return proof{application: application}
}

func (p *proofs) put(d digest, found proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxProofs {
		clear(p.known)
	}
	p.known[d] = found
}
