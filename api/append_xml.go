package api

import "unicode/utf8"

// Declaration opens every XML answer. The root element follows at once: a client is known that
// compares a whole empty list byte for byte.
const Declaration = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`

// AppendXMLElement writes an element that has only text; an empty one closes itself.
func AppendXMLElement(b []byte, name, text string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	if text == "" {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	b = AppendXMLText(b, text)
	b = append(b, "</"...)
	b = append(b, name...)
	return append(b, '>')
}

// AppendXMLText writes character data. What XML 1.0 can't hold is left out, as Crowd does;
// bytes that are not UTF-8 become U+FFFD.
func AppendXMLText(b []byte, s string) []byte { return appendXML(b, s, xmlText) }

// AppendXMLAttr writes the value of an attribute that stands in double quotes.
func AppendXMLAttr(b []byte, s string) []byte { return appendXML(b, s, xmlAttr) }

type xmlPlace int

const (
	xmlText xmlPlace = iota
	xmlAttr
)

func appendXML(b []byte, s string, place xmlPlace) []byte {
	if asIs(s) {
		return append(b, s...)
	}
	done := 0
	for i := 0; i < len(s); {
		written, width := "", 1
		if c := s[i]; c < utf8.RuneSelf {
			if !special[c] {
				i++
				continue
			}
			var plain bool
			if written, plain = xmlASCII(c, place); plain {
				i++
				continue
			}
		} else {
			var r rune
			r, width = utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && width == 1:
				written = "\uFFFD"
			case r == '\uFFFE' || r == '\uFFFF':
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

// xmlASCII gives how a special character is written; plain is true when it needs nothing.
// Line ends and tabs in attributes, and every carriage return, would be changed by the reader's
// normalisation if they stood there as they are (XML 1.0, 2.11 and 3.3.3).
func xmlASCII(c byte, place xmlPlace) (written string, plain bool) {
	switch c {
	case '&':
		return "&amp;", false
	case '<':
		return "&lt;", false
	case '>':
		return "&gt;", false
	case '\r':
		return "&#13;", false
	case '"':
		return "&quot;", place == xmlText
	case '\n':
		return "&#10;", place == xmlText
	case '\t':
		return "&#9;", place == xmlText
	case '\\':
		return "", true
	}
	return "", false
}
