package fakecloud

import (
	"net/http"
	"strings"
)

// A googleMask is the parameter fields, read: which members of an object are told. Nil is all.
type googleMask map[string]googleMask

// parseMask reads "nextPageToken,users(id,name/fullName)".
func parseMask(text string) (googleMask, bool) {
	if text == "" {
		return nil, true
	}
	p := maskParser{rest: text}
	mask, ok := p.list(0)
	return mask, ok && p.rest == ""
}

type maskParser struct{ rest string }

// deepestMask keeps a stranger's mask from being a stranger's stack.
const deepestMask = 16

func (p *maskParser) list(depth int) (googleMask, bool) {
	mask := googleMask{}
	for {
		if !p.item(mask, depth) {
			return nil, false
		}
		rest, more := strings.CutPrefix(p.rest, ",")
		if !more {
			return mask, true
		}
		p.rest = rest
	}
}

func (p *maskParser) item(into googleMask, depth int) bool {
	end := strings.IndexAny(p.rest, ",()/")
	if end < 0 {
		end = len(p.rest)
	}
	name := p.rest[:end]
	p.rest = p.rest[end:]
	if name == "" || depth > deepestMask {
		return false
	}
	var below googleMask
	switch {
	case strings.HasPrefix(p.rest, "/"):
		p.rest = p.rest[1:]
		below = googleMask{}
		if !p.item(below, depth+1) {
			return false
		}
	case strings.HasPrefix(p.rest, "("):
		p.rest = p.rest[1:]
		var ok bool
		if below, ok = p.list(depth + 1); !ok || !strings.HasPrefix(p.rest, ")") {
			return false
		}
		p.rest = p.rest[1:]
	}
	if before, twice := into[name]; twice && before != nil && below != nil {
		for k, v := range below {
			before[k] = v
		}
		return true
	}
	into[name] = below
	return true
}

// of gives what is told of a member.
func (m googleMask) of(name string) (googleMask, bool) {
	if _, everything := m["*"]; m == nil || everything {
		return nil, true
	}
	below, told := m[name]
	return below, told
}

func (m googleMask) has(name string) bool {
	_, told := m.of(name)
	return told
}

// A googleField is a member of an object that the API knows. Put appends its value; nothing when
// the object has none: members are absent rather than null.
type googleField[T any] struct {
	name string
	put  func(b []byte, v *T, mask googleMask) []byte
}

// A toldField is a googleField that a request asks for.
type toldField[T any] struct {
	googleField[T]
	mask googleMask
}

// told chooses the fields that a mask names. Naming one that there isn't is refused.
func toldFields[T any](fields []googleField[T], mask googleMask) (chosen []toldField[T], wrong *googleRefusal) {
	known := map[string]bool{"*": true}
	for _, f := range fields {
		known[f.name] = true
		if below, yes := mask.of(f.name); yes {
			chosen = append(chosen, toldField[T]{f, below})
		}
	}
	for name := range mask {
		if !known[name] {
			return nil, invalidField(name)
		}
	}
	return chosen, nil
}

func invalidField(name string) *googleRefusal {
	return &googleRefusal{status: http.StatusBadRequest, reason: "invalidParameter", message: "Invalid field selection " + name}
}

func appendObject[T any](b []byte, fields []toldField[T], v *T) []byte {
	b = append(b, '{')
	for _, f := range fields {
		before := len(b)
		b = appendKey(b, f.name)
		value := len(b)
		if b = f.put(b, v, f.mask); len(b) == value {
			b = b[:before]
		}
	}
	return append(b, '}')
}

// text is a field that is a string; absent when it is empty.
func text[T any](name string, of func(*T) string) googleField[T] {
	return googleField[T]{name, func(b []byte, v *T, _ googleMask) []byte {
		if s := of(v); s != "" {
			return appendString(b, s)
		}
		return b
	}}
}

// flag is a field that is true or false.
func flag[T any](name string, of func(*T) bool) googleField[T] {
	return googleField[T]{name, func(b []byte, v *T, _ googleMask) []byte {
		if of(v) {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	}}
}
