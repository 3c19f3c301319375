package main

import (
	"fmt"
	"iter"

	"github.com/rollcall-id/rollcall/models"
)

// A shape says how large a world is. What is in it follows from that alone, so that every run
// measures the same data:
//
//	users      user0000000 and so on, all of them with the same password
//	layers     ten layers of groups; each is in two of the next layer, and each user of the first
//	           half is in two neighbours of the first layer: 65 groups in all
//	squads     a hundred users of the second half each
//	depts      ten squads each: a thousand users
type shape struct {
	users   int
	groups  bool // layers, squads and depts
	perUser int  // or a tenth as many groups as users, and each user in so many of them
}

const (
	layers     = 10
	squadSize  = 100
	deptSquads = 10
)

func (s shape) width() int  { return max(s.users/100, layers+2) } // of a layer
func (s shape) half() int   { return s.users / 2 }
func (s shape) squads() int { return s.half() / squadSize }
func (s shape) depts() int  { return s.squads() / deptSquads }

func userName(u int) string         { return fmt.Sprintf("user%07d", u) }
func firstName(u int) string        { return fmt.Sprintf("First%07d", u) }
func lastName(u int) string         { return fmt.Sprintf("Last%07d", u) }
func layerName(layer, i int) string { return fmt.Sprintf("layer%02d-%07d", layer, i) }
func squadName(i int) string        { return fmt.Sprintf("squad%07d", i) }
func deptName(i int) string         { return fmt.Sprintf("dept%07d", i) }

func (s shape) layerID(layer, i int) int64 { return int64(1 + layer*s.width() + i%s.width()) }
func (s shape) squadID(i int) int64        { return int64(1 + layers*s.width() + i) }
func (s shape) deptID(i int) int64         { return int64(1 + layers*s.width() + s.squads() + i) }

// groupsOf gives the names of all groups of a user of the first half, nested ones included.
func (s shape) groupsOf(u int) map[string]bool {
	names := map[string]bool{}
	for layer := range layers {
		for i := range layer + 2 {
			names[layerName(layer, (u+i)%s.width())] = true
		}
	}
	return names
}

// membersOf gives the names of all users of a dept.
func (s shape) membersOf(dept int) map[string]bool {
	names := map[string]bool{}
	for squad := dept * deptSquads; squad < (dept+1)*deptSquads; squad++ {
		for i := range squadSize {
			names[userName(s.half()+i*s.squads()+squad)] = true
		}
	}
	return names
}

// A table is rows to insert as they are.
type table struct {
	name    string
	columns []string
	rows    iter.Seq[[]any]
}

// written is when all rows were made.
const written = int64(1_700_000_000_000)

// tables gives the rows of a world in the directory; hash is everybody's password, or empty.
func (s shape) tables(dir models.ID, hash string) []table {
	d := int64(dir)
	all := []table{{"users", []string{"id", "directory_id", "name", "name_key", "first_name", "first_key", "last_name", "last_key",
		"display_name", "display_key", "email", "email_key", "active", "external_id", "created_at", "updated_at"}, s.userRows(d)}}
	if hash != "" {
		all = append(all, table{"credentials", []string{"user_id", "hash", "changed_at"}, func(yield func([]any) bool) {
			for u := range s.users {
				if !yield([]any{int64(u + 1), hash, written}) {
					return
				}
			}
		}})
	}
	if s.groups {
		all = append(all,
			table{"groups", groupColumns, s.groupRows(d)},
			table{"memberships", []string{"group_id", "user_id", "directory_id"}, s.membershipRows(d)},
			table{"nestings", []string{"parent_id", "child_id", "directory_id"}, s.nestingRows(d)})
	}
	if s.perUser > 0 {
		all = append(all, s.plainTables(d)...)
	}
	return all
}

// plainTables gives groups that are in no other, and their members.
func (s shape) plainTables(d int64) []table {
	groups := s.users / 10
	return []table{
		{"groups", groupColumns, func(yield func([]any) bool) {
			for i := range groups {
				if !yield(groupRow(d, int64(i+1), fmt.Sprintf("group%07d", i))) {
					return
				}
			}
		}},
		{"memberships", []string{"group_id", "user_id", "directory_id"}, func(yield func([]any) bool) {
			for u := range s.users {
				for i := range s.perUser {
					if !yield([]any{int64((u*s.perUser+i)%groups + 1), int64(u + 1), d}) {
						return
					}
				}
			}
		}},
	}
}

var groupColumns = []string{"id", "directory_id", "name", "name_key", "active", "external_id", "created_at", "updated_at"}

func groupRow(d, id int64, name string) []any {
	return []any{id, d, name, name, true, fmt.Sprintf("00000000-0000-4000-9000-%012d", id), written, written}
}

func (s shape) userRows(d int64) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for u := range s.users {
			name, first, last := userName(u), firstName(u), lastName(u)
			display, email := first+" "+last, name+"@example.test"
			if !yield([]any{int64(u + 1), d, name, name, first, models.Key(first), last, models.Key(last), display, models.Key(display),
				email, email, true, fmt.Sprintf("00000000-0000-4000-8000-%012d", u), written, written}) {
				return
			}
		}
	}
}

func (s shape) groupRows(d int64) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		group := func(id int64, name string) bool {
			return yield(groupRow(d, id, name))
		}
		for layer := range layers {
			for i := range s.width() {
				if !group(s.layerID(layer, i), layerName(layer, i)) {
					return
				}
			}
		}
		for i := range s.squads() {
			if !group(s.squadID(i), squadName(i)) {
				return
			}
		}
		for i := range s.depts() {
			if !group(s.deptID(i), deptName(i)) {
				return
			}
		}
	}
}

// membershipRows puts each user of the first half into two groups of the first layer, and the
// others into a squad.
func (s shape) membershipRows(d int64) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for u := range s.half() {
			if !yield([]any{s.layerID(0, u), int64(u + 1), d}) || !yield([]any{s.layerID(0, u+1), int64(u + 1), d}) {
				return
			}
		}
		for u := range s.squads() * squadSize {
			if !yield([]any{s.squadID(u % s.squads()), int64(s.half() + u + 1), d}) {
				return
			}
		}
	}
}

func (s shape) nestingRows(d int64) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for layer := range layers - 1 {
			for i := range s.width() {
				if !yield([]any{s.layerID(layer+1, i), s.layerID(layer, i), d}) || !yield([]any{s.layerID(layer+1, i+1), s.layerID(layer, i), d}) {
					return
				}
			}
		}
		for i := range s.depts() * deptSquads {
			if !yield([]any{s.deptID(i / deptSquads), s.squadID(i), d}) {
				return
			}
		}
	}
}
