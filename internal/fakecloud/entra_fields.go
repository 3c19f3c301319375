package fakecloud

import "slices"

// A graphField is one property of Graph's objects: its name, and how its value looks in JSON. One
// that appends nothing is absent.
type graphField[T any] struct {
	name   string
	append func(e *Entra, b []byte, n int, of *T) []byte
}

// fieldsNamed finds the fields that $select names, or those that come without it. unknown is the
// first name that there isn't.
func fieldsNamed[T any](all []graphField[T], selected, without []string, other func(name string) (graphField[T], bool)) (fields []graphField[T], unknown string) {
	if selected == nil {
		selected = without
	}
	for _, name := range selected {
		i := slices.IndexFunc(all, func(f graphField[T]) bool { return f.name == name })
		if i >= 0 {
			fields = append(fields, all[i])
		} else if f, ok := other(name); ok {
			fields = append(fields, f)
		} else if unknown == "" {
			unknown = name
		}
	}
	return fields, unknown
}

// absent makes fields that no object has, of the names that are known all the same.
func absent[T any](known func(name string) bool) func(name string) (graphField[T], bool) {
	return func(name string) (graphField[T], bool) {
		return graphField[T]{name, func(_ *Entra, b []byte, _ int, _ *T) []byte { return b }}, known(name)
	}
}

// named says whether one of the fields has a name.
func named[T any](all []graphField[T], name string) bool {
	return slices.ContainsFunc(all, func(f graphField[T]) bool { return f.name == name })
}

// appendFields appends the fields of one object to the object that b ends in. Without access all
// but the id are null.
func appendFields[T any](e *Entra, b []byte, fields []graphField[T], n int, of *T, access bool) []byte {
	for _, f := range fields {
		start := len(b)
		b = appendKey(b, f.name)
		value := len(b)
		if access || f.name == "id" {
			b = f.append(e, b, n, of)
		} else {
			b = append(b, "null"...)
		}
		if len(b) == value {
			b = b[:start]
		}
	}
	return b
}

// appendType begins an object that says what it is.
func appendType(b []byte, kind MemberKind) []byte {
	b = append(comma(b), `{"@odata.type":"#microsoft.graph.`...)
	b = append(b, kind.graphName()...)
	return append(b, '"')
}

func (k MemberKind) graphName() string {
	return [...]string{"user", "group", "device", "servicePrincipal", "orgContact", "directoryObject"}[k]
}

// differing gives the fields in which an object is not as it was.
func differing[T any](e *Entra, fields []graphField[T], n int, before, after *T) []graphField[T] {
	var all []graphField[T]
	for _, f := range fields {
		if string(f.append(e, nil, n, before)) != string(f.append(e, nil, n, after)) {
			all = append(all, f)
		}
	}
	return all
}

// valueOf gives one field of an object as JSON; "null" for what there isn't.
func valueOf[T any](e *Entra, all []graphField[T], name string, n int, of *T) string {
	for _, f := range all {
		if f.name == name {
			return string(f.append(e, nil, n, of))
		}
	}
	return "null"
}
