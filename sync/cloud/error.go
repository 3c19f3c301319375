package cloud

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// An Error is why a request came to nothing, as one sentence for an administrator. It holds no
// secret: of an address only the path, of an answer only what the cloud itself calls its error.
type Error struct {
	Asked  string // "GET /v1.0/users"
	Status int    // zero: there was no answer that could be read
	Code   string // the cloud's own word: "Authorization_RequestDenied"
	Said   string // the cloud's sentence
	ID     string // under which the cloud's support finds the request
	Hint   string // the way out
	Tries  int
	Err    error // what lay underneath

	EndsRun bool // whatever else this client asks for would fare no better
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Asked)
	if e.Status != 0 {
		fmt.Fprintf(&b, " was answered %d", e.Status)
		if text := http.StatusText(e.Status); e.Code == "" && text != "" {
			b.WriteString(" " + text)
		}
	}
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	if e.ID != "" {
		fmt.Fprintf(&b, " (request id %s)", e.ID)
	}
	if e.Said != "" {
		b.WriteString(": " + strings.TrimSuffix(oneLine(e.Said), "."))
	}
	if e.Err != nil {
		b.WriteString(": " + oneLine(e.Err.Error()))
	}
	if e.Tries > 1 {
		fmt.Fprintf(&b, "; tried %d times", e.Tries)
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap gives what lay underneath.
func (e *Error) Unwrap() error { return e.Err }

const longestSaid = 500

// oneLine keeps strangers' text from filling a log, or from forging lines in it.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	s = strings.ToValidUTF8(s, "�")
	if len(s) > longestSaid {
		s = strings.ToValidUTF8(s[:longestSaid], "") + "…"
	}
	return s
}

// unreachable says what to look at when there was no answer.
func unreachable(err error) string {
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var expired x509.CertificateInvalidError
	var dns *net.DNSError
	switch {
	case errors.As(err, &authority):
		return "if a proxy looks into connections, give its certificate as the directory's own CA"
	case errors.As(err, &hostname), errors.As(err, &expired):
		return "check the address, the server's certificate and this machine's clock"
	case errors.As(err, &dns):
		return "check the address, and the name service of this machine"
	}
	return "check the address, the network and the proxy"
}
