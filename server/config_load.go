package server

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A Problem is one mistake in the settings.
type Problem struct {
	From string // where it was made: "rollcall.yaml:3", "environment ROLLCALL_LISTEN"
	Text string // what is wrong and what would be right; never a secret
}

// Problems are all mistakes found in the settings, one line each.
type Problems []Problem

// Error lists the problems, one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.From + ": " + problem.Text
	}
	return strings.Join(lines, "\n")
}

// The names of the YAML file's own flag and variable.
const (
	configFlag     = "config"
	configVariable = envPrefix + "CONFIG"
	testVariables  = envPrefix + "TEST_"
	fileSuffix     = "-file"
)

// Load reads the settings: defaults, then the YAML file named by --config or ROLLCALL_CONFIG,
// then the environment, then the flags; the last one that gives a setting wins. Flags may be
// nil. The error is of type Problems and holds everything that is wrong, also in values that
// were overridden; Config and Origins are then what could be read.
func Load(flags *pflag.FlagSet, environ []string) (Config, Origins, error) {
	l := loader{given: map[string][]given{}}
	l.defaults()
	l.file(configFile(flags, environ))
	l.environment(environ)
	l.flags(flags)

	var c Config
	origins := l.apply(&c)
	if len(l.problems) == 0 {
		l.problems = c.contradictions(origins)
	}
	if len(l.problems) > 0 {
		return c, origins, l.problems
	}
	return c, origins, nil
}

// A given is a value for one setting from one place.
type given struct {
	from   string
	text   string
	inFile bool // text is the name of a file that holds the value
}

type loader struct {
	given    map[string][]given // by setting; later ones win
	problems Problems
}

func (l *loader) problem(from, format string, args ...any) {
	l.problems = append(l.problems, Problem{From: from, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) defaults() {
	for _, s := range settings {
		l.given[s.name] = []given{{from: fromDefault, text: s.fallback}}
	}
}

func configFile(flags *pflag.FlagSet, environ []string) string {
	if flags != nil && flags.Changed(configFlag) {
		return flags.Lookup(configFlag).Value.String()
	}
	name := ""
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, configVariable+"="); ok {
			name = value
		}
	}
	return name
}

// orchestratorVariables are set by Kubernetes and Docker for a service named "rollcall…" and say
// nothing about our settings. ROLLCALL_PORT=8095 isn't one of them: theirs begins with tcp://.
var orchestratorVariables = regexp.MustCompile(
	`^ROLLCALL_(\w+_)?(SERVICE_HOST=|SERVICE_PORT(_\w+)?=|PORT=(tcp|udp|sctp)://|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?=)`)

func (l *loader) environment(environ []string) {
	names := map[string]string{configVariable: configFlag}
	for _, key := range keys() {
		names[envName(key)] = key
	}
	layer := layer{}
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, text, _ := strings.Cut(entry, "=")
		switch key, known := names[name]; {
		case name == configVariable || !strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, testVariables):
		case known:
			layer.add(key, given{from: "environment " + name, text: text})
		case !orchestratorVariables.MatchString(entry):
			wrong := strings.TrimPrefix(name, envPrefix)
			l.problem("environment "+name, "is no setting%s", suggest(wrong, append(keys(), configFlag), envName))
		}
	}
	l.add(layer)
}

// A layer is what one place gives, by setting.
type layer map[string][]given

// add notes a value under its key, which may be the one that names a file: "secret-key-file".
func (y layer) add(key string, g given) {
	if settingNamed(key) == nil {
		key, g.inFile = strings.TrimSuffix(key, fileSuffix), true
	}
	y[key] = append(y[key], g)
}

// add puts a layer on top of those before it.
func (l *loader) add(y layer) {
	for _, s := range settings {
		values := y[s.name]
		if len(values) == 2 {
			l.problem(values[0].from, "%s is given twice, also by %s; keep one", s.name, values[1].from)
		}
		l.given[s.name] = append(l.given[s.name], values...)
	}
}

// apply sets each field from its last value. The others are parsed too, since a mistake in a
// file is one even while a flag hides it; but a file that only an overridden value names isn't
// read.
func (l *loader) apply(c *Config) Origins {
	var origins Origins
	for i := range settings {
		s := &settings[i]
		values := l.given[s.name]
		for j, g := range values {
			if last := j == len(values)-1; g.inFile && !last {
				continue
			} else if g.inFile {
				g.text = l.fromFile(s, g)
			}
			if err := s.set(c, g.text); err != nil && (!g.inFile || g.text != "") {
				l.problem(g.from, "%s%s %v", s.name, quoted(s, g.text), err)
			}
			values[j] = g
		}
		last := values[len(values)-1]
		origins = append(origins, Origin{Setting: s.name, Value: s.shown(last.text), From: last.from})
	}
	return origins
}

// maxSecretFile bounds what is read from a file that should hold one value.
const maxSecretFile = 64 << 10

// fromFile reads a value from the file that g names, without the line end behind it. After a
// problem the text is empty.
func (l *loader) fromFile(s *setting, g given) string {
	data, err := readLimited(g.text, maxSecretFile)
	text := strings.TrimRight(string(data), "\r\n")
	switch {
	case err != nil:
		l.problem(g.from, "%s: %v", s.name, err)
	case text == "":
		l.problem(g.from, "%s: the file %q is empty", s.name, g.text)
	}
	if err != nil {
		return ""
	}
	return text
}

// quoted shows the value in a problem, unless it is a secret.
func quoted(s *setting, text string) string {
	if text == "" || s.mayBeFile() {
		return ":"
	}
	return fmt.Sprintf(": %q:", text)
}

// readLimited reads a file that may also be a pipe, and refuses one that is too large.
func readLimited(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s is larger than %v", name, Bytes(most))
	}
	return data, err
}

// keys gives every key that a file or the environment may use.
func keys() []string {
	var all []string
	for _, s := range settings {
		all = append(all, s.name)
		if s.mayBeFile() {
			all = append(all, s.name+fileSuffix)
		}
	}
	return all
}

// suggest names the key nearest to a wrong one, as the place where it stands writes it.
func suggest(wrong string, known []string, write func(string) string) string {
	wrong = strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(wrong))
	far := func(key string) int {
		if strings.HasPrefix(key, wrong+"-") {
			return 0 // a YAML section named by the first word of several keys
		}
		return Distance(wrong, key)
	}
	nearest := slices.MinFunc(known, func(a, b string) int { return cmp.Compare(far(a), far(b)) })
	if far(nearest) > max(2, len(wrong)/2) {
		return "; `rollcall config print` lists them all"
	}
	return fmt.Sprintf("; did you mean %s?", write(nearest))
}

// Distance counts the letters to insert, remove or replace to make a into b.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
