package api

import (
	"strconv"
	"unicode/utf8"
)

// AppendJSONString writes s in quotes.
func AppendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	b = AppendJSONText(b, s)
	return append(b, '"')
}

// AppendJSONField writes a name, which needs no escapes, and a string value, with a comma
// before them unless they are the first of an object.
func AppendJSONField(b []byte, name, value string) []byte {
	b = AppendJSONName(b, name)
	return AppendJSONString(b, value)
}

// AppendJSONName writes the name of a field with its colon, and a comma before it unless it is
// the first of an object.
func AppendJSONName(b []byte, name string) []byte {
	if n := len(b); n > 0 && b[n-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, `":`...)
}

// AppendJSONText writes what stands between the quotes of a string, just as encoding/json does
// without its escapes for HTML: bytes that are not UTF-8 become U+FFFD, and the line separators
// that JavaScript stumbles over are escaped.
func AppendJSONText(b []byte, s string) []byte {
	if asIs(s) {
		return append(b, s...)
	}
	done := 0
	for i := 0; i < len(s); {
		written, width := "", 1
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			written = jsonASCII(c)
		} else {
			var r rune
			r, width = utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && width == 1:
				written = `\ufffd`
			case r == '\u2028' || r == '\u2029':
				written = `\u` + strconv.FormatInt(int64(r), 16)
			default:
				i += width
				continue
			}
		}
		b = append(b, s[done:i]...)
		b = append(b, written...)
		i += width
		done = i
	}
	return append(b, s[done:]...)
}

func jsonASCII(c byte) string {
	switch c {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	const hex = "0123456789abcdef"
	return `\u00` + string(hex[c>>4]) + string(hex[c&0xF])
}
