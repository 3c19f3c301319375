package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestACallEndsAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := &Call{Context: t.Context(), Began: time.Now()}
		if _, limited := call.Deadline(); limited || call.Err() != nil {
			t.Error("a call has a limit that nobody set")
		}
		call.Limit(30 * time.Second)
		if at, _ := call.Deadline(); time.Until(at) != 30*time.Second {
			t.Errorf("the call ends at %v", at)
		}
		child, cancel := context.WithCancel(call)
		defer cancel()
		time.Sleep(29 * time.Second)
		if call.Err() != nil || child.Err() != nil {
			t.Fatal("the call ended too early")
		}
		<-call.Done()
		<-child.Done()
		for name, err := range map[string]error{"call": call.Err(), "child": child.Err(), "cause": context.Cause(child)} {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v, want DeadlineExceeded", name, err)
			}
		}
		if call.Gone() {
			t.Error("the client has not gone away")
		}
	})
}

func TestACallThatNobodyWaitsForEndsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := &Call{Context: t.Context(), Began: time.Now()}
		call.Limit(time.Second)
		time.Sleep(2 * time.Second)
		if !errors.Is(call.Err(), context.DeadlineExceeded) {
			t.Errorf("Err = %v, want DeadlineExceeded", call.Err())
		}
		<-call.Done() // is closed at once
	})
}

func TestACallEndsWithItsClient(t *testing.T) {
	for name, limited := range map[string]bool{"without a limit": false, "with a limit": true} {
		client, leave := context.WithCancel(t.Context())
		call := &Call{Context: client, Began: time.Now()}
		if limited {
			call.Limit(time.Minute)
		}
		child, cancel := context.WithTimeout(call, time.Hour)
		defer cancel()
		leave()
		<-child.Done()
		<-call.Done()
		if !errors.Is(call.Err(), context.Canceled) || !call.Gone() {
			t.Errorf("%s: Err = %v, Gone = %v", name, call.Err(), call.Gone())
		}
	}
}

// A timer that outlives its request would pile up with thirty seconds of requests.
func TestAnAnsweredCallLeavesNothingRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := &Call{Context: context.WithoutCancel(t.Context()), Began: time.Now()}
		call.Limit(30 * time.Second)
		waits := call.Done()
		call.Answered()
		<-waits
		if call.Gone() {
			t.Error("an answered call is taken for one whose client left")
		}
	})
}

func TestACallIsFoundInContextsMadeOfIt(t *testing.T) {
	call := &Call{Context: t.Context()}
	child, cancel := context.WithTimeout(context.WithoutCancel(call), time.Minute)
	defer cancel()
	if CallIn(child) != call || CallIn(call) != call || CallIn(t.Context()) != nil {
		t.Error("a context leads to another call than its own")
	}
}
