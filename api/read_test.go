package api

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/models"
)

// thing is a body with every sort of field that real ones have.
type thing struct {
	XMLName xml.Name `json:"-" xml:"thing"`
	Name    string   `json:"name" xml:"name,attr"`
	First   *string  `json:"first-name" xml:"first-name"`
	ID      Int      `json:"directory-id" xml:"directory-id"`
	Active  Bool     `json:"active" xml:"active"`
	Inner   struct {
		Value *models.Secret `json:"value" xml:"value"`
	} `json:"password" xml:"password"`
	Values []string `json:"values" xml:"values>value"`
}

const (
	asXML  = "application/xml"
	asJSON = "application/json"
)

func TestBodiesThatAreRead(t *testing.T) {
	first, secret := "Ada", models.Secret("pw")
	type want = thing
	for _, c := range []struct {
		name, contentType, body string
		care                    Care
		want                    want
	}{
		{"XML", asXML, `<thing name="ada"><first-name>Ada</first-name></thing>`, Strict, want{Name: "ada", First: &first}},
		{"JSON", asJSON, `{"name":"ada","first-name":"Ada"}`, Strict, want{Name: "ada", First: &first}},
		{"a declaration", asXML, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><thing name="ada"/>`, Strict, want{Name: "ada"}},
		{"a quoted charset, as mod_authnz_crowd sends it", `application/xml; charset="utf-8"`, `<thing name="zoë"/>`, Strict, want{Name: "zoë"}},
		{"a charset", "application/json; charset=UTF-8", `{"name":"zoë"}`, Strict, want{Name: "zoë"}},
		{"a broken parameter", "application/json; charset", `{"name":"ada"}`, Strict, want{Name: "ada"}},
		{"Latin-1", "application/xml; charset=ISO-8859-1", "<thing name=\"zo\xeb\"/>", Strict, want{Name: "zoë"}},
		{"JSON in Latin-1", "application/json;charset=latin1", "{\"name\":\"zo\xeb\"}", Strict, want{Name: "zoë"}},
		{"declared Latin-1", asXML, "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><thing name=\"zo\xeb\"/>", Strict, want{Name: "zoë"}},
		{"the header goes before the declaration", "application/xml;charset=utf-8", `<?xml version="1.0" encoding="iso-8859-1"?><thing name="zoë"/>`, Strict, want{Name: "zoë"}},
		{"a byte order mark", asXML, "\ufeff<thing name=\"ada\"/>", Strict, want{Name: "ada"}},
		{"a byte order mark in JSON", asJSON, "\ufeff{\"name\":\"ada\"}", Strict, want{Name: "ada"}},
		{"CDATA that is split", asXML, `<thing><password><value><![CDATA[p]]><![CDATA[w]]></value></password></thing>`, Strict, want{Inner: struct {
			Value *models.Secret `json:"value" xml:"value"`
		}{&secret}}},
		{"a comment inside a text", asXML, `<thing name="x"><first-name>A<!-- -->da</first-name></thing>`, Strict, want{Name: "x", First: &first}},
		{"indentation, other order, unknown elements", asXML, "<thing name=\"ada\">\n\t<link href=\"x\"/>\n\t<first-name>Ada</first-name><deep><er/></deep>\n</thing>\n<!-- end -->\n", Strict, want{Name: "ada", First: &first}},
		{"a namespace", asXML, `<thing xmlns="urn:x" name="ada"><first-name>Ada</first-name></thing>`, Strict, want{Name: "ada", First: &first}},
		{"an entity of XML itself", asXML, `<thing name="a&amp;b&#233;"/>`, Strict, want{Name: "a&bé"}},
		{"an empty element is given", asXML, `<thing><first-name/></thing>`, Strict, want{First: new("")}},
		{"unknown fields", asJSON, `{"name":"ada","link":{"href":"x"},"expand":"y","values":["1","2"]}`, Strict, want{Name: "ada", Values: []string{"1", "2"}}},
		{"null is absent", asJSON, `{"name":"ada","first-name":null,"active":null,"directory-id":null,"password":null,"values":null}`, Strict, want{Name: "ada"}},
		{"the last of two keys", asJSON, `{"name":"ada","name":"bob"}`, Strict, want{Name: "bob"}},
		{"another case of a name", asJSON, `{"NAME":"ada"}`, Strict, want{Name: "ada"}},
		{"a boolean", asJSON, `{"active":false}`, Strict, want{Active: Bool{new(false)}}},
		{"a boolean as a string, as go-crowd sends it", asJSON, `{"active":"True"}`, Strict, want{Active: Bool{new(true)}}},
		{"a boolean in XML", asXML, `<thing><active> true </active></thing>`, Strict, want{Active: Bool{new(true)}}},
		{"a boolean as a digit", asXML, `<thing><active>0</active></thing>`, Strict, want{Active: Bool{new(false)}}},
		{"an empty boolean", asXML, `<thing><active/></thing>`, Strict, want{}},
		{"a number", asJSON, `{"directory-id":32769}`, Strict, want{ID: 32769}},
		{"a number as a string", asJSON, `{"directory-id":"32769"}`, Strict, want{ID: 32769}},
		{"a number in XML", asXML, `<thing><directory-id> 32769 </directory-id></thing>`, Strict, want{ID: 32769}},
		{"an empty number", asXML, `<thing><directory-id/></thing>`, Strict, want{}},
		{"space around JSON", asJSON, " \n{}\n ", Strict, want{}},

		{"no type, XML", "", ` <thing name="ada"/>`, Lenient, want{Name: "ada"}},
		{"no type, JSON", "", ` {"name":"ada"}`, Lenient, want{Name: "ada"}},
		{"no type, byte order mark", "", "\ufeff{\"name\":\"ada\"}", Lenient, want{Name: "ada"}},
		{"curl -d", echo.MIMEApplicationForm, `{"name":"ada"}`, Lenient, want{Name: "ada"}},
		{"text", "text/plain", `<thing name="ada"/>`, Lenient, want{Name: "ada"}},
		{"a type that is none", "json", `{"name":"ada"}`, Lenient, want{Name: "ada"}},
		{"nothing at all", "", "", Lenient, want{}},
		{"a type and no body", asJSON, "", Lenient, want{}},
		{"an empty object", asJSON, "{}", Lenient, want{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, _ := request(t, post, "/", c.body)
			if c.contentType != "" {
				ctx.Request().Header.Set("Content-Type", c.contentType)
			}
			var got thing
			if err := ReadBody(ctx, &got, c.care); err != nil {
				t.Fatal(err)
			}
			got.XMLName = xml.Name{}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Bool{})); diff != "" {
				t.Errorf("the body is read otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	const illegal, media = models.IllegalArgument, models.UnsupportedMedia
	for _, c := range []struct {
		name, contentType, body string
		care                    Care
		want                    models.Code
		says                    string
	}{
		{"no body", asJSON, "", Strict, illegal, "The request has no body"},
		{"blanks only", asXML, " \n", Strict, illegal, "The request has no body"},
		{"no type and no body", "", "", Strict, illegal, "The request has no body"},
		{"no type", "", `{"name":"ada"}`, Strict, media, "Content-Type"},
		{"curl -d", echo.MIMEApplicationForm, "name=ada", Strict, media, "Content-Type"},
		{"text", "text/plain", `{"name":"ada"}`, Strict, media, "Content-Type"},
		{"text/xml", "text/xml", `<thing/>`, Strict, media, "Content-Type"},
		{"a type that is none", "json", `{"name":"ada"}`, Strict, media, "Content-Type"},
		{"a foreign charset", "application/json; charset=utf-16", `{}`, Strict, media, "charset"},
		{"a foreign charset, leniently", "text/plain; charset=koi8-r", `{}`, Lenient, media, "charset"},
		{"a foreign declared charset", asXML, `<?xml version="1.0" encoding="utf-16"?><thing/>`, Strict, media, "charset"},
		{"neither format", "", "name=ada", Lenient, illegal, "neither XML nor"},

		{"DTD", asXML, `<!DOCTYPE thing [<!ENTITY x SYSTEM "file:///etc/passwd">]><thing name="&x;"/>`, Strict, illegal, "document type"},
		{"DTD inside", asXML, `<thing><!DOCTYPE x></thing>`, Strict, illegal, "document type"},
		{"an unknown entity", asXML, `<thing name="&nbsp;"/>`, Strict, illegal, "entity"},
		{"an unclosed element", asXML, `<thing><first-name>Ada`, Strict, illegal, "unexpected EOF"},
		{"crossing elements", asXML, `<thing><a></thing></a>`, Strict, illegal, "closed by"},
		{"another root", asXML, `<group name="ada"/>`, Strict, illegal, "expected element type <thing> but have <group>"},
		{"a second root", asXML, `<thing name="ada"/><thing name="bob"/>`, Strict, illegal, "second root"},
		{"text after the root", asXML, `<thing name="ada"/>x`, Strict, illegal, "outside"},
		{"text before the root", asXML, `x<thing name="ada"/>`, Strict, illegal, "outside"},
		{"no element", asXML, `<?xml version="1.0"?>`, Strict, illegal, "no XML element"},
		{"JSON as XML", asXML, `{"name":"ada"}`, Strict, illegal, "outside"},
		{"too deep", asXML, strings.Repeat("<thing>", 60) + strings.Repeat("</thing>", 60), Strict, illegal, "deeper"},
		{"too many elements", asXML, "<thing>" + strings.Repeat("<a/>", maxElements) + "</thing>", Strict, illegal, "more than"},
		{"a control character", asXML, "<thing name=\"a\x01\"/>", Strict, illegal, "illegal character"},
		{"an escaped control character", asXML, `<thing name="a&#1;"/>`, Strict, illegal, "illegal character"},
		{"invalid UTF-8", asXML, "<thing name=\"a\xff\"/>", Strict, illegal, "UTF-8"},
		{"a wrong boolean in XML", asXML, `<thing><active>maybe</active></thing>`, Strict, illegal, "true or false"},
		{"a wrong number in XML", asXML, `<thing><directory-id>x</directory-id></thing>`, Strict, illegal, "whole number"},

		{"not JSON", asJSON, `name=ada`, Strict, illegal, "not valid JSON"},
		{"half of JSON", asJSON, `{"name":"ada"`, Strict, illegal, "not valid JSON"},
		{"trailing JSON", asJSON, `{"name":"ada"}{}`, Strict, illegal, "not valid JSON"},
		{"trailing text", asJSON, `{"name":"ada"} x`, Strict, illegal, "not valid JSON"},
		{"XML as JSON", asJSON, `<thing/>`, Strict, illegal, "not valid JSON"},
		{"an array", asJSON, `[{"name":"ada"}]`, Strict, illegal, "The body must be a JSON object, not an array"},
		{"a string", asJSON, `"ada"`, Strict, illegal, "The body must be a JSON object, not a string"},
		{"a number for a name", asJSON, `{"name":7}`, Strict, illegal, `The field "name" of the body can't be a number`},
		{"an object for a text", asJSON, `{"first-name":{"a":1}}`, Strict, illegal, `The field "first-name" of the body can't be an object`},
		{"a boolean for a text", asJSON, `{"first-name":true}`, Strict, illegal, `The field "first-name" of the body can't be a boolean`},
		{"a string for a list", asJSON, `{"values":"1"}`, Strict, illegal, `The field "values" of the body can't be a string`},
		{"a list of numbers", asJSON, `{"values":[1]}`, Strict, illegal, `of the body can't be a number`},
		{"a string for an object", asJSON, `{"password":"secret"}`, Strict, illegal, `The field "password" of the body can't be a string`},
		{"a number for a password", asJSON, `{"password":{"value":123}}`, Strict, illegal, `The field "password.value" of the body can't be a number`},
		{"a wrong boolean", asJSON, `{"active":"maybe"}`, Strict, illegal, `The field "active" of the body can't be a string`},
		{"a number for a boolean", asJSON, `{"active":1}`, Strict, illegal, `The field "active" of the body can't be a number`},
		{"a fraction for a number", asJSON, `{"directory-id":1.5}`, Strict, illegal, `The field "directory-id" of the body can't be a number`},
		{"invalid UTF-8 in JSON", asJSON, "{\"name\":\"a\xff\"}", Strict, illegal, "UTF-8"},
		{"a control character in JSON", asJSON, "{\"name\":\"a\x01\"}", Strict, illegal, "not valid JSON"},
		{"JSON too deep", asJSON, `{"x":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `}`, Strict, illegal, "nested too deeply"},
		{"JSON much too deep", asJSON, strings.Repeat("[", 1<<20), Strict, illegal, "nested too deeply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, _ := request(t, post, "/", c.body)
			if c.contentType != "" {
				ctx.Request().Header.Set("Content-Type", c.contentType)
			}
			err := ReadBody(ctx, new(thing), c.care)
			wantCode(t, err, c.want)
			if !strings.Contains(message(err), c.says) {
				t.Errorf("the message is %q, want one with %q", message(err), c.says)
			}
			if strings.Contains(message(err), "secret") || strings.Contains(message(err), "123") {
				t.Errorf("the message repeats a value: %q", message(err))
			}
		})
	}
}

// Lesson 16 of what others learnt: a small body must not become a large one.
func TestCompressedBodiesAreRefused(t *testing.T) {
	ctx, _ := request(t, post, "/", "x", "Content-Type", asJSON, "Content-Encoding", "gzip")
	wantCode(t, ReadBody(ctx, new(thing), Lenient), models.UnsupportedMedia)
}

// broken gives some bytes and then a failure.
type broken struct {
	data string
	err  error
}

func (b *broken) Read(p []byte) (int, error) {
	if b.data == "" {
		return 0, b.err
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func TestBodiesThatBreakOff(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want models.Code
	}{
		{"half-sent", io.ErrUnexpectedEOF, models.IllegalArgument},
		{"connection gone", errors.New("connection reset"), models.IllegalArgument},
		{"too large by net/http", &http.MaxBytesError{Limit: 10}, models.RequestTooLarge},
		{"too large by Echo", echo.ErrStatusRequestEntityTooLarge, models.RequestTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, _ := request(t, post, "/", "", "Content-Type", asJSON)
			ctx.Request().Body = io.NopCloser(&broken{`{"name":"ada"}`, c.err})
			wantCode(t, ReadBody(ctx, new(thing), Strict), c.want)
		})
	}
}

// readers are the ways a body can be read; what is accepted must be text that can be stored.
func checkRead(t *testing.T, into thing, err error) {
	t.Helper()
	if err != nil {
		if code := CodeOf(err); code != models.IllegalArgument && code != models.UnsupportedMedia {
			t.Errorf("a body is refused with %q: %v", code, err)
		}
		return
	}
	if !utf8.ValidString(into.Name) || into.First != nil && !utf8.ValidString(*into.First) {
		t.Errorf("the body was accepted with a text that is not UTF-8: %+v", into)
	}
}

func FuzzReadXML(f *testing.F) {
	for _, seed := range []string{
		`<thing name="ada"><first-name>Ada</first-name><active>true</active><directory-id>1</directory-id></thing>`,
		`<?xml version="1.0" encoding="iso-8859-1"?><thing name="&#233;"><values><value><![CDATA[a]]></value></values></thing>`,
		`<!DOCTYPE thing [<!ENTITY x "y">]><thing/>`, `<thing><a></thing></a>`, `<thing/><thing/>`, "\ufeff<thing/>", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, by := range []charset{unstated, utf8Text} {
			var into thing
			err := readXML(data, by, &into)
			checkRead(t, into, err)
			if err == nil && strings.ContainsFunc(into.Name, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }) {
				t.Errorf("a control character came through: %q", into.Name)
			}
		}
	})
}

func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{
		`{"name":"ada","first-name":"Ada","active":"true","directory-id":"1","password":{"value":"x"},"values":["1"]}`,
		`{"active":1}`, `{"name":"\ud800"}`, `[[[[`, `{"a":"\\\"["}`, "\ufeff{}", "null", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var into thing
		err := readJSON(data, &into)
		checkRead(t, into, err)
		if plain, _ := strings.CutPrefix(string(data), "\ufeff"); err == nil && !json.Valid([]byte(plain)) {
			t.Errorf("what is no JSON was accepted: %q", data)
		}
	})
}
