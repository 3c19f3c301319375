package server

import (
	"fmt"
	"net"
	"net/netip"
)

// contradictions finds settings that are right alone and wrong together.
func (c *Config) contradictions(origins Origins) Problems {
	var problems Problems
	problem := func(setting, format string, args ...any) {
		problems = append(problems, Problem{From: origins.of(setting).From, Text: setting + ": " + fmt.Sprintf(format, args...)})
	}
	hasTLS := c.TLSCertFile != "" && c.TLSKeyFile != ""
	switch {
	case c.TLSCertFile != "" && !hasTLS:
		problem("tls-cert-file", "needs tls-key-file beside it")
	case c.TLSKeyFile != "" && !hasTLS:
		problem("tls-key-file", "needs tls-cert-file beside it")
	case c.HTTP2 && !hasTLS:
		problem("http2", "needs tls-cert-file and tls-key-file; without TLS only HTTP/1 is spoken")
	}
	if sameAddress(c.Listen, c.ManagementListen) {
		problem("management-listen", "is the same as listen (%s); take another port", c.Listen)
	}
	if _, err := c.mailSender(); err != nil {
		problem("mail-host", "%v", err)
	}
	if c.DrainTime >= c.ShutdownTimeout {
		problem("drain-time", "has to be shorter than shutdown-timeout (%v)", c.ShutdownTimeout)
	}
	return problems
}

// sameAddress says whether two listeners would want the same port. Port 0 is a free one each.
func sameAddress(a, b string) bool {
	aHost, aPort, aErr := net.SplitHostPort(a)
	bHost, bPort, bErr := net.SplitHostPort(b)
	if aErr != nil || bErr != nil || aPort != bPort || aPort == "0" {
		return false
	}
	return aHost == bHost || everyAddress(aHost) || everyAddress(bHost)
}

func everyAddress(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.IsUnspecified()
}

// The demo's own defaults.
const (
	demoListen   = "127.0.0.1:8095"
	demoDatabase = "sqlite:data/demo.db"
)

// ApplyDemo turns the settings into those of `serve --demo`, and origins with them: the listener
// is on loopback unless another loopback address was given, and the database is the demo's own
// file whatever was given, since that file is made anew at each start. Any listen address that
// isn't loopback is refused: the demo has data that everybody knows.
func (c *Config) ApplyDemo(origins Origins) error {
	if o := origins.of("listen"); o.From == fromDefault {
		c.Listen, o.Value, o.From = demoListen, demoListen, "flag --demo"
	}
	database := origins.of("database-url")
	if database.From != fromDefault {
		database.From = "flag --demo, instead of " + database.From
	} else {
		database.From = "flag --demo"
	}
	c.DatabaseURL, database.Value = demoDatabase, demoDatabase

	var problems Problems
	for _, listen := range []struct{ setting, address string }{
		{"listen", c.Listen}, {"management-listen", c.ManagementListen},
	} {
		if listen.address != "" && !loopback(listen.address) {
			problems = append(problems, Problem{
				From: origins.of(listen.setting).From,
				Text: fmt.Sprintf("%s: %q: the demo listens on loopback only, as in %s", listen.setting, listen.address, demoListen),
			})
		}
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// loopback says whether host:port can be reached from this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
