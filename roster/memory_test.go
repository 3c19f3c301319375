package roster

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

// heap gives how many bytes and objects live.
func heap() (bytes, objects int64) {
	runtime.GC()
	runtime.GC() // the first may leave what it found to be swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.HeapObjects)
}

// What a row costs, as doc.go tells it: a user its texts and some 50 bytes more, of which the
// three indexes are up to 36; a membership nine bytes, both ways together. And millions of
// rows are a handful of objects for the garbage collector. Not parallel: others use the heap
// too.
func TestRowsTakeLittleMemory(t *testing.T) {
	const users, groups, perUser = 200_000, 20_000, 10
	before, objectsBefore := heap()
	table := generatedUsers(t, users, rand.New(rand.NewPCG(1, 2)))
	between, objectsBetween := heap()
	texts := 0
	var rec record
	for row := range uint32(users) {
		table.read(row, &rec)
		for i, text := range rec.texts {
			if i != textKey { // the same as the name
				texts += len(text)
			}
		}
	}
	perRow := float64(between-before) / users
	t.Logf("a user: %.0f bytes, of which %d are text", perRow, texts/users)
	if more := perRow - float64(texts)/users; more > 60 {
		t.Errorf("a user takes %.0f bytes more than its texts", more)
	}

	var members pairs
	members.left, members.right = make([]uint32, 0, users*perUser), make([]uint32, 0, users*perUser)
	for user := range uint32(users) {
		for i := range uint32(perUser) {
			members.add((user*7+i*1999)%groups, user)
		}
	}
	fromGroups, fromUsers := members.both(groups, users)
	members = pairs{}
	after, objectsAfter := heap()
	perMembership := float64(after-between) / (users * perUser)
	t.Logf("a membership: %.1f bytes", perMembership)
	if perMembership > 9 {
		t.Errorf("a membership takes %.1f bytes", perMembership)
	}
	if n := max(objectsBetween-objectsBefore, objectsAfter-objectsBetween); n >= 1000 {
		t.Errorf("the garbage collector sees %d objects more", n)
	}
	runtime.KeepAlive(table)
	runtime.KeepAlive(fromGroups)
	runtime.KeepAlive(fromUsers)
}
