package fakecloud

import (
	"encoding/json"
	"strconv"
	"time"
)

// Lists have hundreds of objects a page and are asked for all day by `make bench`: appending is
// several times as fast as encoding/json.

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x80 {
			return appendAny(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendText is appendString, except that nothing is null.
func appendText(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

func appendStrings(b []byte, all []string) []byte {
	b = append(b, '[')
	for i, s := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339)
	return append(b, '"')
}

// appendKey begins the next member of an object.
func appendKey(b []byte, key string) []byte {
	b = comma(b)
	b = append(b, '"')
	b = append(b, key...)
	return append(b, '"', ':')
}

// comma separates what comes from what was before it in the same object or array.
func comma(b []byte) []byte {
	if last := b[len(b)-1]; last != '{' && last != '[' {
		b = append(b, ',')
	}
	return b
}

func appendAny(b []byte, value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // only our own plain values come here
	}
	return append(b, data...)
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }
