package password

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MaxLength is the longest password in bytes; a longer one is refused unhashed.
	MaxLength = 1024

	// None is the credential of a user without a password: none opens it. Crowd
	// stores the same letter, so imports need no translation.
	None = "X"

	maxWaiting = 1024            // passwords that wait for a slot
	maxWait    = 2 * time.Second // for a slot: rides out a burst, ends before a client gives up
)

var (
	// ErrBusy says that too many passwords wait already, or that this one waited for
	// too long. Nothing is known about the password: ask the caller to try later.
	ErrBusy = errors.New("too many passwords are being checked")

	// ErrTooLong says that the password has more than MaxLength bytes.
	ErrTooLong = fmt.Errorf("password is longer than %d bytes", MaxLength)
)

// A Hasher hashes and checks passwords, a bounded number of them at once. It is safe
// for concurrent use, and bounds the process only if the process has just one.
type Hasher struct {
	params   Params
	decoy    string
	queue    int64         // how many may wait
	patience time.Duration // how long each may wait
	slots    chan struct{} // holds one value for each running hash
	garbage  garbage

	running, waiting atomic.Int64
	done, refused    atomic.Uint64
}

// NewHasher returns a Hasher that writes hashes with the parameters p and runs atOnce
// of them at the same time, GOMAXPROCS if that is zero. More threads or cores than
// that gain nothing: a hash keeps its core busy. NewHasher panics on parameters that
// Params.Validate refuses; settings ask that first.
func NewHasher(p Params, atOnce int) *Hasher {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	if atOnce <= 0 {
		atOnce = runtime.GOMAXPROCS(0)
	}
	return &Hasher{
		params:   p,
		decoy:    decoy(p),
		queue:    maxWaiting,
		patience: maxWait,
		slots:    make(chan struct{}, atOnce),
	}
}

// Hash returns the credential to store for password: argon2id with the Hasher's
// parameters and a new salt. It hashes the bytes as they are, in whatever Unicode form
// they came. The errors are ErrTooLong, ErrBusy and the context's own.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxLength {
		return "", ErrTooLong
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	encoded := hashArgon2id(h.params, password)
	h.computed(h.params)
	return encoded, nil
}

// A Verdict is the answer of Check.
type Verdict struct {
	OK bool // the password is right

	// Upgrade comes with OK only. It says that the credential is of an older scheme,
	// or has other parameters than ours, and that Hash of the same password may
	// replace it.
	Upgrade bool
}

// Check tells whether password opens the credential encoded. An empty password opens
// none, and none opens None; both are answered without hashing.
//
// A password that is wrong as it came is tried once more in Unicode's composed form
// (NFC), in the same slot: macOS sends "é" as two code points where browsers and Jira
// send one. Such a match never asks for an upgrade, since hashing the decomposed
// spelling would lock the composed one out.
//
// The errors are ErrTooLong, ErrBusy, the context's own, and for a credential that
// Accepts refuses one that wraps ErrUnknownScheme.
func (h *Hasher) Check(ctx context.Context, encoded, password string) (Verdict, error) {
	if len(password) > MaxLength {
		return Verdict{}, ErrTooLong
	}
	if encoded == None || password == "" {
		return Verdict{}, nil
	}
	c, err := parse(encoded)
	if err != nil {
		return Verdict{}, err
	}
	if c.slow {
		leave, err := h.enter(ctx)
		if err != nil {
			return Verdict{}, err
		}
		defer leave()
	}
	if h.matches(c, password) {
		return Verdict{OK: true, Upgrade: !c.writtenWith(h.params)}, nil
	}
	if composed, differs := compose(password); differs {
		return Verdict{OK: h.matches(c, composed)}, nil
	}
	return Verdict{}, nil
}

// Decoy returns a credential that no password opens and that costs as much to check as
// one that this Hasher wrote. Checking it for a user who does not exist keeps the time
// of the answer from telling so.
func (h *Hasher) Decoy() string { return h.decoy }

// Stats are the numbers of one moment, for metrics. They count what takes a slot:
// hashes of the slow schemes.
type Stats struct {
	Slots   int // how many hashes may run at once
	Running int
	Waiting int

	Done    uint64 // hashes computed since the start; a second Unicode form counts as well
	Refused uint64 // passwords answered with ErrBusy since the start
}

// Stats returns the numbers of this moment.
func (h *Hasher) Stats() Stats {
	return Stats{
		Slots:   cap(h.slots),
		Running: int(h.running.Load()),
		Waiting: int(h.waiting.Load()),
		Done:    h.done.Load(),
		Refused: h.refused.Load(),
	}
}

// enter takes a slot, waiting for it if need be. Waiting passwords get theirs in the
// order in which they came.
func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start a password hash: %w", err)
	}
	select {
	case h.slots <- struct{}{}:
	default:
		if err := h.wait(ctx); err != nil {
			return nil, err
		}
	}
	h.running.Add(1)
	return h.leave, nil
}

func (h *Hasher) wait(ctx context.Context) error {
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > h.queue {
		h.refused.Add(1)
		return ErrBusy
	}
	timer := time.NewTimer(h.patience)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-timer.C:
		h.refused.Add(1)
		return ErrBusy
	case <-ctx.Done():
		return fmt.Errorf("wait for a password hash: %w", ctx.Err())
	}
}

func (h *Hasher) leave() {
	h.running.Add(-1)
	<-h.slots
}

func (h *Hasher) matches(c credential, password string) bool {
	ok := c.matches(password)
	if c.slow {
		h.computed(c.params)
	}
	return ok
}

// computed notes that a hash was computed; p is zero when it was not argon2id. The
// slot is still held, so a collection here holds back the next hash.
func (h *Hasher) computed(p Params) {
	h.done.Add(1)
	h.garbage.add(uint64(p.Memory) << 10)
}

// compose returns the composed form of password if there is another one to try.
// Invalid UTF-8 is just bytes and has none.
func compose(password string) (composed string, differs bool) {
	if !utf8.ValidString(password) || norm.NFC.IsNormalString(password) {
		return password, false
	}
	composed = norm.NFC.String(password)
	return composed, len(composed) <= MaxLength
}
