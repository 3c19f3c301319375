package cloud

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	longestTry     = 2 * time.Minute // one attempt, to the last byte
	defaultLimit   = 16 << 20
	errorBodyLimit = 64 << 10
)

// An attempt sends a request once.
type attempt struct {
	client  *Client
	bare    bool
	refused string
	judge   func(Answer) Verdict
	limit   int64
	take    func(Answer) error

	sentToken string
}

// run sends it and judges what comes back. Its error ends everything; what may be tried again
// is a verdict.
func (a *attempt) run(ctx context.Context, method string, target *url.URL, header http.Header, body []byte) (Verdict, error) {
	c := a.client
	if !a.bare {
		if err := c.governor.enter(ctx); err != nil {
			return Verdict{}, err
		}
		defer c.governor.leave()
	}
	request := (&http.Request{
		Method: method, URL: target, Host: target.Host, Header: http.Header{},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	for _, h := range []http.Header{c.header, header} {
		for name, values := range h {
			request.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	request.Header.Set("Accept-Encoding", "gzip")
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "rollcall (gzip)") // Google packs only for those that say so here, too
	}
	if body != nil {
		request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	if !a.bare {
		if err := c.authorize(request, a.refused); err != nil {
			return Verdict{}, err
		}
		a.sentToken = request.Header.Get("Authorization")
	}

	// The time for a token isn't part of it: that is a request of its own.
	short, cancel := context.WithTimeout(ctx, longestTry)
	defer cancel()
	sent := c.now()
	c.requests.Add(1)
	response, err := c.transport.RoundTrip(request.WithContext(short))
	if err != nil {
		if ctx.Err() != nil {
			return Verdict{}, ctx.Err()
		}
		return Verdict{Act: Retry, Err: &Error{Err: withoutContext(err), Hint: unreachable(err)}}, nil
	}
	defer response.Body.Close()
	verdict := a.answer(response)
	if ctx.Err() != nil {
		return Verdict{}, ctx.Err()
	}
	if !a.bare {
		a.heed(verdict, sent)
	}
	return verdict, nil
}

// heed tells the governor what the verdict asks for.
func (a *attempt) heed(v Verdict, sent time.Time) {
	g := a.client.governor
	if v.Wait > 0 && v.Wait <= longestWait {
		g.silence(v.Wait)
	}
	switch {
	case v.Throttled || v.Slower:
		g.slower(sent)
	case v.Act == Accept:
		g.pleased()
	}
}

// answer reads a response and judges it.
func (a *attempt) answer(response *http.Response) Verdict {
	c := a.client
	see := Answer{Status: response.StatusCode, Header: response.Header, Now: c.now()}
	if date := see.ServerTime(); date != see.Now {
		c.skew.Store(int64(date.Sub(see.Now)))
	}
	limit := a.limit
	if limit == 0 {
		limit = defaultLimit
	}
	if !see.OK() {
		limit = errorBodyLimit
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buffer.Cap() <= defaultLimit {
			buffer.Reset()
			buffers.Put(buffer)
		}
	}()
	whole, err := a.read(response, buffer, limit)
	if !see.OK() {
		see.Body = buffer.Bytes() // an error's text may be cut off
	}
	verdict := a.judge(see)
	if verdict.Throttled {
		c.throttled.Add(1)
	}
	if verdict.Err == nil {
		verdict.Err = &Error{}
	}
	verdict.Err.Status = see.Status
	if verdict.Err.Hint == "" && see.Status/100 == 3 {
		verdict.Err.Hint = "the address leads elsewhere; correct it in the directory's settings"
	}
	if verdict.Act != Accept {
		return verdict
	}
	switch {
	case err != nil:
		return broken(see, withoutContext(err), "")
	case !whole:
		return Verdict{Act: Fail, Err: &Error{Status: see.Status, Err: fmt.Errorf("the answer is longer than %d MiB", limit>>20)}}
	case a.take == nil:
		return verdict
	}
	see.Body = buffer.Bytes()
	if err := a.take(see); err != nil {
		return broken(see, fmt.Errorf("the data can't be read: %w", err), string(bytes.TrimSpace(buffer.Bytes()[:min(buffer.Len(), 100)])))
	}
	return verdict
}

// broken is a success that can't be read: trouble on the way, which passes more often than not.
func broken(a Answer, err error, begins string) Verdict {
	problem := &Error{Status: a.Status, Err: err}
	if len(begins) > 0 && begins[0] == '<' {
		problem.Err = errors.New("a web page came instead of data")
		problem.Hint = "check the address; a proxy or a login page may have answered"
	}
	return Verdict{Act: Retry, Err: problem}
}

var (
	buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	unpacks = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

// read fills the buffer with the body, and says whether that is all of it.
func (a *attempt) read(response *http.Response, buffer *bytes.Buffer, limit int64) (whole bool, err error) {
	var body io.Reader = &counted{response.Body, a.client}
	if response.Header.Get("Content-Encoding") == "gzip" {
		unpack := unpacks.Get().(*gzip.Reader)
		defer unpacks.Put(unpack)
		if err := unpack.Reset(body); err != nil {
			return false, fmt.Errorf("unpack the answer: %w", err)
		}
		body = unpack
	}
	n, err := buffer.ReadFrom(io.LimitReader(body, limit+1))
	if n > limit {
		buffer.Truncate(int(limit))
		return false, nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the answer was cut off")
	}
	return err == nil, err
}

// counted counts the bytes that come over the wire.
type counted struct {
	io.Reader
	client *Client
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.client.bytes.Add(int64(n))
	return n, err
}

// withoutContext says in words that an attempt took too long: a caller that asks for its own
// context's error must not find that of the attempt.
func withoutContext(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", longestTry)
	}
	return err
}
