package cloud

import (
	"net/http"
	"strconv"
	"time"
)

// An Answer is a response: to a judge without the body of a success, to Take with it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte    // up to 64 KiB of it, unless Status is 2xx
	Now    time.Time // by our clock
}

// OK tells whether the answer is a success.
func (a Answer) OK() bool { return a.Status/100 == 2 }

// RetryAfter gives what the header of that name says, as seconds or as a date.
func (a Answer) RetryAfter() (time.Duration, bool) {
	text := a.Header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second)), true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(0, at.Sub(a.ServerTime())), true
}

// ServerTime is when the answer was made, by the clock of the server; by ours when it doesn't say.
func (a Answer) ServerTime() time.Time {
	if t, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		return t
	}
	return a.Now
}

// An Act is what follows from an answer.
type Act byte

// The acts.
const (
	Accept Act = iota
	Retry      // the same again, after Wait or after a back-off
	Renew      // the token was refused: the same again once with a new one, then give up
	Fail
)

// A Verdict is what a judge makes of an answer.
type Verdict struct {
	Act Act
	// Wait is how long no request of this client may be sent, whatever the Act: exactly what
	// the cloud asked for. A Retry without it backs off by itself.
	Wait time.Duration
	// Throttled says that we asked too much: it is counted, and fewer requests run at once.
	Throttled bool
	// Slower lets fewer requests run at once, before the cloud has to throttle us.
	Slower bool
	// Err is what is returned when this answer was the last one. The client fills in what was
	// asked and the status. Nil: what there is to say about a status.
	Err *Error
}

// Judge says what HTTP itself says about an answer. A judge of one cloud begins with it, and
// adds the code, the sentence and the request's id from the body.
func Judge(a Answer) Verdict {
	wait, told := a.RetryAfter()
	switch {
	case a.OK():
		return Verdict{Act: Accept}
	case a.Status == http.StatusUnauthorized:
		return Verdict{Act: Renew}
	case a.Status == http.StatusTooManyRequests, a.Status == statusBandwidthLimit:
		return Verdict{Act: Retry, Wait: wait, Throttled: true}
	case a.Status == http.StatusServiceUnavailable && told:
		return Verdict{Act: Retry, Wait: wait, Throttled: true}
	case a.Status == http.StatusNotImplemented, a.Status == http.StatusHTTPVersionNotSupported:
		return Verdict{Act: Fail}
	case a.Status >= 500, a.Status == http.StatusRequestTimeout:
		return Verdict{Act: Retry, Wait: wait}
	}
	return Verdict{Act: Fail}
}

const statusBandwidthLimit = 509 // Microsoft's 429 for volume
