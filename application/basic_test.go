package application_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

func TestParseBasic(t *testing.T) {
	t.Parallel()
	b64 := func(pair string) string { return base64.StdEncoding.EncodeToString([]byte(pair)) }
	for _, c := range []struct {
		name, header     string
		wantName, wantPW string
		wantOK           bool
	}{
		{"name and password", "Basic " + b64("jira:secret"), "jira", "secret", true},
		{"the RFC's own", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame", true},
		{"the pair ends at the first colon", "Basic " + b64("jira:a:b::"), "jira", "a:b::", true},
		{"empty password", "Basic " + b64("jira:"), "jira", "", true},
		{"scheme in lower case", "basic " + b64("jira:secret"), "jira", "secret", true},
		{"scheme in upper case", "BASIC " + b64("jira:secret"), "jira", "secret", true},
		{"blanks around", "  Basic   " + b64("jira:secret") + " ", "jira", "secret", true},
		{"UTF-8", "Basic " + b64("jürа:gehëim"), "jürа", "gehëim", true},
		{"Latin-1", "Basic " + b64("j\xfcr:geh\xebim"), "jür", "gehëim", true},
		{"missing padding", "Basic " + strings.TrimRight(b64("jira:secret"), "="), "jira", "secret", true},
		{"too much padding", "Basic " + b64("jira:secret") + "==", "jira", "secret", true},
		{"a blank in the name", "Basic " + b64("my app:secret"), "my app", "secret", true},

		{"no header", "", "", "", false},
		{"only a scheme", "Basic", "", "", false},
		{"a scheme and a blank", "Basic ", "", "", false},
		{"another scheme", "Bearer " + b64("jira:secret"), "", "", false},
		{"a scheme that begins alike", "Basics " + b64("jira:secret"), "", "", false},
		{"no scheme", b64("jira:secret"), "", "", false},
		{"no colon", "Basic " + b64("jira"), "", "", false},
		{"no name", "Basic " + b64(":secret"), "", "", false},
		{"no base64", "Basic jira:secret", "", "", false},
		{"URL-safe base64", "Basic " + base64.URLEncoding.EncodeToString([]byte("jira:\xff\xfe\xff")), "", "", false},
		{"padding inside", "Basic amly==YTp4", "", "", false},
		{"cut short", "Basic " + b64("jira:secret!")[:13], "", "", false},
		{"two of them", "Basic " + b64("jira:secret") + ", Basic " + b64("jira:secret"), "", "", false},
	} {
		name, secret, ok := application.ParseBasic(c.header)
		if name != c.wantName || secret.Reveal() != c.wantPW || ok != c.wantOK {
			t.Errorf("%s: want %q, %q, %t; got %q, %q, %t", c.name, c.wantName, c.wantPW, c.wantOK, name, secret.Reveal(), ok)
		}
	}
}

// Whatever a stranger sends: no panic, and what is accepted is a name without a colon and a
// password, both UTF-8, that a client would send in the same way.
func FuzzParseBasic(f *testing.F) {
	for _, header := range []string{
		"", "Basic", "Basic ", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "basic amlyYTo", "BASIC amlyYTphOmI", "Bearer x",
		"Basic /////w==", "Basic amly\nYTp4", "Basic Og==", "Basic  amlyYTp4  ", "Basic \x00\xff",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		name, secret, ok := application.ParseBasic(header)
		if !ok {
			if name != "" || secret != "" {
				t.Errorf("refused, and yet %q, %q", name, secret.Reveal())
			}
			return
		}
		if name == "" || strings.Contains(name, ":") || !utf8.ValidString(name) || !utf8.ValidString(secret.Reveal()) {
			t.Errorf("accepted the name %q and the password %q", name, secret.Reveal())
		}
		again, secretAgain, ok := application.ParseBasic(basic(name, secret.Reveal()))
		if again != name || secretAgain != secret || !ok {
			t.Errorf("want %q, %q again, got %q, %q, %t", name, secret.Reveal(), again, secretAgain.Reveal(), ok)
		}
	})
}

// A header doesn't show up where it is printed.
func TestParsedPasswordIsASecret(t *testing.T) {
	t.Parallel()
	_, got, _ := application.ParseBasic(basic("jira", "hidden"))
	if models.Secret("hidden") != got || got.String() != "[secret]" {
		t.Errorf("want a secret, got %s", got)
	}
}
