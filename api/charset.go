package api

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/models"
)

// A charset is how a body's characters are written.
type charset int

const (
	unstated charset = iota
	utf8Text         // us-ascii too, which is a part of it
	latin1
)

// charsetNamed knows the charsets that we read. Nobody was seen to send another one to Crowd.
func charsetNamed(name string) (charset, error) {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "":
		return unstated, nil
	case "utf-8", "utf8", "us-ascii", "ascii":
		return utf8Text, nil
	case "iso-8859-1", "latin1", "latin-1":
		return latin1, nil
	}
	return 0, models.Fail(models.UnsupportedMedia, name, "The charset of the body must be UTF-8")
}

// fromLatin1 writes Latin-1 bytes in UTF-8: each is the code point of its own number.
func fromLatin1(data []byte) []byte {
	text := make([]byte, 0, len(data)+len(data)/8)
	for _, c := range data {
		text = utf8.AppendRune(text, rune(c))
	}
	return text
}

// declaredCharset reads XML in the charset that the document itself declares, where the
// Content-Type named none. One that the Content-Type names goes before the declaration
// (RFC 7303, 3), and the document is in UTF-8 by then.
func declaredCharset(byHeader charset) func(string, io.Reader) (io.Reader, error) {
	return func(name string, rest io.Reader) (io.Reader, error) {
		if byHeader != unstated {
			return rest, nil
		}
		declared, err := charsetNamed(name)
		if err != nil || declared != latin1 {
			return rest, err
		}
		data, err := io.ReadAll(rest)
		if err != nil {
			return nil, err
		}
		return strings.NewReader(string(fromLatin1(data))), nil
	}
}
