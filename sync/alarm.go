package sync

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// Whoever answers for a directory is told when its runs fail, when a plan waits, and when its
// secret ends: by a letter to the setting alarm-mail and a call of the setting alarm-webhook. Both
// are posted in the transaction of what they are about, so none is lost and none is told twice.

const (
	// failuresTold is after how many failures in a row somebody is told.
	failuresTold = 3

	// secretWarning is how long before its end a secret is warned of, and secretAgain how long
	// after that once more.
	secretWarning = 30 * 24 * time.Hour
	secretAgain   = 7 * 24 * time.Hour

	// secretLook is how often a process looks when secrets end.
	secretLook = 24 * time.Hour
)

// tell posts an alarm, in the transaction of what it is about.
func (s *Service) tell(tx *store.Tx, dir *models.Directory, event models.AlarmEvent, text string) error {
	if to := directory.SettingOf(dir, "alarm-mail"); to != "" {
		err := tx.PostLetter(models.Letter{Kind: models.LetterAlarm, To: to, Server: s.server, Directory: dir.Name, Event: event, Text: text})
		if err != nil {
			return err
		}
	}
	if to := directory.SettingOf(dir, "alarm-webhook"); to != "" {
		return tx.PostAlarm(models.Alarm{URL: to, Body: models.AlarmBody{Directory: dir.Name, Event: event, Text: text, Time: tx.At().String()}})
	}
	return nil
}

func heldText(r *models.Run) string {
	return fmt.Sprintf("A run of directory %s is held: %s. `rollcall sync %s` shows the plan; `rollcall sync approve %s %s` applies it, `rollcall sync discard %s %s` drops it.",
		r.Directory, r.Guard, r.Directory, r.Directory, r.Hash, r.Directory, r.Hash)
}

func failingText(r *models.Run) string {
	return fmt.Sprintf("The synchronisation of directory %s has failed %d times in a row: %s", r.Directory, failuresTold, r.Problem)
}

// WarnOfSecrets tells of each directory's secret that ends within 30 days, and once more a week
// later. What can't be found out about one keeps nobody from being warned of another.
func (s *Service) WarnOfSecrets(ctx context.Context) error {
	dirs, err := s.store.Directories(ctx)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if !directory.Mirrored(dir.Kind) || directory.SettingOf(dir, "alarm-mail") == "" && directory.SettingOf(dir, "alarm-webhook") == "" {
			continue
		}
		if err := s.warnOfSecret(ctx, dir); err != nil {
			s.log.Warn("it could not be found out when a directory's secret ends", "directory", dir.Name, "error", err)
		}
	}
	return nil
}

func (s *Service) warnOfSecret(ctx context.Context, dir *models.Directory) error {
	ends, err := s.secretEnds(ctx, dir)
	if err != nil || ends.IsZero() || ends.Sub(s.store.Now().Std()) > secretWarning {
		return err
	}
	return s.store.Write(ctx, models.System, func(tx *store.Tx) error {
		state, err := tx.SyncStateToChange(ctx, dir.ID)
		if err != nil || state.AlarmedAt != 0 && tx.At().Sub(state.AlarmedAt) < secretAgain {
			return err
		}
		state.AlarmedAt = tx.At()
		if err := s.tell(tx, dir, models.AlarmSecretEnds, secretText(dir, ends, tx.At().Std())); err != nil {
			return err
		}
		return tx.SaveSyncState(&state)
	})
}

func secretText(dir *models.Directory, ends, now time.Time) string {
	verb := "ends"
	if ends.Before(now) {
		verb = "ended"
	}
	return fmt.Sprintf("The secret with which directory %s is synchronised %s on %s. Make a new one at the source, and store it: "+
		"`rollcall directory set %s --set-file SETTING=FILE`.", dir.Name, verb, ends.UTC().Format(time.DateOnly), dir.Name)
}

// secretEnds asks when a directory's secret ends; zero: nobody knows. A source that can't be asked
// now is what runs fail of: then the setting counts.
func (s *Service) secretEnds(ctx context.Context, dir *models.Directory) (time.Time, error) {
	settings, err := ReadSettings(dir)
	if err != nil {
		return time.Time{}, err
	}
	source, err := s.open(dir, settings.AttributeNames())
	if err != nil {
		return time.Time{}, err
	}
	defer source.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	report, err := s.Check(ctx, dir, source)
	if err != nil {
		day, _ := typedEnd(dir)
		return day, nil
	}
	return report.SecretEnds, nil
}

// typedEnd gives the day that the setting secret-ends has.
func typedEnd(dir *models.Directory) (day time.Time, ok bool) {
	day, err := time.Parse(time.DateOnly, directory.SettingOf(dir, "secret-ends"))
	return day, err == nil
}
