package mail_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/mail"
	"github.com/rollcall-id/rollcall/internal/testkit/smtptest"
)

func sender(t *testing.T, o mail.Options) *mail.Sender {
	t.Helper()
	if o.From == "" {
		o.From = "Rollcall <rollcall@example.test>"
	}
	s, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func letter(to string) mail.Letter {
	return mail.Letter{To: to, Subject: "Grüße an Zoë", Text: "Größe\n.\nlast line\n", ID: "rollcall.1"}
}

func TestARealServerTakesLetters(t *testing.T) {
	t.Parallel()
	exim := smtptest.Start(t, smtptest.Options{})
	for _, c := range []struct {
		name     string
		o        mail.Options
		protocol string // as the server wrote it into Received
	}{
		{"STARTTLS and a password", mail.Options{Port: exim.Port, CAFile: exim.CAFile, User: smtptest.User, Password: smtptest.Password}, "with esmtpsa"},
		{"STARTTLS alone", mail.Options{Port: exim.Port, CAFile: exim.CAFile, TLS: mail.StartTLS}, "with esmtps "},
		{"TLS from the first byte", mail.Options{Port: exim.TLSPort, CAFile: exim.CAFile, TLS: mail.ImplicitTLS, User: smtptest.User, Password: smtptest.Password}, "with esmtpsa"},
		{"without TLS", mail.Options{Port: exim.Port, TLS: mail.NoTLS}, "with esmtp "},
		{"without TLS, a password to this machine", mail.Options{Port: exim.Port, TLS: mail.NoTLS, User: smtptest.User, Password: smtptest.Password}, "with esmtpa "},
	} {
		before := len(exim.Letters(t))
		c.o.Host = "localhost"
		l := letter("ada@example.test")
		l.ID = "rollcall." + strings.ReplaceAll(strings.ReplaceAll(c.name, " ", "-"), ",", "")
		if err := sender(t, c.o).Send(t.Context(), l); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		found := false
		for _, got := range exim.Await(t, before+1) {
			if got.Header.Get("Message-Id") == "<"+l.ID+"@example.test>" {
				found = strings.Contains(got.Header.Get("Received"), c.protocol)
				checkLetter(t, got)
				if !found {
					t.Errorf("%s: received %q, want %q", c.name, got.Header.Get("Received"), c.protocol)
				}
			}
		}
		if !found {
			t.Errorf("%s: the letter isn't there", c.name)
		}
	}
}

func checkLetter(t *testing.T, got smtptest.Letter) {
	t.Helper()
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || subject != "Grüße an Zoë" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"From": `"Rollcall" <rollcall@example.test>`, "To": "<ada@example.test>", "Envelope-To": "ada@example.test",
		"Auto-Submitted": "auto-generated", "Return-Path": "",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	text, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	if want := "Größe\n.\nlast line"; err != nil || strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")) != want {
		t.Errorf("text %q, %v, want %q", text, err, want)
	}
}

func TestAnAddressBeyondASCII(t *testing.T) {
	t.Parallel()
	exim := smtptest.Start(t, smtptest.Options{})
	if err := sender(t, mail.Options{Host: "localhost", Port: exim.Port, CAFile: exim.CAFile}).Send(t.Context(), letter("zoë@example.test")); err != nil {
		t.Fatal(err)
	}
	if got := exim.Await(t, 1)[0]; got.Header.Get("Envelope-To") != "zoë@example.test" {
		t.Errorf("delivered to %q", got.Header.Get("Envelope-To"))
	}
}

func TestALetterWithHTML(t *testing.T) {
	t.Parallel()
	exim := smtptest.Start(t, smtptest.Options{})
	l := letter("ada@example.test")
	l.HTML = "<p>Größe</p>"
	if err := sender(t, mail.Options{Host: "127.0.0.1", Port: exim.Port, CAFile: exim.CAFile}).Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	got := exim.Await(t, 1)[0]
	kind, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%q, %v", kind, err)
	}
	var kinds []string
	for r := multipart.NewReader(got.Body, params["boundary"]); ; {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		kinds = append(kinds, kind)
	}
	if strings.Join(kinds, " ") != "text/plain text/html" {
		t.Errorf("parts: %v", kinds)
	}
}

