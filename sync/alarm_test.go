package sync_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

var alarmed = []string{"alarm-mail=ops@example.test", "alarm-webhook=https://chat.example.test/hook/token"}

// alarms lists what waits to be posted, as the event and its text. A letter and a call belong
// together.
func (h *house) alarms() (all []string) {
	h.t.Helper()
	items, err := h.store.OutboxDue(h.t.Context(), h.store.Now(), 100)
	if err != nil {
		h.t.Fatal(err)
	}
	letters := 0
	for _, item := range items {
		switch item.Kind {
		case store.OutboxLetter:
			var l models.Letter
			if err := json.Unmarshal(item.Payload, &l); err != nil || l.Kind != models.LetterAlarm || l.To != "ops@example.test" || l.Directory != "cloud" || l.Text == "" {
				h.t.Errorf("a letter %+v, %v", l, err)
			}
			letters++
		case store.OutboxAlarm:
			var a models.Alarm
			if err := json.Unmarshal(item.Payload, &a); err != nil || a.URL != "https://chat.example.test/hook/token" || a.Body.Directory != "cloud" || item.Recipient != "chat.example.test" {
				h.t.Errorf("an alarm %+v to %s, %v", a, item.Recipient, err)
			}
			all = append(all, fmt.Sprintf("%s: %s", a.Body.Event, a.Body.Text))
		}
	}
	if letters != len(all) {
		h.t.Errorf("%d letters and %d calls", letters, len(all))
	}
	return all
}

// wantAlarms wants so many alarms, and parts of the last one.
func (h *house) wantAlarms(n int, parts ...string) {
	h.t.Helper()
	got := h.alarms()
	if len(got) != n {
		h.t.Fatalf("%d alarms, want %d: %q", len(got), n, got)
	}
	for _, part := range parts {
		if !strings.Contains(got[n-1], part) {
			h.t.Errorf("the alarm %q hasn't %q", got[n-1], part)
		}
	}
}

func TestThreeFailuresAreTold(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, alarmed, func(h *house) {
		team(h.cloud)
		h.set("client-secret=wrong")
		for range 2 {
			h.apply(models.OutcomeFailed)
		}
		h.wantAlarms(0)
		h.apply(models.OutcomeFailed)
		h.wantAlarms(1, "failing: The synchronisation of directory cloud has failed 3 times in a row: directory cloud: ", "AADSTS7000215")
		h.apply(models.OutcomeFailed)
		h.wantAlarms(1)
		h.set("client-secret=" + h.cloud.Secret)
		h.apply(models.OutcomeApplied)
		h.set("client-secret=wrong")
		for range 3 {
			h.apply(models.OutcomeFailed)
		}
		h.wantAlarms(2)
	})
}

func TestAHeldPlanIsToldOnce(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, append(alarmed, "guard-users=0,10%"), func(h *house) {
		u, _ := team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["ada"]) })
		run := h.apply(models.OutcomeHeld)
		for range 2 {
			h.apply(models.OutcomeHeld)
		}
		h.wantAlarms(1, "held: A run of directory cloud is held: 1 of 3 users would leave", "`rollcall sync approve cloud "+run.Hash+"` applies it")
		h.cloud.Edit(func(e *fakecloud.Edit) { e.DeleteUser(u["bob"]) })
		h.apply(models.OutcomeHeld)
		h.wantAlarms(2, "2 of 3 users")
	})
}

func TestASecretThatEndsIsTold(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, alarmed, func(h *house) {
		now := h.clock.Now()
		look := func() {
			h.t.Helper()
			if err := h.sync.WarnOfSecrets(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
		}
		look() // nobody knows when it ends
		h.set("secret-ends=" + now.AddDate(0, 0, 40).Format(time.DateOnly))
		look()
		h.wantAlarms(0)
		h.clock.Advance(15 * 24 * time.Hour)
		look()
		look()
		h.wantAlarms(1, "secret-ends: The secret with which directory cloud is synchronised ends on "+now.AddDate(0, 0, 40).Format(time.DateOnly))
		h.apply(models.OutcomeNothing)
		look()
		h.wantAlarms(1)
		h.clock.Advance(7 * 24 * time.Hour)
		h.cloud.Close() // a source that doesn't answer: what was typed counts
		look()
		h.wantAlarms(2)
		h.set("secret-ends=" + now.AddDate(1, 0, 0).Format(time.DateOnly))
		h.clock.Advance(7 * 24 * time.Hour)
		look()
		h.wantAlarms(2)
	})
}

func TestOldRecordsAreRemoved(t *testing.T) {
	each(t, fakecloud.EntraConfig{}, []string{"history=10"}, func(h *house) {
		team(h.cloud)
		h.apply(models.OutcomeApplied)
		h.clock.Advance(6 * 24 * time.Hour)
		h.apply(models.OutcomeNothing, dirsync.Options{Full: true})
		h.clock.Advance(6 * 24 * time.Hour)
		if err := h.sync.PruneHistory(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
		runs, err := h.sync.History(h.t.Context(), "cloud", 10)
		if err != nil || len(runs) != 1 || runs[0].Outcome != models.OutcomeNothing {
			h.t.Errorf("%d runs are left, %v", len(runs), err)
		}
	})
}
