package server

import (
	"net"

	"github.com/rollcall-id/rollcall/internal/mail"
	"github.com/rollcall-id/rollcall/login"
)

// mailSender makes what sends letters; nil where there is no mail server.
func (c *Config) mailSender() (*mail.Sender, error) {
	if c.MailHost == "" {
		return nil, nil
	}
	return mail.New(mail.Options{
		Host: c.MailHost, Port: c.MailPort, From: c.MailFrom, User: c.MailUser, Password: c.MailPassword.Reveal(),
		TLS: mail.TLS(c.MailTLS), CAFile: c.MailCAFile,
	})
}

// letters says whether people get letters, and where their links lead: to the public address,
// or to the listener where that is on loopback.
func (c *Config) letters() login.LetterOptions {
	o := login.LetterOptions{Mail: c.MailHost != "", URL: c.URL}
	if _, port, err := net.SplitHostPort(c.Listen); o.URL == "" && loopback(c.Listen) && err == nil && port != "0" {
		o.URL = "http://" + c.Listen
		if c.TLSCertFile != "" {
			o.URL = "https://" + c.Listen
		}
	}
	return o
}
