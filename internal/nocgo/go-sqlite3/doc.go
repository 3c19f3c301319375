// Package sqlite3 stands in for the C library's driver, which GORM's SQLite dialect imports
// for its default driver. Ours is pure Go (modernc.org/sqlite, named "sqlite"), so the C code
// would only be compiled, for minutes, in builds that have cgo on: those with the race detector.
package sqlite3
