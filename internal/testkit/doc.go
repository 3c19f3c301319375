// Package testkit is what tests share: databases, the real program, HTTP scenarios, a clock.
//
// A package that uses its databases or the program says so once:
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
// and each of its tests then runs on both databases:
//
//	func TestRenamedUserKeepsExternalID(t *testing.T) {
//		t.Parallel()
//		testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
//			s := db.Open(t)
//			…
//		})
//	}
//
// The schema is made once in a test process and copied for each test: a file on SQLite,
// CREATE DATABASE … TEMPLATE on PostgreSQL, where a later test gets an earlier one's copy,
// emptied (recycle.go). The PostgreSQL server is the one that
// ROLLCALL_TEST_POSTGRES names, else a private one that scripts/postgres.sh starts; where
// neither can be had, tests fail and say what to do.
package testkit
