package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// TLS says how the connection to the mail server is kept secret.
type TLS string

// The kinds of TLS.
const (
	StartTLS    TLS = "starttls" // asked for on the plain connection; without it nothing is sent
	ImplicitTLS TLS = "tls"      // from the first byte
	NoTLS       TLS = "none"
)

// DefaultTimeout bounds the whole conversation about one letter.
const DefaultTimeout = 30 * time.Second

// Options say which mail server takes our letters, and what it is told.
type Options struct {
	Host     string
	Port     int    // zero: 465 for ImplicitTLS, else 587
	From     string // "rollcall@example.com", or "Rollcall <rollcall@example.com>"
	User     string // empty: no login
	Password string
	TLS      TLS           // empty: StartTLS
	CAFile   string        // PEM of who signs the server's certificate; empty: those that the system trusts
	Timeout  time.Duration // zero: DefaultTimeout
}

// A Sender passes letters to a mail server, each on a connection of its own. It is safe for
// concurrent use.
type Sender struct {
	o      Options
	from   *mail.Address
	domain string // of the sender's address
	roots  *x509.CertPool
}

// New checks the options. It doesn't connect: a mail server that is down is no mistake.
func New(o Options) (*Sender, error) {
	o.TLS = cmp.Or(o.TLS, StartTLS)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	if o.Port == 0 {
		o.Port = 587
		if o.TLS == ImplicitTLS {
			o.Port = 465
		}
	}
	s := &Sender{o: o}
	if o.Host == "" {
		return nil, errors.New("the mail server has no name")
	}
	var err error
	if s.from, err = mail.ParseAddress(o.From); err != nil || !oneLine(o.From) || !bareAddress(s.from.Address) {
		return nil, fmt.Errorf("%q is no mail address to send from", o.From)
	}
	s.domain = s.from.Address[strings.LastIndexByte(s.from.Address, '@')+1:]
	switch o.TLS {
	case StartTLS, ImplicitTLS:
	case NoTLS:
		if o.User != "" && !isLoopback(o.Host) {
			return nil, errors.New("without TLS everybody on the way could read the mail server's password")
		}
	default:
		return nil, fmt.Errorf("there is no kind of TLS %q: use %s, %s or %s", o.TLS, StartTLS, ImplicitTLS, NoTLS)
	}
	if o.CAFile != "" {
		if s.roots, err = readRoots(o.CAFile); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the mail server's CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the mail server's CA: %s has no certificate in PEM", file)
	}
	return roots, nil
}

// Send passes a letter to the mail server and returns once it was taken. An error of which
// Permanent is true will be the same next time; after any other the letter may be sent again.
func (s *Sender) Send(ctx context.Context, l Letter) error {
	if err := l.check(); err != nil {
		return err
	}
	m, err := s.message(l)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLetter, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	line := &line{ctx: ctx, sender: s}
	defer line.hangUp()
	client, err := s.client(line, l.To)
	if err != nil {
		return fmt.Errorf("send a letter: %w", err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("send a letter: connect to the mail server %s: %w", s, err)
	}
	err = client.Send(m)
	if m.IsDelivered() {
		_ = client.Close() // what goes wrong once the server took it must not make us send it again
		return nil
	}
	if err == nil {
		err = errors.New("the mail server did not take it")
	}
	return fmt.Errorf("send a letter: %w", classified(err))
}

func (s *Sender) message(l Letter) (*gomail.Msg, error) {
	m := gomail.NewMsg()
	m.SetAddrHeaderFromMailAddress(gomail.HeaderFrom, s.from)
	m.SetAddrHeaderFromMailAddress(gomail.HeaderTo, &mail.Address{Address: l.To})
	m.Subject(l.Subject)
	m.SetDate()
	if l.ID != "" {
		m.SetMessageIDWithValue(l.ID + "@" + s.domain)
	} else {
		m.SetMessageID()
	}
	// RFC 3834: nobody's holiday notice is to come back.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	if l.HTML != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	}
	return m, nil
}

// client makes a client for one letter. It gets its connection from us, since it leaves one
// open when the conversation fails early.
func (s *Sender) client(l *line, to string) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(s.o.Port), gomail.WithTimeout(s.o.Timeout), gomail.WithTLSConfig(s.tlsConfig()),
		gomail.WithDialContextFunc(l.dial), gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	policy := gomail.TLSMandatory
	if s.o.TLS != StartTLS {
		policy = gomail.NoTLS // the line is as secret as it gets
	}
	options = append(options, gomail.WithTLSPolicy(policy))
	if isASCII(s.from.Address) && isASCII(to) {
		// Asked for without need, SMTPUTF8 makes a relay bounce the letter where the next
		// server on its way can't do that.
		options = append(options, gomail.WithoutSMTPUTF8())
	}
	if s.o.User != "" {
		// PLAIN and LOGIN refuse a line that isn't secret, except to this machine.
		options = append(options, gomail.WithUsername(s.o.User), gomail.WithPassword(s.o.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(s.o.Host, options...)
}

func (s *Sender) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.o.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// A line is the connection for one letter.
type line struct {
	ctx    context.Context // of the whole conversation; the client's own ends with the greeting
	sender *Sender
	hung   []func()
}

// dial connects. The connection is cut when the line's context ends: the client knows nothing
// of a server of ours that is being stopped.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(l.ctx, func() { _ = conn.Close() })
	l.hung = append(l.hung, func() {
		stop()
		_ = conn.Close()
	})
	if l.sender.o.TLS != ImplicitTLS {
		return conn, nil
	}
	secret := tls.Client(conn, l.sender.tlsConfig())
	return secret, secret.HandshakeContext(ctx)
}

func (l *line) hangUp() {
	for _, do := range l.hung {
		do()
	}
}

// A refusal is the mail server's final word about a letter.
type refusal struct{ err error }

func (r refusal) Error() string { return r.err.Error() }
func (r refusal) Unwrap() error { return r.err }

// classified marks what the mail server will always refuse: an answer of 500 and above to the
// recipient or to the letter's content. The same answer to our login, or to our address, is for
// an operator to mend, and the letter waits for that.
func classified(err error) error {
	failure, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return err
	}
	switch failure.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		switch code := failure.ErrorCode(); code {
		case 530, 534, 535, 538: // RFC 4954: who are we, anyway?
		default:
			if code >= 500 {
				return refusal{err}
			}
		}
	}
	return err
}

// Permanent tells whether sending the same letter again can't help.
func Permanent(err error) bool {
	_, refused := errors.AsType[refusal](err)
	return refused || errors.Is(err, ErrLetter)
}

// String names the mail server, for logs.
func (s *Sender) String() string { return net.JoinHostPort(s.o.Host, strconv.Itoa(s.o.Port)) }
