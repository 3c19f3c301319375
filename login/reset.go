package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// LetterOptions say what letters need.
type LetterOptions struct {
	Mail bool   // there is a mail server
	URL  string // the public address of this server, without a slash at its end; empty: unknown
}

// ResetPath is where the links in letters lead: the address of the page, then the token.
const ResetPath = "/reset/"

const (
	// resetLifetime is how long a link works.
	resetLifetime = 30 * time.Minute

	// At most lettersAtMost letters of a kind go to one account, or to one address that asks
	// for its names, in lettersWithin.
	lettersAtMost = 3
	lettersWithin = time.Hour

	// namesAtMost is how many names one letter lists.
	namesAtMost = 50
)

// RequestReset posts a letter with a link by which a user chooses a new password. It ends the
// link of an earlier letter. An inactive user gets a letter that says why there is no link. A
// further letter within the hour than three is not posted, and nobody is told: the three are
// there.
//
// Unsupported when there is no mail server, or no public address for the link; UserNotFound;
// PermissionDenied where the application may not set passwords; InvalidEmail when nobody can be
// written to at the user's address.
func (s *Service) RequestReset(ctx context.Context, v *application.View, username string) error {
	if err := s.lettersWork(); err != nil {
		return err
	}
	dir, u, err := v.Resettable(ctx, username)
	if err == nil {
		err = directory.MayResetPassword(dir, v.Actor())
	}
	if err != nil {
		return fmt.Errorf("ask for a new password: %w", err)
	}
	if problem := models.EmailProblem(u.Email); problem != "" {
		return &models.Error{Code: models.InvalidEmail, Subject: username, Err: errors.New(problem),
			Message: "User <" + username + "> has no mail address that a letter could be sent to."}
	}
	token := newResetToken()
	err = s.store.Write(ctx, v.Actor(), func(tx *store.Tx) error {
		row, err := tx.LockUser(ctx, u.ID)
		if err != nil {
			return err
		}
		granted, err := tx.AskForLetter(fmt.Sprintf("reset %d", row.ID), lettersAtMost, lettersWithin)
		if err != nil {
			return err
		}
		act := store.Act{Action: "password.reset.request", Subject: row.Name, Directory: dir.Name}
		if !granted {
			act.Outcome = "too-many"
			tx.Audit(act)
			return nil
		}
		letter := models.Letter{Kind: models.LetterResetInactive, To: row.Email, Server: s.o.Letters.URL, Application: v.Application().Name, Name: row.Name}
		if row.Active {
			letter.Kind = models.LetterReset
			letter.Link = s.o.Letters.URL + ResetPath + token
			letter.Until = inWords(tx.At().Add(resetLifetime))
			if err := tx.PutResetToken(ctx, row, hashResetToken(token), resetLifetime); err != nil {
				return err
			}
		} else {
			act.Outcome = "inactive"
		}
		tx.Audit(act)
		return tx.PostLetter(letter)
	})
	if err != nil {
		return fmt.Errorf("ask for a new password: %w", err)
	}
	return nil
}

// lettersWork answers Unsupported where letters can't be written.
func (s *Service) lettersWork() error {
	switch {
	case !s.o.Letters.Mail:
		return models.Fail(models.Unsupported, "", "This server has no mail server to send letters with: its operator sets ROLLCALL_MAIL_HOST.")
	case s.o.Letters.URL == "":
		return models.Fail(models.Unsupported, "", "This server doesn't know the address that its letters should lead to: its operator sets ROLLCALL_URL.")
	}
	return nil
}

// inWords gives a moment for people, who may be anywhere.
func inWords(t models.Time) string { return t.Std().Format("2 January 2006, 15:04 UTC") }

// newResetToken makes 256 random bits, as text for an address.
func newResetToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashResetToken gives what a token is found by. A fast hash is right: nobody can guess one.
func hashResetToken(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}

