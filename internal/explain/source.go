package explain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// patience is how long a source may take to answer about one person.
const patience = 20 * time.Second

// fromSource says what the source has to do with a user that we have.
func (q *question) fromSource(ctx context.Context, dir *models.Directory, u *models.User) error {
	if !directory.Mirrored(dir.Kind) {
		return nil
	}
	departed, err := q.store.Departures(ctx, dir.ID)
	if err != nil {
		return err
	}
	if since, gone := departed["user"][u.ID]; gone {
		return q.departed(ctx, dir, u, since)
	}
	state, err := q.store.SyncState(ctx, dir.ID)
	if err != nil {
		return err
	}
	skipped, err := q.skipped(ctx, dir, func(s *models.Skipped) bool { return s.Kind == "user" && s.ID == u.ExternalID })
	if err != nil {
		return err
	}
	q.say(SourceObject, true, "%s, as directory %s had it at its last run that ended well (%s)", u.ExternalID, dir.Name, state.CompletedAt)
	if skipped != nil { // what is in doubt stays as it was
		q.say(Filter, true, "the run of %s skipped it: %s; what was there before stays", skipped.at, skipped.Reason)
	} else {
		q.say(Filter, true, "the settings publish it")
	}
	q.say(NameRule, true, "username=%s makes it %s", directory.SettingOf(dir, "username"), u.Name)
	return nil
}

// departed explains a user whom the last complete read no longer had: is it gone, or left out?
func (q *question) departed(ctx context.Context, dir *models.Directory, u *models.User, since models.Time) error {
	fate := fmt.Sprintf("since %s; it is deactivated, and removed after %s days", since, directory.SettingOf(dir, "purge-after"))
	trial, problem := q.try(ctx, dir, u.ExternalID)
	switch {
	case problem != "":
		q.say(SourceObject, false, "directory %s no longer gets it %s; %s", dir.Name, fate, problem)
	case trial == nil:
		q.say(SourceObject, false, "the source of directory %s no longer has it, %s", dir.Name, fate)
	case q.judged(dir, trial):
		q.say(Filter, false, "%s, %s", leftOut(dir), fate)
	}
	return nil
}

// leftOut says why somebody whom no rule refuses isn't published.
func leftOut(dir *models.Directory) string {
	if directory.SettingOf(dir, "users") == "members" {
		return "users=members publishes only those who are in a chosen group (groups=" + directory.SettingOf(dir, "groups") + "), directly or through others"
	}
	return "it came, or came back, after the last run of directory " + dir.Name
}

// absent explains somebody whom no directory has.
func (q *question) absent(ctx context.Context) error {
	var notes []string
	for _, dir := range q.dirs {
		if !directory.Mirrored(dir.Kind) {
			continue
		}
		key := models.Key(q.word)
		skipped, err := q.skipped(ctx, dir, func(s *models.Skipped) bool {
			return s.Kind == "user" && (s.ID == q.word || models.Key(s.Name) == key)
		})
		if err != nil {
			return err
		}
		if skipped != nil {
			q.say(SourceObject, true, "%s, as the run of %s found it at the source of directory %s", skipped.ID, skipped.at, dir.Name)
			q.refused(skipped.Reason)
			return nil
		}
		trial, problem := q.try(ctx, dir, q.word)
		if trial != nil {
			return q.untaken(ctx, dir, trial)
		}
		if problem == "" {
			problem = "the source of directory " + dir.Name + " has nobody with this id, login or mail address"
		}
		notes = append(notes, problem)
	}
	step := SourceObject
	if len(notes) == 0 {
		step = Directory
	}
	q.say(step, false, "%s", strings.Join(append([]string{"no directory has a user " + q.word}, notes...), "; "))
	return nil
}

// untaken explains somebody whom the source has. We may have them under another name.
func (q *question) untaken(ctx context.Context, dir *models.Directory, trial *dirsync.Trial) error {
	u, err := q.store.UserByExternalID(ctx, dir.ID, trial.ID)
	if err == nil {
		return q.present(ctx, u)
	}
	if !models.Is(err, models.UserNotFound) {
		return err
	}
	if !q.judged(dir, trial) {
		return nil
	}
	if directory.SettingOf(dir, "users") == "members" {
		q.say(Filter, false, "%s; or it came after the last run", leftOut(dir))
		return nil
	}
	q.say(Filter, true, "no setting leaves it out")
	holder, err := q.store.UserByName(ctx, dir.ID, trial.Username)
	if err == nil {
		q.say(NameRule, false, "the name %s belongs to %s already", trial.Username, holder.ExternalID)
		return nil
	}
	if !models.Is(err, models.UserNotFound) {
		return err
	}
	q.say(NameRule, true, "username=%s makes it %s", directory.SettingOf(dir, "username"), trial.Username)
	state, err := q.store.SyncState(ctx, dir.ID)
	switch {
	case err != nil:
		return err
	case state.CompletedAt == 0:
		q.say(Directory, false, "directory %s was never synchronised: rollcall sync %s --apply", dir.Name, dir.Name)
	default:
		q.say(Directory, false, "directory %s doesn't have it yet: its last run that ended well was at %s", dir.Name, state.CompletedAt)
	}
	return nil
}

// judged says that somebody is at the source, and tells whether the settings let them pass; why
// they don't, it says.
func (q *question) judged(dir *models.Directory, trial *dirsync.Trial) bool {
	q.say(SourceObject, true, "%s, login %s, at the source of directory %s", trial.ID, trial.Login, dir.Name)
	if trial.Skipped != "" {
		q.refused(trial.Skipped)
	}
	return trial.Skipped == ""
}

// refused says for what reason a user is skipped, at the step that it belongs to.
func (q *question) refused(reason string) {
	if dirsync.Excluded(reason) {
		q.say(Filter, false, "%s", reason)
		return
	}
	q.say(Filter, true, "no setting leaves it out")
	q.say(NameRule, false, "%s", reason)
}

// try asks the source of a directory about a word. A source that can't be asked is a problem to
// tell, and no error; one that has nobody gives nil.
func (q *question) try(ctx context.Context, dir *models.Directory, word string) (*dirsync.Trial, string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := q.sync.Try(ctx, dir.Name, word, nil)
	switch {
	case models.Is(err, models.UserNotFound):
		return nil, ""
	case err != nil:
		return nil, "the source of directory " + dir.Name + " can't be asked: " + sentence(err)
	}
	return &found[0], ""
}

// sentence gives an error's words for people.
func sentence(err error) string {
	if e, ok := errors.AsType[*models.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return err.Error()
}

// A skip is an object that a run left out, and when that was.
type skip struct {
	*models.Skipped
	at models.Time
}

// skipped finds what the last runs left out: those since the last full one, which looked at
// everything, and that one. nil: nothing of the sort.
func (q *question) skipped(ctx context.Context, dir *models.Directory, is func(*models.Skipped) bool) (*skip, error) {
	const most = 100
	runs, err := q.store.Runs(ctx, dir.ID, most)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		if run.Outcome == models.OutcomeFailed || run.Outcome == models.OutcomeRunning {
			continue
		}
		for i := range run.Skipped {
			if is(&run.Skipped[i]) {
				return &skip{&run.Skipped[i], run.Started}, nil
			}
		}
		if run.Mode == "full" {
			break
		}
	}
	return nil, nil
}
