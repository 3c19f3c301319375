package login

import (
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
)

// Options say how logins are answered.
type Options struct {
	// TellDenied makes Authenticate answer LoginDenied to the right person who may not use
	// the application. Without it the answer is that of a wrong password: clients read the
	// other one as a fault of their own configuration.
	TellDenied bool

	// Count is called with the outcome of each login; nil: nobody counts.
	Count func(Outcome)

	// Letters says whether, and with which links, people get letters: reset.go.
	Letters LetterOptions
}

// A Service decides logins. It is safe for concurrent use.
type Service struct {
	store       *store.Store
	directories *directory.Service
	sessions    *session.Service
	refusals    *audit.Log
	o           Options
}

// New makes the service.
func New(st *store.Store, directories *directory.Service, sessions *session.Service, refusals *audit.Log, o Options) *Service {
	if o.Count == nil {
		o.Count = func(Outcome) {}
	}
	return &Service{store: st, directories: directories, sessions: sessions, refusals: refusals, o: o}
}
