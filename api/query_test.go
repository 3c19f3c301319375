package api

import (
	"testing"

	"github.com/rollcall-id/rollcall/models"
)

func TestQueryValues(t *testing.T) {
	for _, c := range []struct{ name, query, want string }{
		{"plus is a blank", "username=ada+lovelace", "ada lovelace"},
		{"an escaped plus", "username=ada%2Blovelace", "ada+lovelace"},
		{"lower case hex", "username=a%3db", "a=b"},
		{"markup", "username=a%2F%26%3C%3E", "a/&<>"},
		{"emoji", "username=%F0%9F%A6%89", "🦉"},
		{"raw UTF-8, as Dex sends it", "username=zo\u00eb", "zo\u00eb"},
		{"a raw semicolon", "username=a;b", "a;b"},
		{"a raw equals sign", "username=a=b", "a=b"},
		{"the first of two", "username=ada&username=bob", "ada"},
		{"empty pieces", "&&username=ada&&", "ada"},
		{"an escaped name", "user%6eame=ada", "ada"},
		{"line ends", "username=a%0Ab%09c", "a\nb\tc"},
		{"no value", "username", ""},
		{"another case is another parameter", "Username=ada", ""},
		{"none", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, _ := request(t, get, "/user", "")
			ctx.Request().URL.RawQuery = c.query
			if err := ReadQuery(ctx); err != nil {
				t.Fatal(err)
			}
			if got := Param(ctx, "username"); got != c.want {
				t.Errorf("username is %q, want %q", got, c.want)
			}
		})
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	for _, query := range []string{
		"username=100%", "username=%zz", "%=x", "username=%FF", "username=a%00b", "username=%01", "username=%7F", "username=\xe9",
	} {
		ctx, _ := request(t, get, "/user", "")
		ctx.Request().URL.RawQuery = query
		err := ReadQuery(ctx)
		wantCode(t, err, models.IllegalArgument)
		if message(err) == "" {
			t.Errorf("%q is refused without a sentence", query)
		}
	}
}

func TestRequired(t *testing.T) {
	ctx, _ := request(t, get, "/user?empty=&name=ada", "")
	if got, err := Required(ctx, "name"); err != nil || got != "ada" {
		t.Errorf("Required(name) = %q, %v", got, err)
	}
	for _, name := range []string{"empty", "missing"} {
		_, err := Required(ctx, name)
		wantCode(t, err, models.IllegalArgument)
		if want := `The query has no parameter "` + name + `"`; message(err) != want {
			t.Errorf("the message is %q, want %q", message(err), want)
		}
	}
	if !Has(ctx, "empty") || Has(ctx, "missing") {
		t.Error("Has must tell an empty parameter from a missing one")
	}
}

func TestFlag(t *testing.T) {
	for _, c := range []struct {
		query  string
		absent bool
		want   bool
		code   models.Code
	}{
		{"", true, true, ""},
		{"", false, false, ""},
		{"x=", true, true, ""},
		{"x=false", true, false, ""},
		{"x=FALSE", true, false, ""},
		{"x=true", false, true, ""},
		{"x=flase", true, false, models.IllegalArgument},
		{"x=0", true, false, models.IllegalArgument},
	} {
		ctx, _ := request(t, get, "/?"+c.query, "")
		got, err := Flag(ctx, "x", c.absent)
		wantCode(t, err, c.code)
		if err == nil && got != c.want {
			t.Errorf("Flag of %q is %v, want %v", c.query, got, c.want)
		}
	}
}

func TestReadPage(t *testing.T) {
	for _, c := range []struct {
		query string
		want  models.Page
		code  models.Code
	}{
		{"", models.Page{Start: 0, Max: 1000}, ""},
		{"start-index=5", models.Page{Start: 5, Max: 1000}, ""},
		{"max-results=-1", models.Page{Start: 0, Max: -1}, ""},
		{"max-results=0", models.Page{Start: 0, Max: 0}, ""},
		{"max-results=99999&start-index=0", models.Page{Start: 0, Max: 99999}, ""},
		{"max-results=-2", models.Page{}, models.IllegalArgument},
		{"start-index=-1", models.Page{}, models.IllegalArgument},
		{"start-index=one", models.Page{}, models.IllegalArgument},
		{"max-results=1.5", models.Page{}, models.IllegalArgument},
		{"max-results=", models.Page{}, models.IllegalArgument},
		{"max-results=99999999999999999999", models.Page{}, models.IllegalArgument},
	} {
		ctx, _ := request(t, get, "/?"+c.query, "")
		got, err := ReadPage(ctx)
		wantCode(t, err, c.code)
		if got != c.want {
			t.Errorf("ReadPage of %q is %v, want %v", c.query, got, c.want)
		}
	}
}
