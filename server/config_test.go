package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// aKey is 32 bytes in base64.
const aKey = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="

// load reads settings as the program does, with a YAML file of the given text unless it is empty.
// It gives the file's name as "rollcall.yaml" in problems and origins.
func load(t *testing.T, yaml string, environ []string, args ...string) (Config, Origins, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if yaml != "" {
		write(t, "rollcall.yaml", yaml)
		environ = append(environ, "ROLLCALL_CONFIG=rollcall.yaml")
	}
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(fs, environ)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheLastPlaceWins(t *testing.T) {
	for _, test := range []struct {
		name    string
		yaml    string
		environ []string
		args    []string
		want    Origin
	}{
		{name: "default", want: Origin{"listen", ":8095", "default"}},
		{name: "file", yaml: "\nlisten: :1\n", want: Origin{"listen", ":1", "rollcall.yaml:2"}},
		{name: "environment over file", yaml: "listen: :1", environ: []string{"ROLLCALL_LISTEN=:2"},
			want: Origin{"listen", ":2", "environment ROLLCALL_LISTEN"}},
		{name: "flag over all", yaml: "listen: :1", environ: []string{"ROLLCALL_LISTEN=:2"}, args: []string{"--listen", ":3"},
			want: Origin{"listen", ":3", "flag --listen"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, origins, err := load(t, test.yaml, test.environ, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got := *origins.of("listen"); got != test.want || c.Listen != test.want.Value {
				t.Errorf("want %+v, got %+v and %q", test.want, got, c.Listen)
			}
		})
	}
}

func TestDefaultsAreWhatTheyAreDocumentedToBe(t *testing.T) {
	c, _, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(c.DatabaseURL, c.Listen, c.ManagementListen, c.DataDir, c.HTTP2, c.LogLevel, c.MaxBody,
		c.ArgonMemory, c.SessionTimeout, c.CookieName, c.RequireSameAddress, c.CrowdVersion, len(c.TrustedProxies))
	want := fmt.Sprintln("sqlite:data/rollcall.db", ":8095", "127.0.0.1:8096", "data", false, "INFO", "1MiB",
		"19MiB", "30m0s", "crowd.token_key", true, "Crowd/5.1.0", 0)
	if got != want {
		t.Errorf("want %sgot  %s", want, got)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	yaml := strings.Join([]string{
		"listen: 8095",
		"managment-listen: :1",
		"tls:",
		"  cert: x",
		"read-timeout: 30",
		"read-timeout: 31s",
		"url: [a, b]",
		"data-dir:",
		"max_body: 1MiB",
	}, "\n")
	environ := []string{
		"ROLLCALL_TRUSTED_PROXIES=10.0.0.0/8 0.0.0.0/0",
		"ROLLCALL_LISTN=:1",
		"ROLLCALL_DATABASE_URL=mysql://root:hunter2@db",
		"ROLLCALL_SECRET_KEY=hunter2",
		"ROLLCALL_SECRET_KEY_FILE=/nowhere",
		"ROLLCALL_TEST_POSTGRES=postgres://x",
		"PATH=/bin",
	}
	_, _, err := load(t, yaml, environ, "--password-hashes=many", "--log-level", "loud", "--http2=maybe")
	want := strings.TrimSpace(`
rollcall.yaml:2: "managment-listen" is no setting; did you mean management-listen?
rollcall.yaml:3: "tls" is no setting; did you mean tls-cert-file?
rollcall.yaml:6: read-timeout is given twice, first in line 5; keep one
rollcall.yaml:7: url: takes a single value
rollcall.yaml:8: data-dir: has no value; write "" if it is to be empty
rollcall.yaml:9: "max_body" is no setting; did you mean max-body?
environment ROLLCALL_LISTN: is no setting; did you mean ROLLCALL_LISTEN?
environment ROLLCALL_SECRET_KEY: secret-key is given twice, also by environment ROLLCALL_SECRET_KEY_FILE; keep one
environment ROLLCALL_DATABASE_URL: database-url: write sqlite:path or postgres://user:password@host/database
environment ROLLCALL_SECRET_KEY: secret-key: has to be 32 bytes in base64; ` + "`openssl rand -base64 32`" + ` makes one
environment ROLLCALL_SECRET_KEY_FILE: secret-key: open /nowhere: no such file or directory
rollcall.yaml:1: listen: "8095": write host:port, as in :8095, 127.0.0.1:8095 or [::1]:8095
environment ROLLCALL_TRUSTED_PROXIES: trusted-proxies: "10.0.0.0/8 0.0.0.0/0": "0.0.0.0/0" would believe the headers of everybody; name the proxies' own networks
flag --http2: http2: "maybe": write true or false
flag --log-level: log-level: "loud": write debug, info, warn or error
rollcall.yaml:5: read-timeout: "30": write a duration with its unit, as in 500ms, 30s, 10m or 8h
flag --password-hashes: password-hashes: "many": write a number from 0 to 1024`)
	if _, ok := errors.AsType[Problems](err); !ok {
		t.Fatalf("want Problems, got %T", err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestOneValue(t *testing.T) {
	for _, test := range []struct {
		environ string
		want    string // part of the problem; empty: none
	}{
		{"ROLLCALL_TRUSTED_PROXIES=::/0", "would believe"},
		{"ROLLCALL_TRUSTED_PROXIES=10.0.0.0/0", "would believe"},
		{"ROLLCALL_TRUSTED_PROXIES=::ffff:0.0.0.0/96", "would believe"},
		{"ROLLCALL_TRUSTED_PROXIES=10.1.2.3/8", "write 10.0.0.0/8 or 10.1.2.3"},
		{"ROLLCALL_TRUSTED_PROXIES=proxy", "write networks"},
		{"ROLLCALL_TRUSTED_PROXIES=10.0.0.0/8,fd00::/8,192.0.2.7,::1", ""},
		{"ROLLCALL_TRUSTED_PROXIES=", ""},
		{"ROLLCALL_URL=https://id.example.com/", ""},
		{"ROLLCALL_URL=https://id.example.com:8443/sso", ""},
		{"ROLLCALL_URL=id.example.com", "write an absolute"},
		{"ROLLCALL_URL=ftp://id.example.com", "write an absolute"},
		{"ROLLCALL_URL=https://user:pw@id.example.com", "write an absolute"},
		{"ROLLCALL_URL=https://id.example.com?x", "leave the part"},
		{"ROLLCALL_DATABASE_URL=sqlite:a.db", ""},
		{"ROLLCALL_DATABASE_URL=sqlite:/a/b.db?_pragma=x", ""},
		{"ROLLCALL_DATABASE_URL=postgresql://h1:1,h2:2/db", ""},
		{"ROLLCALL_DATABASE_URL=postgres:///db?host=/run/postgresql", ""},
		{"ROLLCALL_DATABASE_URL=sqlite:///a.db", "directly behind sqlite:"},
		{"ROLLCALL_DATABASE_URL=sqlite:", "name a file"},
		{"ROLLCALL_DATABASE_URL=sqlite::memory:", "name a file"},
		{"ROLLCALL_DATABASE_URL=postgres://", "write sqlite:path"},
		{"ROLLCALL_DATABASE_URL=", "write sqlite:path"},
		{"ROLLCALL_LISTEN=", "write host:port"},
		{"ROLLCALL_LISTEN=:http", "write host:port"},
		{"ROLLCALL_LISTEN=localhost:70000", "write host:port"},
		{"ROLLCALL_LISTEN=[::1]:8095", ""},
		{"ROLLCALL_MANAGEMENT_LISTEN=", ""},
		{"ROLLCALL_MANAGEMENT_LISTEN=:8095", "is the same as listen"},
		{"ROLLCALL_MANAGEMENT_LISTEN=10.0.0.1:8095", "is the same as listen"},
		{"ROLLCALL_MAX_BODY=2MiB", ""},
		{"ROLLCALL_MAX_BODY=2 MB", "write a number of bytes"},
		{"ROLLCALL_MAX_BODY=9223372036854775807GiB", "write a number of bytes"},
		{"ROLLCALL_MAX_BODY=2GiB", "write a size from 1KiB to 64MiB"},
		{"ROLLCALL_MAX_BODY=0", "write a size from 1KiB to 64MiB"},
		{"ROLLCALL_WRITE_STALL=0s", "write a duration from"},
		{"ROLLCALL_SLOW_REQUEST=0", ""},
		{"ROLLCALL_DRAIN_TIME=1m", "has to be shorter than shutdown-timeout"},
		{"ROLLCALL_SECRET_KEY=" + aKey, ""},
		{"ROLLCALL_SECRET_KEY=QUFB", "32 bytes"},
		{"ROLLCALL_TLS_CERT_FILE=a.pem", "needs tls-key-file"},
		{"ROLLCALL_TLS_KEY_FILE=a.pem", "needs tls-cert-file"},
		{"ROLLCALL_HTTP2=true", "needs tls-cert-file and tls-key-file"},
		{"ROLLCALL_COOKIE_NAME=a b", "write letters"},
		{"ROLLCALL_COOKIE_DOMAIN=.example.com", ""},
		{"ROLLCALL_COOKIE_DOMAIN=a;b", "write a domain"},
		{"ROLLCALL_CROWD_VERSION=", "plain ASCII"},
		{"ROLLCALL_CROWD_VERSION=a\r\nb: c", "plain ASCII"},
		{"ROLLCALL_CONFIG=/nowhere", "no such file"},
	} {
		t.Run(test.environ, func(t *testing.T) {
			_, _, err := load(t, "", []string{test.environ})
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("want a problem with %q, got %v", test.want, err)
			}
		})
	}
}

// Kubernetes sets these in every pod beside a Service named "rollcall" or "rollcall-db".
func TestVariablesOfKubernetesAreNoMistakes(t *testing.T) {
	_, _, err := load(t, "", []string{
		"ROLLCALL_SERVICE_HOST=10.0.0.1", "ROLLCALL_SERVICE_PORT=8095", "ROLLCALL_SERVICE_PORT_HTTP=8095",
		"ROLLCALL_PORT=tcp://10.0.0.1:8095", "ROLLCALL_PORT_8095_TCP=tcp://10.0.0.1:8095",
		"ROLLCALL_PORT_8095_TCP_PROTO=tcp", "ROLLCALL_PORT_8095_TCP_PORT=8095", "ROLLCALL_PORT_8095_TCP_ADDR=10.0.0.1",
		"ROLLCALL_DB_SERVICE_HOST=10.0.0.2", "ROLLCALL_DB_PORT=tcp://10.0.0.2:5432",
	})
	if err != nil {
		t.Error(err)
	}
	if _, _, err := load(t, "", []string{"ROLLCALL_PORT=8095"}); err == nil {
		t.Error("ROLLCALL_PORT=8095 is a mistake")
	}
}

func TestYAML(t *testing.T) {
	for _, test := range []struct {
		name string
		yaml string
		want string // part of the problem; empty: none
	}{
		{"only comments", "# nothing\n", ""},
		{"only null", "~\n", ""},
		{"list", "trusted-proxies: [10.0.0.0/8, '::1']", ""},
		{"list as text", "trusted-proxies: 10.0.0.0/8, ::1", ""},
		{"alias", "listen: &here 127.0.0.1:1\nmanagement-listen: ''\nurl: \"\"\n", ""},
		{"list within a list", "trusted-proxies: [[10.0.0.0/8]]", "takes a single value"},
		{"a list at the root", "- a", "lines of `setting: value`"},
		{"a text at the root", "listen", "lines of `setting: value`"},
		{"two documents", "listen: :1\n---\nlisten: :2\n", "more than one document"},
		{"a tab", "listen:\n\t:1", "rollcall.yaml: line 2: found character"},
		{"too large", "#" + strings.Repeat("x", maxConfigFile), "larger than 1MiB"},
		{"same key twice", "listen: :1\nlisten: :1", "rollcall.yaml:2: listen is given twice, first in line 1"},
		{"config within config", "config: a", "is no setting"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := load(t, test.yaml, nil)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("want a problem with %q, got %v", test.want, err)
			}
		})
	}
}

func TestListsFromAllPlaces(t *testing.T) {
	want := "[10.0.0.0/8 ::1/128]"
	for _, test := range []struct {
		name    string
		yaml    string
		environ []string
		args    []string
	}{
		{name: "file", yaml: "trusted-proxies:\n- 10.0.0.0/8\n- ::1\n"},
		{name: "environment", environ: []string{"ROLLCALL_TRUSTED_PROXIES=10.0.0.0/8, ::1"}},
		{name: "flag", args: []string{"--trusted-proxies", "10.0.0.0/8", "--trusted-proxies", "::1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _, err := load(t, test.yaml, test.environ, test.args...)
			if got := fmt.Sprint(c.TrustedProxies); err != nil || got != want {
				t.Errorf("want %s, got %s, %v", want, got, err)
			}
		})
	}
}

func TestSecretsFromFiles(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	write(t, key, aKey+"\n")
	database := filepath.Join(t.TempDir(), "database")
	write(t, database, "postgres://ada:hunter2@db/rollcall\r\n")

	t.Run("environment", func(t *testing.T) {
		c, origins, err := load(t, "", []string{"ROLLCALL_SECRET_KEY_FILE=" + key, "ROLLCALL_DATABASE_URL_FILE=" + database})
		if err != nil || c.SecretKey.Reveal() != aKey || c.DatabaseURL.Reveal() != "postgres://ada:hunter2@db/rollcall" {
			t.Fatal(c, err)
		}
		want := Origin{"database-url", "postgres://ada:[secret]@db/rollcall", "environment ROLLCALL_DATABASE_URL_FILE"}
		if got := *origins.of("database-url"); got != want {
			t.Errorf("want %v, got %v", want, got)
		}
	})
	t.Run("flag over a variable that names no file", func(t *testing.T) {
		c, _, err := load(t, "", []string{"ROLLCALL_SECRET_KEY_FILE=/nowhere"}, "--secret-key-file", key)
		if err != nil || c.SecretKey.Reveal() != aKey {
			t.Error(c, err)
		}
	})
	t.Run("an empty file", func(t *testing.T) {
		write(t, key, "\n")
		_, _, err := load(t, "secret-key-file: "+key, nil)
		if err == nil || !strings.Contains(err.Error(), "is empty") {
			t.Error(err)
		}
	})
}

func TestSecretsNeverPrint(t *testing.T) {
	c, origins, err := load(t, "", []string{"ROLLCALL_SECRET_KEY=" + aKey, "ROLLCALL_DATABASE_URL=postgres://ada:hunter2@db/x?sslpassword=hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	if err := origins.Print(&printed); err != nil {
		t.Fatal(err)
	}
	inJSON, err := json.Marshal([]any{c, origins})
	if err != nil {
		t.Fatal(err)
	}
	NewLogger(&printed, c).Info("settings", "key", c.SecretKey, "database", c.DatabaseURL, "all", c)
	all := printed.String() + string(inJSON) + fmt.Sprintf("%v %+v %#v %s %q %x %d", c, c, c, c.SecretKey, c.SecretKey, c.DatabaseURL, c.SecretKey)
	for _, hidden := range []string{"hunter2", aKey, "68756e74657232"} {
		if strings.Contains(all, hidden) {
			t.Errorf("%q in %s", hidden, all)
		}
	}
	if !strings.Contains(printed.String(), "[secret]") || !strings.Contains(printed.String(), "environment ROLLCALL_SECRET_KEY\n") {
		t.Error(printed.String())
	}
}

func TestDatabaseURLPrintsWithoutPassword(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:data/a@b:c.db":                                      "sqlite:data/a@b:c.db",
		"postgres://db/x":                                           "postgres://db/x",
		"postgres://ada@db/x":                                       "postgres://ada@db/x",
		"postgres://ada:p%40ss@db:5432/x":                           "postgres://ada:[secret]@db:5432/x",
		"postgres://ada:p/a?s@s@db/x":                               "postgres://ada:[secret]@db/x",
		"postgres://db/x?user=ada&password=hunter2&sslmode=disable": "postgres://db/x?user=ada&password=[secret]&sslmode=disable",
	} {
		if got := DatabaseURL(url).String(); got != want {
			t.Errorf("%s: want %s, got %s", url, want, got)
		}
	}
}

// Every field of Config has one line in the table, and a line sets no other field.
func TestTableCoversConfig(t *testing.T) {
	other := map[kind]string{
		kindText: "other.example", kindFlag: "true", kindList: "10.0.0.0/8", kindNumber: "3", kindAddress: "127.0.0.1:1",
		kindSize: "17KiB", kindSpan: "1m30s", kindPath: "x", kindDatabase: "sqlite:x", kindSecret: aKey,
	}
	special := map[string]string{"log-level": "debug", "log-format": "text", "url": "http://x", "mail-tls": "none"}
	set := map[string]string{}
	for _, s := range settings {
		var c Config
		text := special[s.name]
		if text == "" {
			text = other[s.kind]
		}
		if s.name == "argon-memory" {
			text = "65KiB"
		}
		if err := s.set(&c, text); err != nil {
			t.Errorf("%s = %q: %v", s.name, text, err)
		}
		for v, i := reflect.ValueOf(c), 0; i < v.NumField(); i++ {
			if field := v.Type().Field(i).Name; !v.Field(i).IsZero() {
				if set[field] != "" {
					t.Errorf("%s is set by %s and %s", field, set[field], s.name)
				}
				set[field] = s.name
			}
		}
		if !strings.HasSuffix(s.doc, ".") || strings.Contains(s.doc, "|") {
			t.Errorf("%s: the documentation is one sentence, for a table: %q", s.name, s.doc)
		}
	}
	if fields := reflect.TypeFor[Config]().NumField(); len(set) != fields || len(settings) != fields {
		t.Errorf("%d settings set %d of %d fields", len(settings), len(set), fields)
	}
}

func TestFlagsOfSomeSettings(t *testing.T) {
	fs := pflag.NewFlagSet("user", pflag.ContinueOnError)
	Flags(fs, "database-url", "secret-key")
	var names []string
	fs.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	want := []string{"config", "database-url", "database-url-file", "secret-key-file"}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(names))); diff != "" {
		t.Error(diff)
	}
}

func TestDemo(t *testing.T) {
	for _, test := range []struct {
		name       string
		environ    []string
		wantListen string
		want       string // the problem
	}{
		{name: "defaults", wantListen: "127.0.0.1:8095"},
		{name: "another port", environ: []string{"ROLLCALL_LISTEN=localhost:9000"}, wantListen: "localhost:9000"},
		{name: "IPv6", environ: []string{"ROLLCALL_LISTEN=[::1]:9000"}, wantListen: "[::1]:9000"},
		{name: "everybody", environ: []string{"ROLLCALL_LISTEN=:8095"},
			want: `environment ROLLCALL_LISTEN: listen: ":8095": the demo listens on loopback only, as in 127.0.0.1:8095`},
		{name: "the management listener too", environ: []string{"ROLLCALL_MANAGEMENT_LISTEN=0.0.0.0:8096"},
			want: `environment ROLLCALL_MANAGEMENT_LISTEN: management-listen: "0.0.0.0:8096": the demo listens on loopback only, as in 127.0.0.1:8095`},
		{name: "no management listener", environ: []string{"ROLLCALL_MANAGEMENT_LISTEN="}, wantListen: "127.0.0.1:8095"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, origins, err := load(t, "", append(test.environ, "ROLLCALL_DATABASE_URL=postgres://production"))
			if err != nil {
				t.Fatal(err)
			}
			err = c.ApplyDemo(origins)
			if got := fmt.Sprint(err); test.want != "" && got != test.want {
				t.Errorf("want %s\ngot  %s", test.want, got)
			}
			if test.want == "" && (err != nil || c.Listen != test.wantListen) {
				t.Errorf("want %s, got %s, %v", test.wantListen, c.Listen, err)
			}
			if c.DatabaseURL != "sqlite:data/demo.db" {
				t.Errorf("the demo would empty %v", c.DatabaseURL)
			}
			if from := origins.of("database-url").From; from != "flag --demo, instead of environment ROLLCALL_DATABASE_URL" {
				t.Error(from)
			}
		})
	}
}
