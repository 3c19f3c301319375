//go:build nextbreaks

package migrations

// With the tag nextbreaks the program knows one step more, beside which no older program may work.
// cmd/rollcall's tests of a rolling upgrade build it.
func init() {
	level := len(Steps)
	Steps = append(Steps, Step{
		Number:        level + 1,
		Name:          "keep colours where an older program would not look",
		OldestProgram: level + 1,
		SQL:           "ALTER TABLE users ADD COLUMN colour text;\n",
	})
}
