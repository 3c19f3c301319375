package api

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"
)

var texts = []string{
	"", "ada", "Ada Lovelace", `<&>"'\/`, "a\tb\nc\rd", "]]>", "zoë 日本 🦉", "a\u2028b\u2029c", "\u00a0\u0085",
	"bad \xff\xfe utf8", "\xe2\x82", "\ufffd kept", strings.Repeat("long & ", 100), "100%", "{}[]:,",
	"\x00\x01\x1f\x7f", "\ufffe\uffff", "\b\f",
}

// legal is what XML can hold of a text: the rest is left out.
func legal(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func FuzzAppendXML(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// encoding/json and XML count the bytes of one broken character differently.
		if !utf8.ValidString(s) && len(s) > 1 {
			s = strings.ToValidUTF8(s, "\ufffd")
		}
		var got struct {
			Attr string `xml:"attr,attr"`
			Text string `xml:"text"`
		}
		b := append(AppendXMLAttr([]byte(`<root attr="`), s), `">`...)
		b = append(AppendXMLElement(b, "text", s), "</root>"...)
		if err := xml.Unmarshal(b, &got); err != nil {
			t.Fatalf("encoding/xml can't read %q: %v", b, err)
		}
		if want := legal(s); got.Attr != want || got.Text != want {
			t.Errorf("%q is read as attribute %q and text %q, want %q", b, got.Attr, got.Text, want)
		}
	})
}

func FuzzAppendJSON(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(s); err != nil {
			t.Fatal(err)
		}
		if got := string(AppendJSONString(nil, s)) + "\n"; got != want.String() {
			t.Errorf("%q is written as %s, want %s", s, got, want.String())
		}
	})
}

func TestAppendXMLAsCrowdWrites(t *testing.T) {
	for _, c := range []struct{ given, text, attr string }{
		{`R&D <x> "y"`, `R&amp;D &lt;x&gt; "y"`, `R&amp;D &lt;x&gt; &quot;y&quot;`},
		{"a\nb\tc\rd", "a\nb\tc&#13;d", "a&#10;b&#9;c&#13;d"},
		{"a\x00b\x1fc\ufffe", "abc", "abc"},
		{"\xffx", "\ufffdx", "\ufffdx"},
		{`back\slash`, `back\slash`, `back\slash`},
	} {
		if got := string(AppendXMLText(nil, c.given)); got != c.text {
			t.Errorf("the text %q is written as %q, want %q", c.given, got, c.text)
		}
		if got := string(AppendXMLAttr(nil, c.given)); got != c.attr {
			t.Errorf("the attribute %q is written as %q, want %q", c.given, got, c.attr)
		}
	}
	if got := string(AppendXMLElement(nil, "email", "")); got != "<email/>" {
		t.Errorf("an empty element is %q, want <email/>", got)
	}
}

func TestAppendJSONFields(t *testing.T) {
	b := AppendJSONField([]byte("{"), "a", `<"&>`)
	b = append(AppendJSONName(b, "b"), '{')
	b = append(AppendJSONField(b, "c", ""), "}}"...)
	if want := `{"a":"<\"&>","b":{"c":""}}`; string(b) != want {
		t.Errorf("the object is %s, want %s", b, want)
	}
}
