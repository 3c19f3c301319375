package entra

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/cloud"
)

// An item has no Date of its own: a time to come again is one by our clock.
func TestAnItemMayNameTheTimeToComeAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	r := batchResponse{Status: http.StatusTooManyRequests, Headers: map[string]string{"Retry-After": now.Add(30 * time.Second).Format(http.TimeFormat)}}
	if v, _ := r.judge("/groups/1/members", true, now); !v.Throttled || v.Wait != 30*time.Second {
		t.Errorf("want to wait 30 s, got %+v", v)
	}
}

// Graph names them among its errors, and none is an answer to a question.
func TestRefusalsThatAReadCantBringAboutPass(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 412, 423, 424} {
		if v := judge(cloud.Answer{Status: status, Header: http.Header{}}); v.Act != cloud.Retry {
			t.Errorf("%d: want it asked again, got %+v", status, v)
		}
	}
}

// What wasn't asked because the run was stopped must not look like an answer.
func TestAStoppedBatchIsNoAnswer(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Tenant: "t", ClientID: "c", Secret: "s", GraphURL: "http://127.0.0.1:1/v1.0", AuthorityURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"groups of users": s.GroupsOf(ctx, []string{"1"}, func(string, []string) error { return nil }),
		"users by id":     s.UsersByID(ctx, []string{"1"}, func(dirsync.User) error { return nil }),
		"members":         s.Members(ctx, []string{"1"}, func(dirsync.Members) error { return nil }),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: want context.Canceled, got %v", name, err)
		}
	}
}
