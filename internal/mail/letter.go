package mail

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

// A Letter is what one person gets.
type Letter struct {
	To      string // the address alone
	Subject string // one line
	Text    string
	HTML    string // the same for those who like it; may be empty

	// ID names the letter for good: two tries to send it are one letter to who gets both. It
	// becomes the part of the Message-ID before the "@"; empty: a random one.
	ID string
}

// ErrLetter is what every refusal of a letter itself is: sending it again doesn't help.
var ErrLetter = errors.New("the letter can't be sent as it is")

//go:embed templates/*.txt
var files embed.FS

// templates has one template per letter; each defines "subject" and "text", so that no text
// that is filled in can leave its place.
var templates = parseTemplates()

func parseTemplates() map[string]*template.Template {
	names, err := fs.Glob(files, "templates/*.txt")
	if err != nil {
		panic(err)
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		key := strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".txt")
		all[key] = template.Must(template.New(key).Option("missingkey=error").ParseFS(files, name))
	}
	return all
}

// Write fills a template in. Who gets the letter, and its ID, is left to the caller.
func Write(name string, data any) (Letter, error) {
	t := templates[name]
	if t == nil {
		return Letter{}, fmt.Errorf("%w: there is no template %q", ErrLetter, name)
	}
	var subject, text strings.Builder
	err := errors.Join(t.ExecuteTemplate(&subject, "subject", data), t.ExecuteTemplate(&text, "text", data))
	if err != nil {
		return Letter{}, fmt.Errorf("%w: template %s: %w", ErrLetter, name, err)
	}
	return Letter{Subject: strings.TrimSpace(subject.String()), Text: strings.TrimSpace(text.String()) + "\n"}, nil
}

// check refuses what could become another header, another recipient or another command.
func (l Letter) check() error {
	switch {
	case !bareAddress(l.To):
		return fmt.Errorf("%w: it has no proper address", ErrLetter)
	case l.Subject == "" || !oneLine(l.Subject):
		return fmt.Errorf("%w: its subject is not one line of text", ErrLetter)
	case strings.ContainsFunc(l.ID, func(r rune) bool { return r != '.' && r != '-' && !isASCIIAlnum(r) }):
		return fmt.Errorf("%w: its ID has a character that a Message-ID can't have", ErrLetter)
	case !utf8.ValidString(l.Text + l.HTML):
		return fmt.Errorf("%w: its text is not UTF-8", ErrLetter)
	}
	return nil
}

// bareAddress tells whether text is one address and nothing else.
func bareAddress(text string) bool {
	if !oneLine(text) || strings.ContainsFunc(text, unicode.IsSpace) {
		return false
	}
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Name == "" && parsed.Address == text
}

func oneLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

func isASCIIAlnum(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}