// RequestUsernames posts a letter that lists the names of all users with a mail address whom
// the application sees. That there are none is not told; nor that more letters than three in an
// hour go nowhere.
//
// Unsupported as for RequestReset; InvalidEmail when it is no mail address.
func (s *Service) RequestUsernames(ctx context.Context, v *application.View, email string) error {
	if err := s.lettersWork(); err != nil {
		return err
	}
	if problem := models.EmailProblem(email); problem != "" {
		return models.Fail(models.InvalidEmail, "", "This is no mail address: "+problem+".")
	}
	users, more, err := v.UsersWithEmail(ctx, email, namesAtMost)
	if err != nil {
		return fmt.Errorf("ask for user names: %w", err)
	}
	if len(users) == 0 {
		return nil
	}
	// The address as it is stored, not as a stranger spelt it.
	letter := models.Letter{Kind: models.LetterUsernames, To: users[0].Email, Server: s.o.Letters.URL, Application: v.Application().Name, More: more}
	for _, u := range users {
		letter.Names = append(letter.Names, models.LetterName{Name: u.Name, Active: u.Active})
	}
	err = s.store.Write(ctx, v.Actor(), func(tx *store.Tx) error {
		address := sha256.Sum256([]byte(models.Key(email)))
		granted, err := tx.AskForLetter("usernames "+hex.EncodeToString(address[:]), lettersAtMost, lettersWithin)
		if err != nil {
			return err
		}
		act := store.Act{Action: "usernames.request", Subject: letter.To}
		if !granted {
			act.Outcome = "too-many"
			tx.Audit(act)
			return nil
		}
		tx.Audit(act)
		return tx.PostLetter(letter)
	})
	if err != nil {
		return fmt.Errorf("ask for user names: %w", err)
	}
	return nil
}

// A Reset is a password that is about to be chosen.
type Reset struct {
	UserID   models.ID
	Username string
}

// FindReset tells whose password a token lets choose. It uses nothing up: programs that look
// for viruses open every link in a letter. InvalidToken when the token is made up, too old, used
// or replaced, or when the user's password or address has changed since, or the user is
// inactive.
func (s *Service) FindReset(ctx context.Context, token string) (*Reset, error) {
	u, err := s.store.ResetToken(ctx, hashResetToken(token))
	if err != nil {
		return nil, fmt.Errorf("find a reset: %w", err)
	}
	return &Reset{UserID: u.ID, Username: u.Name}, nil
}

// A Person is who has opened a link: from where, and under which request.
type Person struct{ Address, Request string }

// FinishReset sets the password that the holder of a token chose, which ends the token and all
// the user's sessions, and lets the user know by letter. InvalidToken as for FindReset;
// InvalidCredential when the policy refuses the password: then the token can be used again.
func (s *Service) FinishReset(ctx context.Context, token string, secret models.Secret, who Person) error {
	hash := hashResetToken(token)
	u, err := s.store.ResetToken(ctx, hash)
	if err != nil {
		return fmt.Errorf("reset a password: %w", err)
	}
	dir, err := s.directoryOf(ctx, u)
	if err != nil {
		return fmt.Errorf("reset a password: %w", err)
	}
	by := models.Actor{Kind: models.ActorUser, Name: u.Name, Address: who.Address, Request: who.Request, Writer: models.ByOperator}
	err = s.directories.ResetPassword(ctx, by, dir, u, secret, func(tx *store.Tx) error {
		row, err := tx.TakeResetToken(ctx, hash)
		if err != nil {
			return err
		}
		tx.Audit(store.Act{Action: "password.reset", Subject: row.Name, Directory: dir.Name})
		return tx.PostLetter(models.Letter{Kind: models.LetterPasswordChanged, To: row.Email, Server: s.o.Letters.URL, Name: row.Name})
	})
	if err != nil {
		return fmt.Errorf("reset a password: %w", err)
	}
	return nil
}

// directoryOf gives the directory of a user.
func (s *Service) directoryOf(ctx context.Context, u *models.User) (*models.Directory, error) {
	dirs, err := s.store.Directories(ctx)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if dir.ID == u.DirectoryID {
			return dir, nil
		}
	}
	return nil, models.Fail(models.InvalidToken, "", "")
}
