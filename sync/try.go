package sync

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
)

// A Trial is what the settings make of one user of the source.
type Trial struct {
	ID       string    `json:"id" doc:"the id at the source"`
	Login    string    `json:"login" doc:"the login at the source"`
	Username string    `json:"username" doc:"the name that it gets; empty when it is skipped"`
	Skipped  string    `json:"skipped,omitempty" doc:"why it is skipped"`
	Rules    []Verdict `json:"rules" doc:"what each rule says, in order"`
}

// Try shows what each rule makes of the users of the source that a word names: an id, a login or
// a mail address. over holds settings that are not saved yet.
func (s *Service) Try(ctx context.Context, name, word string, over map[string]string) ([]Trial, error) {
	dir, err := s.directory(ctx, name, over)
	if err != nil {
		return nil, err
	}
	r, err := s.prepare(ctx, dir, Options{})
	if err != nil {
		return nil, err
	}
	defer r.source.Close()
	users, err := r.source.Find(ctx, word)
	if err != nil {
		return nil, r.explain(err)
	}
	if len(users) == 0 {
		return nil, models.Fail(models.UserNotFound, word, "the source of directory "+dir.Name+" has no user with the id, login or mail address "+word)
	}
	out := make([]Trial, 0, len(users))
	for i := range users {
		t := Trial{ID: users[i].ID, Login: users[i].Login}
		p := r.settings.judge(&users[i], func(v Verdict) { t.Rules = append(t.Rules, v) })
		if t.Skipped = p.skip; p.skip == "" {
			t.Username = p.name
		}
		out = append(out, t)
	}
	return out, nil
}
