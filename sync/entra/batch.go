package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rollcall-id/rollcall/sync/cloud"
)

const (
	batchSize  = 20       // Graph takes no more
	batchLimit = 64 << 20 // of an answer: twenty full pages

	mostRounds    = 6  // in which an item may fail
	mostThrottled = 20 // in which it may be told to come later
)

// A batch is the same question about many objects.
type batch struct {
	ids  []string
	path func(id string) string
	// patient asks once more, some seconds later, before it believes that an object isn't there:
	// Graph's copies lag behind each other.
	patient bool
	// answer takes what came for one object: a body, or why there is none. It is called by many
	// goroutines.
	answer func(ctx context.Context, id string, body []byte, problem error) error
}

// lag is how long Graph's copies are given to agree.
const lag = 5 * time.Second

// ask asks the questions of a batch, twenty in one request, many requests at once.
func (s *Source) ask(ctx context.Context, b batch) error {
	workers, running := errgroup.WithContext(ctx)
	workers.SetLimit(s.client.Workers())
	for ids := range slices.Chunk(b.ids, batchSize) {
		if running.Err() != nil {
			break
		}
		workers.Go(func() error { return s.askTwenty(running, b, ids) })
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	return ctx.Err() // what wasn't begun isn't answered
}

// askTwenty asks until every question is answered, or has failed too often. Only what failed is
// asked again.
func (s *Source) askTwenty(ctx context.Context, b batch, ids []string) error {
	failed, throttled, missed := 0, 0, map[string]bool{}
	for len(ids) > 0 {
		responses, err := s.sendBatch(ctx, b, ids)
		if err != nil {
			return err
		}
		var again []string
		var wait time.Duration
		complained, broken := false, false
		for i, id := range ids {
			r, there := responses[strconv.Itoa(i+1)]
			verdict, problem := r.judge(b.path(id), there, s.now())
			switch {
			case verdict.Throttled && throttled < mostThrottled:
				complained = true
				wait = max(wait, verdict.Wait)
				again = append(again, id)
				continue
			case verdict.Act == cloud.Retry && failed < mostRounds:
				broken = true
				wait = max(wait, verdict.Wait)
				again = append(again, id)
				continue
			case r.Status == http.StatusNotFound && b.patient && !missed[id]:
				missed[id] = true
				wait = max(wait, lag)
				again = append(again, id)
				continue
			}
			if err := b.answer(ctx, id, r.Body, problem); err != nil {
				return err
			}
		}
		ids = again
		if len(ids) == 0 {
			return nil
		}
		if complained {
			throttled++
		}
		if broken {
			failed++
		}
		if err := s.client.Again(ctx, max(failed, throttled), complained, wait); err != nil {
			return fmt.Errorf("POST %s/$batch: %w", s.client.Root().Path, err)
		}
	}
	return nil
}

// A batchResponse is one item of the answer to a batch.
type batchResponse struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

func (s *Source) sendBatch(ctx context.Context, b batch, ids []string) (map[string]batchResponse, error) {
	type item struct {
		ID     string `json:"id"`
		Method string `json:"method"`
		URL    string `json:"url"`
	}
	var question struct {
		Requests []item `json:"requests"`
	}
	for i, id := range ids {
		question.Requests = append(question.Requests, item{strconv.Itoa(i + 1), http.MethodGet, b.path(id)})
	}
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	var responses map[string]batchResponse
	err = s.client.Do(ctx, cloud.Request{
		Method: http.MethodPost, URL: "/$batch", Body: body, Limit: batchLimit,
		Header: http.Header{"Content-Type": {"application/json"}},
		Take: func(a cloud.Answer) (err error) {
			responses, err = decodeBatch(a.Body)
			return err
		},
	})
	return responses, err
}

func decodeBatch(body []byte) (map[string]batchResponse, error) {
	var answer struct {
		Responses []batchResponse `json:"responses"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	if answer.Responses == nil {
		return nil, errors.New("the answer has no list of responses")
	}
	responses := make(map[string]batchResponse, len(answer.Responses))
	for _, r := range answer.Responses {
		responses[r.ID] = r
	}
	return responses, nil
}

// judge says what an item means, as if it had been asked alone; a success without its data is
// broken.
func (r *batchResponse) judge(path string, there bool, now time.Time) (cloud.Verdict, error) {
	if !there {
		return cloud.Verdict{Act: cloud.Retry}, fmt.Errorf("GET %s was left out of the answer to a batch", path)
	}
	answer := cloud.Answer{Status: r.Status, Header: http.Header{}, Body: r.Body, Now: now}
	for name, value := range r.Headers {
		answer.Header.Set(name, value)
	}
	v := judge(answer)
	if answer.OK() {
		if len(r.Body) == 0 || r.Body[0] != '{' {
			return cloud.Verdict{Act: cloud.Retry}, fmt.Errorf("GET %s was answered %d without data", path, r.Status)
		}
		return v, nil
	}
	if v.Act == cloud.Renew { // the token ended between the batch and its item
		v.Act = cloud.Retry
	}
	path, _, _ = strings.Cut(path, "?")
	v.Err.Asked, v.Err.Status = "GET "+path, r.Status
	return v, v.Err
}