// What may help later, and what never will.
func TestRefusals(t *testing.T) {
	t.Parallel()
	exim := smtptest.Start(t, smtptest.Options{})
	plain := smtptest.Start(t, smtptest.Options{WithoutSTARTTLS: true})
	good := mail.Options{Host: "localhost", Port: exim.Port, CAFile: exim.CAFile, User: smtptest.User, Password: smtptest.Password}
	with := func(change func(*mail.Options)) mail.Options {
		o := good
		change(&o)
		return o
	}
	spam := letter("ada@example.test")
	spam.Subject = "SPAM"
	for _, c := range []struct {
		name      string
		o         mail.Options
		l         mail.Letter
		permanent bool
		says      string
	}{
		{"no such person", good, letter("nobody@example.test"), true, "550"},
		{"a full mailbox", good, letter("full@example.test"), false, "451"},
		{"a stranger's domain", good, letter("ada@elsewhere.test"), true, "550"},
		{"refused by its content", good, spam, true, "550"},
		{"our own address is refused", with(func(o *mail.Options) { o.From = "refused@example.test" }), letter("ada@example.test"), false, "550"},
		{"a wrong password", with(func(o *mail.Options) { o.Password = "guess" }), letter("ada@example.test"), false, "535"},
		{"a certificate that nobody trusts", with(func(o *mail.Options) { o.CAFile = "" }), letter("ada@example.test"), false, "certificate"},
		{"the same with TLS from the first byte", with(func(o *mail.Options) { o.CAFile, o.TLS, o.Port = "", mail.ImplicitTLS, exim.TLSPort }), letter("ada@example.test"), false, "certificate"},
		{"no STARTTLS", with(func(o *mail.Options) { o.Port, o.CAFile = plain.Port, plain.CAFile }), letter("ada@example.test"), false, "STARTTLS"},
	} {
		err := sender(t, c.o).Send(t.Context(), c.l)
		if err == nil || mail.Permanent(err) != c.permanent || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; permanent %t, want %t and %q", c.name, err, mail.Permanent(err), c.permanent, c.says)
		}
		if err != nil && strings.Contains(err.Error(), smtptest.Password) {
			t.Errorf("%s: the error tells the password: %v", c.name, err)
		}
	}
	if n := len(exim.Letters(t)) + len(plain.Letters(t)); n != 0 {
		t.Errorf("%d letters were delivered all the same", n)
	}
}

func TestAServerThatIsDown(t *testing.T) {
	t.Parallel()
	exim := smtptest.Start(t, smtptest.Options{})
	s := sender(t, mail.Options{Host: "localhost", Port: exim.Port, CAFile: exim.CAFile})
	exim.Stop()
	if err := s.Send(t.Context(), letter("ada@example.test")); err == nil || mail.Permanent(err) {
		t.Errorf("down: %v", err)
	}
	exim.Resume(t)
	if err := s.Send(t.Context(), letter("ada@example.test")); err != nil {
		t.Errorf("up again: %v", err)
	}
	exim.Await(t, 1)
}

