package application

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
)

// Authenticate finds out which application calls, in Crowd's order: name, address, password.
// So a wrong address is reported (AddressForbidden) also when the password is wrong, as long
// as the name exists. Everything else is AppUnauthorized.
//
// What another process changed a moment ago counts: before a refusal the feed is read.
func (s *Service) Authenticate(ctx context.Context, authorization string, caller Caller) (*View, error) {
	seen := s.registry.dropped.Load() // asked first: what changes from here on may be missing in the answer
	d := s.proofs.digest(authorization)
	if known := s.proofs.get(d); known.password != 0 {
		v, err := s.recognize(ctx, known, caller)
		if v != nil || err != nil {
			return v, err
		}
	}
	name, secret, ok := parseBasic(authorization)
	if !ok {
		return nil, models.Fail(models.AppUnauthorized, "", "")
	}
	v, err := s.authenticate(ctx, name, secret, d, caller)
	if models.Is(err, models.AppUnauthorized) || models.Is(err, models.AddressForbidden) {
		if cerr := s.store.CatchUp(ctx); cerr != nil {
			return nil, cerr
		}
		if s.registry.dropped.Load() != seen {
			v, err = s.authenticate(ctx, name, secret, d, caller)
		}
	}
	if err != nil {
		s.refused(err, name, caller)
		return nil, err
	}
	return v, nil
}

// recognize lets in who called before with the same header, as nearly everybody did. It gives
// nothing where any of it is otherwise now: then all is checked in Crowd's order.
func (s *Service) recognize(ctx context.Context, known proof, caller Caller) (*View, error) {
	c, err := s.configured(ctx)
	if err != nil {
		return nil, fmt.Errorf("authenticate application: %w", err)
	}
	a := c.apps[known.key]
	now := s.store.Now()
	if a == nil || a.ID != known.application || !a.Active || !a.valid(known.password, now) ||
		!a.addresses.allow(ctx, s.hosts, caller.Address) {
		return nil, nil
	}
	return newView(s, a, caller, now)
}

func (s *Service) authenticate(ctx context.Context, name string, secret models.Secret, d digest, caller Caller) (*View, error) {
	c, err := s.configured(ctx)
	if err != nil {
		return nil, fmt.Errorf("authenticate application: %w", err)
	}
	a := c.apps[models.Key(name)]
	if a == nil || !a.Active {
		return nil, models.Fail(models.AppUnauthorized, name, "")
	}
	if !a.addresses.allow(ctx, s.hosts, caller.Address) {
		return nil, models.Fail(models.AddressForbidden, a.Name, "")
	}
	right, err := s.proven(ctx, a, d, secret)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, models.Fail(models.AppUnauthorized, a.Name, "")
	}
	return newView(s, a, caller, s.store.Now())
}

// refused writes down who was refused; the audit log bounds how often.
func (s *Service) refused(err error, name string, caller Caller) {
	code := models.CodeOf(err)
	if code != models.AppUnauthorized && code != models.AddressForbidden {
		return
	}
	by := models.Actor{Kind: models.ActorApplication, Name: printable(name), Address: address(caller), Request: caller.Request}
	s.audit.Refused(by, "app.refused", string(code), by.Name, "")
	if c := s.registry.current.Load(); c != nil {
		if a := c.apps[models.Key(name)]; a != nil {
			status := map[models.Code]int{models.AppUnauthorized: 401, models.AddressForbidden: 403}[code]
			s.store.NoteCall(models.Call{ApplicationID: a.ID, At: s.store.Now(), Address: by.Address, Status: status, Reason: string(code)})
		}
	}
}

func printable(name string) string {
	name = strings.ToValidUTF8(name, "?")
	if models.TextProblem(name, models.MaxName) != "" {
		return "(unprintable)"
	}
	return name
}

func address(c Caller) string {
	if !c.Address.IsValid() {
		return ""
	}
	return c.Address.String()
}

// A writtenAddress is an address and how it is written.
type writtenAddress struct {
	address netip.Addr
	text    string
}

// address is how the caller's address is written. An application calls from few, so the latest is
// kept.
func (a *app) address(c Caller) string {
	last := a.caller.Load()
	if last == nil || last.address != c.Address {
		last = &writtenAddress{c.Address, address(c)}
		a.caller.Store(last)
	}
	return last.text
}

// parseBasic reads an Authorization header (RFC 7617): the scheme in any case, the pair split
// at its first colon, UTF-8 or else Latin-1.
func parseBasic(header string) (name string, secret models.Secret, ok bool) {
	scheme, encoded, found := strings.Cut(strings.TrimSpace(header), " ")
	if !found || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	encoded = strings.TrimRight(strings.TrimSpace(encoded), "=")
	pair, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	if !utf8.Valid(pair) {
		pair = latin1(pair)
	}
	user, pass, found := strings.Cut(string(pair), ":")
	if !found || user == "" {
		return "", "", false
	}
	return user, models.Secret(pass), true
}

func latin1(b []byte) []byte {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return []byte(string(runes))
}

// proven tells whether the header's password is one of the application's that are valid now.
func (s *Service) proven(ctx context.Context, a *app, d digest, secret models.Secret) (bool, error) {
	now := s.store.Now()
	if known := s.proofs.of(d, a.ID); known.password != 0 && a.valid(known.password, now) {
		return true, nil
	}
	// A client opens many connections at once: they wait for one hash, not for one each.
	right, err, _ := s.proving.Do(fmt.Sprintf("%x %p", d, a), func() (any, error) {
		return s.prove(context.WithoutCancel(ctx), a, d, now, secret)
	})
	if err != nil {
		return false, err
	}
	return right.(bool), nil
}

// valid tells whether a password is one of the application's that are valid now.
func (a *app) valid(password models.ID, now models.Time) bool {
	for i := range a.Passwords {
		if p := &a.Passwords[i]; p.ID == password {
			return p.ValidAt(now)
		}
	}
	return false
}

// prove computes which of the application's passwords the header has, and remembers it.
func (s *Service) prove(ctx context.Context, a *app, d digest, now models.Time, secret models.Secret) (bool, error) {
	known := s.proofs.of(d, a.ID)
	found := proof{application: a.ID, key: a.Key}
	for _, p := range a.Passwords {
		if !p.ValidAt(now) {
			continue
		}
		right := p.ID == known.password // found meanwhile
		if !right && !slices.Contains(known.others, p.ID) {
			var err error
			if right, err = s.opens(ctx, a, p, secret); err != nil {
				return false, err
			}
		}
		if right {
			found.password = p.ID
			break
		}
		found.others = append(found.others, p.ID)
	}
	s.proofs.put(d, found)
	return found.password != 0, nil
}

// opens computes whether a secret is the stored password.
func (s *Service) opens(ctx context.Context, a *app, p models.ApplicationPassword, secret models.Secret) (bool, error) {
	verdict, err := s.hasher.Check(ctx, p.Hash.Reveal(), secret.Reveal())
	switch {
	case errors.Is(err, password.ErrBusy):
		return false, &models.Error{Code: models.Busy, Message: "Too many passwords are being checked at the moment; try again shortly.", Err: err}
	case errors.Is(err, password.ErrTooLong):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("check the password of application %s: %w", a.Name, err)
	}
	return verdict.OK, nil
}
