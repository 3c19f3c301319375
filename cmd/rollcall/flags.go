package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rollcall-id/rollcall/models"
)

// valueWords stand for values in --help, where TEXT would say too little.
var valueWords = map[string]string{
	"address": "ADDRESS", "directory": "DIRECTORY", "group": "GROUP", "kind": "KIND", "permit": "LIST",
}

// A namedValue is a flag's value with the word that stands for it.
type namedValue struct {
	pflag.Value
	word string
}

// Type gives the word.
func (v namedValue) Type() string { return v.word }

// nameValues gives the values of flags words for --help, and keeps the flags in their order.
func nameValues(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.VisitAll(func(f *pflag.Flag) {
		switch f.Value.Type() {
		case "string", "stringArray":
			f.Value = namedValue{f.Value, cmp.Or(valueWords[f.Name], "TEXT")}
			f.DefValue = strings.TrimPrefix(f.DefValue, "[]")
		case "int":
			f.Value = namedValue{f.Value, "N"}
		}
	})
}

// given is the value of a flag that was typed; nil for one that wasn't: what no flag names stays.
func given[T any](flags *pflag.FlagSet, name string, value *T) *T {
	if flags.Changed(name) {
		return value
	}
	return nil
}

// nothingGiven refuses a `set` that sets nothing.
func nothingGiven(cmd *cobra.Command) error {
	var names []string
	ownFlags(cmd).VisitAll(func(f *pflag.Flag) {
		if f.Name != "json" && f.Name != "directory" {
			names = append(names, "--"+f.Name)
		}
	})
	return wrongUsage(cmd.CommandPath()+" --help", "there is nothing to change: add one of %s", strings.Join(names, ", "))
}

// attributes reads name=value pairs; a name that comes several times has several values, and
// name= alone has none.
func attributes(pairs []string) ([]models.Attribute, error) {
	var all []models.Attribute
	at := map[string]int{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, wrongUsage("", "%q is not NAME=VALUE", pair)
		}
		i, known := at[name]
		if !known {
			i, at[name] = len(all), len(all)
			all = append(all, models.Attribute{Name: name})
		}
		if value != "" {
			all[i].Values = append(all[i].Values, value)
		}
	}
	return all, nil
}

var days = regexp.MustCompile(`^(\d{1,6})d$`)

// timeFlag reads a moment: a date, a date and time in RFC 3339, or a length of time ("90d",
// "12h"), which is added to now, or with ago taken off it. Empty is never.
func timeFlag(flag, text string, now models.Time, ago bool) (models.Time, error) {
	if text == "" {
		return 0, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return models.TimeOf(t), nil
		}
	}
	length, err := time.ParseDuration(text)
	if m := days.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // at most six digits
		length, err = time.Duration(n)*24*time.Hour, nil
	}
	if err != nil || length <= 0 {
		return 0, wrongUsage("", "--%s: %q is neither a date (2026-12-31), nor a time (2026-12-31T18:00:00Z), nor a length of time (90d, 12h)", flag, text)
	}
	if ago {
		length = -length
	}
	return now.Add(length), nil
}

// quotedArg writes a word so that a shell reads it back as one.
func quotedArg(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@,+=") == "" {
		return word
	}
	return fmt.Sprintf("'%s'", strings.ReplaceAll(word, "'", `'\''`))
}
