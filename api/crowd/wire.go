package crowd

import (
	"strconv"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// appendXMLList writes a list of users or groups; expand says what could be expanded, whether
// or not it was.
func appendXMLList[E api.Entity](b []byte, name, expand string, list []E) []byte {
	b = append(b, '<')
	b = append(b, name...)
	b = append(b, ` expand="`...)
	b = append(b, expand...)
	if len(list) == 0 {
		return append(b, `"/>`...)
	}
	b = append(b, `">`...)
	for _, entity := range list {
		b = entity.AppendXML(b)
	}
	b = append(b, "</"...)
	b = append(b, name...)
	return append(b, '>')
}

func appendJSONList[E api.Entity](b []byte, name, expand string, list []E) []byte {
	b = append(b, '{')
	b = api.AppendJSONField(b, "expand", expand)
	b = api.AppendJSONName(b, name)
	b = append(b, '[')
	for i, entity := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = entity.AppendJSON(b)
	}
	return append(b, "]}"...)
}

// appendXMLTime writes an xs:dateTime in UTC: Go clients read it as RFC 3339. A moment that
// isn't known is left out.
func appendXMLTime(b []byte, name string, t models.Time) []byte {
	if t.IsZero() {
		return b
	}
	var room [32]byte // or dates would be half of what a long list leaves to the garbage collector
	return api.AppendXMLElement(b, name, string(t.Append(room[:0])))
}

// appendJSONTime writes whole milliseconds, never below zero: Dex reads them as unsigned.
func appendJSONTime(b []byte, name string, t models.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = api.AppendJSONName(b, name)
	return strconv.AppendInt(b, max(0, int64(t)), 10)
}

func appendJSONBool(b []byte, name string, value bool) []byte {
	b = api.AppendJSONName(b, name)
	return strconv.AppendBool(b, value)
}
