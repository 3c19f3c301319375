package login

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/session"
)

// A Start says whose session to start.
type Start struct {
	Username      string
	Password      models.Secret
	CheckPassword bool // without it the application vouches for the user, and Password is ignored
	Factors       []session.Factor
	Lifetime      time.Duration // zero, or longer than the server's: the server's
}

// A Session is a session as an application sees it.
type Session struct {
	Token                string
	User                 *application.User
	CreatedAt, ExpiresAt models.Time
}

// StartSession logs a user in. The refusals are those of Authenticate, except that who may not
// use the application is told so: LoginDenied.
func (s *Service) StartSession(ctx context.Context, v *application.View, st Start) (*Session, error) {
	a := &attempt{view: v, name: st.Username}
	issued, err := s.start(ctx, a, st)
	s.ended(a, err)
	if err != nil {
		return nil, fmt.Errorf("start a session: %w", err)
	}
	return &Session{Token: issued.Token, User: a.user, CreatedAt: issued.CreatedAt, ExpiresAt: issued.ExpiresAt}, nil
}

func (s *Service) start(ctx context.Context, a *attempt, st Start) (*session.Issued, error) {
	if err := s.identify(ctx, a); err != nil {
		return nil, err
	}
	if st.CheckPassword {
		if err := s.checkPassword(ctx, a, st.Password); err != nil {
			return nil, err
		}
	}
	if err := s.checkAccess(ctx, a); err != nil {
		return nil, err
	}
	return s.sessions.Issue(ctx, a.view.Actor(), session.Request{User: a.row.ID, Factors: st.Factors, Lifetime: st.Lifetime})
}

// ValidateSession gives the session of a token that is used with these factors, and renews it.
// InvalidToken when there is none, or with others; LoginDenied when its user may not use the
// application, or the application doesn't see that user.
func (s *Service) ValidateSession(ctx context.Context, v *application.View, token string, factors []session.Factor) (*Session, error) {
	row, err := s.sessions.Check(ctx, token, factors)
	if err != nil {
		return nil, fmt.Errorf("validate a session: %w", err)
	}
	user, err := s.holder(ctx, v, row)
	if err != nil {
		return nil, fmt.Errorf("validate a session: %w", err)
	}
	s.sessions.Renew(row)
	return &Session{Token: token, User: user, CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt}, nil
}

// Session gives the session of a token, whatever its factors, and doesn't renew it.
// InvalidToken when there is none, or when its user may not use the application.
func (s *Service) Session(ctx context.Context, v *application.View, token string) (*Session, error) {
	row, err := s.sessions.Find(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("read a session: %w", err)
	}
	user, err := s.holder(ctx, v, row)
	if models.Is(err, models.LoginDenied) {
		err = &models.Error{Code: models.InvalidToken, Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("read a session: %w", err)
	}
	return &Session{Token: token, User: user, CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt}, nil
}

// holder gives the user of a session, who must be active and may use the application.
func (s *Service) holder(ctx context.Context, v *application.View, row *models.Session) (*application.User, error) {
	user, err := v.UserByRow(ctx, row.UserID)
	if models.Is(err, models.UserNotFound) {
		return nil, models.Fail(models.LoginDenied, "", "The user of this session is not known to the application <"+v.Application().Name+">")
	}
	if err != nil {
		return nil, err
	}
	if !user.Active {
		return nil, models.Fail(models.InvalidToken, "", "")
	}
	may, err := v.MayLogin(ctx, &user.User)
	if err == nil && !may {
		s.refusals.Refused(v.Actor(), "session.refused", string(Denied), user.Unaliased, user.DirectoryName)
		err = models.Fail(models.LoginDenied, user.Name, denied(user.Name, v))
	}
	return user, err
}

// EndSession ends the session of a token. That there is none is fine.
func (s *Service) EndSession(ctx context.Context, v *application.View, token string) error {
	if err := s.sessions.End(ctx, v.Actor(), token); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// EndSessionsOf ends all sessions of a user but the one with the token except, which may be
// empty. That there is no such user is fine.
func (s *Service) EndSessionsOf(ctx context.Context, v *application.View, username, except string) error {
	_, user, err := v.Owner(ctx, username)
	if models.Is(err, models.UserNotFound) {
		return nil
	}
	if err == nil {
		err = s.sessions.EndAll(ctx, v.Actor(), user.ID, except)
	}
	if err != nil {
		return fmt.Errorf("end a user's sessions: %w", err)
	}
	return nil
}
