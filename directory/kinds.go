package directory

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/rollcall-id/rollcall/internal/password"
	"github.com/rollcall-id/rollcall/models"
)

// A part is what a writer may be allowed to write in a directory.
type part int

const (
	users part = 1 << iota
	groups
	memberships
	nothing    = part(0)
	everything = users | groups | memberships
)

// A kind is one row of the table of kinds: the one answer to "why is this read-only?".
type kind struct {
	writes   map[models.Writer]part
	settings []Setting
	required func(has func(string) bool) []string // names the settings that are missing; nil: none are needed
}

// A Setting is one setting that directories of a kind have.
type Setting struct {
	Name    string
	Secret  bool   // sealed at rest and never shown
	Reads   bool   // of a mirrored directory: decides what a read of the source gives
	Default string // what it is when nobody set it
	Doc     string // one sentence
	Check   func(value string) error
}

var kinds = map[models.Kind]kind{
	models.KindInternal: {
		writes: map[models.Writer]part{
			models.ByOperator: everything,
			models.ByLogin:    users | memberships, // just in time
			models.BySync:     nothing,
		},
		settings: []Setting{
			{Name: "password-min-length", Default: "0", Doc: "shortest password in characters; 0 takes any that is not empty", Check: number(0, 256)},
			{Name: "password-regex", Doc: "regular expression that a new password must match somewhere", Check: pattern},
			{Name: "password-message", Doc: "what people are told when a password is refused", Check: text},
			{Name: "password-history", Default: "0", Doc: "how many former passwords can't be chosen again", Check: number(0, password.MaxHistory)},
			{Name: "password-max-age", Default: "0", Doc: "days after which a password must be changed; 0 is never", Check: number(0, 36500)},
			{Name: "password-required", Default: "false", Doc: "refuse to create users without a password", Check: yesNo},
			{Name: "max-attempts", Default: "0", Doc: "wrong passwords after which only a new one helps; 0 only delays", Check: number(0, 1000)},
		},
	},
}

// Kinds lists the kinds of directory that can be created.
func Kinds() []models.Kind { return slices.Sorted(maps.Keys(kinds)) }

// Settings lists the settings of a kind.
func Settings(k models.Kind) []Setting { return kinds[k].settings }

// allow answers PermissionDenied unless the directory's kind lets the writer write the part.
func allow(dir *models.Directory, by models.Actor, p part) error {
	if kinds[dir.Kind].writes[by.Writer]&p == p {
		return nil
	}
	return models.Fail(models.PermissionDenied, dir.Name,
		fmt.Sprintf("Directory <%s> is of the kind %q, which can't be changed this way.", dir.Name, dir.Kind))
}

// SettingOf gives a directory's setting, or its kind's default.
func SettingOf(dir *models.Directory, name string) string { return setting(dir, name) }

// Mirrored tells whether directories of a kind are kept equal to a source.
func Mirrored(k models.Kind) bool { return kinds[k].writes[models.BySync] == everything }

func setting(dir *models.Directory, name string) string {
	if value, ok := dir.Settings[name]; ok {
		return value
	}
	for _, s := range kinds[dir.Kind].settings {
		if s.Name == name {
			return s.Default
		}
	}
	return ""
}

// settingNumber reads a setting that Check accepted as a number; a kind without it has 0.
func settingNumber(dir *models.Directory, name string) int {
	n, err := strconv.Atoi(setting(dir, name))
	if err != nil {
		return 0
	}
	return n
}

func secrets(k models.Kind) map[string]bool {
	out := map[string]bool{}
	for _, s := range kinds[k].settings {
		out[s.Name] = s.Secret
	}
	return out
}

// CheckSettings reports every setting that the kind doesn't have or whose value is wrong, and
// every one that it needs.
func CheckSettings(k models.Kind, settings map[string]string) error {
	return checkSettings(k, settings)
}

// checkSettings reports every setting that the kind doesn't have or whose value is wrong.
func checkSettings(k models.Kind, settings map[string]string) error {
	var problems []string
	if required := kinds[k].required; required != nil {
		for _, name := range required(func(name string) bool { return settings[name] != "" }) {
			problems = append(problems, fmt.Sprintf("a directory of the kind %q needs the setting %s", k, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		i := slices.IndexFunc(kinds[k].settings, func(s Setting) bool { return s.Name == name })
		if i < 0 {
			problems = append(problems, fmt.Sprintf("a directory of the kind %q has no setting %q%s", k, name, suggestion(k)))
			continue
		}
		if err := kinds[k].settings[i].Check(settings[name]); err != nil {
			problems = append(problems, fmt.Sprintf("setting %s: %v", name, err))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return models.Fail(models.IllegalArgument, "", join(problems))
}
