package login

import (
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// An Outcome says how a login ended, for metrics and for the audit log.
type Outcome string

// The outcomes.
const (
	Accepted      Outcome = "accepted"
	UnknownUser   Outcome = "unknown-user"
	Inactive      Outcome = "inactive"
	NoPassword    Outcome = "no-password" // none that could be compared: none is stored, or too many were wrong
	WrongPassword Outcome = "wrong-password"
	Delayed       Outcome = "delayed" // not looked at: too many were wrong just now
	Expired       Outcome = "expired"
	Denied        Outcome = "denied" // the right person, outside the access groups
	Busy          Outcome = "busy"   // nothing is known: too many passwords wait
	Failed        Outcome = "failed" // nothing is known: something of ours is broken
)

// Outcomes lists every outcome.
var Outcomes = []Outcome{Accepted, UnknownUser, Inactive, NoPassword, WrongPassword, Delayed, Expired, Denied, Busy, Failed}

// refused tells whether somebody was refused: what the audit log wants to know.
func (o Outcome) refused() bool { return o != Accepted && o != Busy && o != Failed }

// An attempt is one login on its way through the steps.
type attempt struct {
	view    *application.View
	name    string            // as it was typed
	dir     *models.Directory // whose user it is; nil while that isn't known
	row     *models.User      // the user
	user    *application.User // the same as the application sees it
	outcome Outcome           // empty while it isn't known
}

// refuse ends the attempt.
func (a *attempt) refuse(o Outcome, code models.Code, message string) error {
	a.outcome = o
	return models.Fail(code, a.name, message)
}

// ended counts and audits how the attempt ended.
func (s *Service) ended(a *attempt, err error) {
	switch {
	case err == nil:
		a.outcome = Accepted
	case models.Is(err, models.Busy):
		a.outcome = Busy
	case a.outcome == "":
		a.outcome = Failed
	}
	s.o.Count(a.outcome)
	if a.outcome.refused() {
		s.audit(a, "login.refused")
	}
}

// audit writes the refusal down. A name that nobody has stands there as it was typed.
func (s *Service) audit(a *attempt, action string) {
	subject, dir := a.name, ""
	if a.row != nil {
		subject, dir = a.row.Name, a.dir.Name
	}
	s.refusals.Refused(a.view.Actor(), action, string(a.outcome), subject, dir)
}
