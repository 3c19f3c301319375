package models

import "time"

// Time is a moment in milliseconds since 1970 in UTC: the precision that Crowd's answers have,
// and the same on both databases. Zero means "never".
type Time int64

// TimeOf gives t in whole milliseconds.
func TimeOf(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMilli())
}

// Std gives the moment as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// IsZero tells whether the moment is "never".
func (t Time) IsZero() bool { return t == 0 }

// Add gives the moment d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// Sub gives the time from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Millisecond }

// String gives the moment as xs:dateTime and RFC 3339 have it, in UTC with milliseconds;
// "never" for zero.
func (t Time) String() string { return string(t.Append(nil)) }

// Append appends what String gives.
func (t Time) Append(b []byte) []byte {
	if t == 0 {
		return append(b, "never"...)
	}
	return t.Std().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}