// script plays a mail server that says what a test wants, line by line; "" hangs.
func script(t *testing.T, answers ...string) mail.Options {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone); l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 1<<16)
				for i, answer := range answers {
					if i > 0 {
						if _, err := conn.Read(buf); err != nil {
							return
						}
					}
					if answer == "" {
						<-gone
						return
					}
					if _, err := io.WriteString(conn, answer+"\r\n"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return mail.Options{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: mail.NoTLS, Timeout: 300 * time.Millisecond}
}

func TestAServerThatMisbehaves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		answers   []string
		permanent bool
		delivered bool
	}{
		{"is silent", []string{""}, false, false},
		{"greets with a refusal", []string{"554 go away"}, false, false},
		{"speaks nonsense", []string{"hello there"}, false, false},
		{"hangs up after the greeting", []string{"220 hi"}, false, false},
		{"hangs in the middle", []string{"220 hi", "250 hi", ""}, false, false},
		{"hangs up in the middle", []string{"220 hi", "250 hi", "250 ok"}, false, false},
		{"wants a password", []string{"220 hi", "250 hi", "250 ok", "530 who are you?", "250 ok"}, false, false},
		{"refuses the recipient", []string{"220 hi", "250 hi", "250 ok", "550 no", "250 ok"}, true, false},
		{"refuses the recipient and hangs up", []string{"220 hi", "250 hi", "250 ok", "550 no"}, true, false},
		{"refuses the letter", []string{"220 hi", "250 hi", "250 ok", "250 ok", "354 go", "552 too long"}, true, false},
		{"defers the letter", []string{"220 hi", "250 hi", "250 ok", "250 ok", "354 go", "452 later"}, false, false},
		{"hangs up before it took the letter", []string{"220 hi", "250 hi", "250 ok", "250 ok", "354 go"}, false, false},
		{"hangs up after it took the letter", []string{"220 hi", "250 hi", "250 ok", "250 ok", "354 go", "250 taken"}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			err := sender(t, script(t, c.answers...)).Send(t.Context(), letter("ada@example.test"))
			if (err == nil) != c.delivered || mail.Permanent(err) != c.permanent {
				t.Errorf("%v; permanent %t", err, mail.Permanent(err))
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestSendingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	o := script(t, "220 hi", "250 hi", "")
	o.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := sender(t, o).Send(ctx, letter("ada@example.test")); err == nil || mail.Permanent(err) {
		t.Errorf("Send = %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// No text that people or applications choose becomes a header, a recipient or a command.
func TestNothingIsInjected(t *testing.T) {
	t.Parallel()
	exim := smtptest.Start(t, smtptest.Options{})
	s := sender(t, mail.Options{Host: "localhost", Port: exim.Port, CAFile: exim.CAFile})
	const evil = "eve@example.test"
	for _, l := range []mail.Letter{
		{To: "ada@example.test\r\nBcc: " + evil, Subject: "x", Text: "x"},
		{To: "ada@example.test>\r\nRCPT TO:<" + evil, Subject: "x", Text: "x"},
		{To: "ada@example.test," + evil, Subject: "x", Text: "x"},
		{To: "Ada <ada@example.test>", Subject: "x", Text: "x"},
		{To: "ada@example.test (" + evil + ")", Subject: "x", Text: "x"},
		{To: "\"ada\r\nBcc: eve\"@example.test", Subject: "x", Text: "x"},
		{To: "", Subject: "x", Text: "x"},
		{To: "ada", Subject: "x", Text: "x"},
		{To: "ada@example.test", Subject: "x\r\nBcc: " + evil, Text: "x"},
		{To: "ada@example.test", Subject: "x\nBcc: " + evil, Text: "x"},
		{To: "ada@example.test", Subject: "x\u2028y", Text: "x"},
		{To: "ada@example.test", Subject: "", Text: "x"},
		{To: "ada@example.test", Subject: "x", Text: "x", ID: "1@x>\r\nBcc: " + evil},
		{To: "ada@example.test", Subject: "x", Text: "\xff"},
	} {
		if err := s.Send(t.Context(), l); !errors.Is(err, mail.ErrLetter) || !mail.Permanent(err) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	// What ends a letter on the wire doesn't end it from within.
	text := "one\r\n.\r\nMAIL FROM:<" + evil + ">\r\nRCPT TO:<" + evil + ">\r\nDATA\r\nSubject: smuggled\r\n\n.\n\r.\rtwo"
	if err := s.Send(t.Context(), mail.Letter{To: "ada@example.test", Subject: "=?utf-8?q?x=0D=0ABcc:_eve=40example.test?=", Text: text}); err != nil {
		t.Fatal(err)
	}
	got := exim.Await(t, 1)[0]
	if got.Header.Get("Bcc") != "" || got.Header.Get("Envelope-To") != "ada@example.test" {
		t.Errorf("header: %v", got.Header)
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mail.Options{
		"no host":                     {From: "a@example.test"},
		"no sender":                   {Host: "localhost"},
		"a sender that's no address":  {Host: "localhost", From: "rollcall"},
		"a sender with two lines":     {Host: "localhost", From: "Roll\r\ncall <a@example.test>"},
		"TLS of an unknown kind":      {Host: "localhost", From: "a@example.test", TLS: "ssl"},
		"a CA that isn't there":       {Host: "localhost", From: "a@example.test", CAFile: "testdata/none.pem"},
		"a CA that's no certificate":  {Host: "localhost", From: "a@example.test", CAFile: "mail_test.go"},
		"a password for all to read":  {Host: "mail.example.test", From: "a@example.test", TLS: mail.NoTLS, User: "rollcall"},
		"a sender that can't be read": {Host: "localhost", From: "a@example.test, b@example.test"},
	} {
		if s, err := mail.New(o); err == nil {
			t.Errorf("%s: %v", name, s)
		}
	}
}
