package directory

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// What settings of mirrored directories are written in: each form is read here, once to check it
// when it is set, and again by package sync.

// List splits a setting that is a list by comma.
func List(value string) (items []string) {
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// NamePattern gives the regular expression of an item re:PATTERN, which must match a whole name;
// nil when the item is of another form.
func NamePattern(item string) (*regexp.Regexp, error) {
	pattern, ok := strings.CutPrefix(item, "re:")
	if !ok {
		return nil, nil
	}
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return nil, fmt.Errorf("%q is no regular expression that can be used: %w (a comma in a pattern is written \\x2c)", pattern, err)
	}
	return re, nil
}

// A Rewrite replaces what a pattern finds.
type Rewrite struct {
	Pattern *regexp.Regexp
	With    string
}

// Rewrites reads PATTERN=>REPLACEMENT, one on each line or separated by ";;".
func Rewrites(value string) (out []Rewrite, err error) {
	for line := range strings.SplitSeq(strings.ReplaceAll(value, ";;", "\n"), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		pattern, with, ok := strings.Cut(line, "=>")
		if !ok {
			return nil, fmt.Errorf("%q is not of the form PATTERN=>REPLACEMENT", line)
		}
		re, err := regexp.Compile(strings.TrimSpace(pattern))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		out = append(out, Rewrite{re, strings.TrimSpace(with)})
	}
	return out, nil
}

// A Limit is passed when both its number and its part are. The zero Limit is never passed.
type Limit struct {
	Set     bool
	Count   int
	Percent float64
}

// ReadLimit reads COUNT,PERCENT%; empty is no limit.
func ReadLimit(value string) (l Limit, err error) {
	if value == "" {
		return l, nil
	}
	count, percent, _ := strings.Cut(value, ",")
	number, isPercent := strings.CutSuffix(strings.TrimSpace(percent), "%")
	l.Set = true
	l.Count, err = strconv.Atoi(strings.TrimSpace(count))
	if err == nil {
		l.Percent, err = strconv.ParseFloat(number, 64)
	}
	if err != nil || l.Count < 0 || !isPercent || !(l.Percent >= 0 && l.Percent <= 100) {
		return Limit{}, fmt.Errorf("%q is not of the form COUNT,PERCENT%%, such as 10,5%%", value)
	}
	return l, nil
}
