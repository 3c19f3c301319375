// Package sourcetest is what every source has to pass: the same questions and the same faults,
// against the fake of its cloud.
//
//	provider.go     Provider and World: how one source and its fake are started
//	conformance.go  Conformance: everything comes, once, and as it is
//	changes.go      what changed since a cursor, kept up with for a while
//	faults.go       Faults: a table of what goes wrong, and what has to come of it
//	picture.go      what a source told, to compare with what the cloud has
//
// A source joins with one line in its tests:
//
//	func TestConformance(t *testing.T) { sourcetest.Conformance(t, provider) }
//	func TestFaults(t *testing.T)      { sourcetest.Faults(t, provider) }
package sourcetest
