package store

import "strings"

// likePrefix gives a LIKE pattern (with ESCAPE '!') for texts that start with prefix.
func likePrefix(prefix string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(prefix) + "%"
}
