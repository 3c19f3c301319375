package server

import (
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/internal/mail"
)

// Config holds every setting of the program, checked. It is read once by Load and never changes
// after; each field has one line in the table of settings below, which documents it.
type Config struct {
	DatabaseURL DatabaseURL
	SecretKey   Secret // 32 bytes in base64, or empty: ResolveSecretKey finds or makes one
	DataDir     string

	URL              string // public address without a slash at its end; empty: unknown
	Listen           string
	ManagementListen string // empty: no management listener
	TrustedProxies   []netip.Prefix
	TLSCertFile      string
	TLSKeyFile       string
	HTTP2            bool

	LogLevel    slog.Level
	LogFormat   string // LogJSON or LogText
	SlowRequest time.Duration

	MaxHeader         Bytes
	MaxBody           Bytes
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration
	WriteStall        time.Duration
	IdleTimeout       time.Duration
	DrainTime         time.Duration
	ShutdownTimeout   time.Duration

	PasswordHashes int // 0: as many as GOMAXPROCS
	ArgonMemory    Bytes
	ArgonTime      int

	SessionTimeout     time.Duration
	RequireSameAddress bool
	TellAccessDenied   bool
	CookieName         string
	CookieDomain       string // empty: no domain
	CookieSecure       bool
	CrowdVersion       string

	MailHost     string // empty: no letters
	MailPort     int    // 0: by MailTLS
	MailFrom     string
	MailUser     string
	MailPassword Secret
	MailTLS      string
	MailCAFile   string
}

// A setting is one line of the table: all that the program knows about one field of Config. Its
// name is the key in the file, --name the flag, and ROLLCALL_NAME the variable.
type setting struct {
	name     string
	kind     kind
	fallback string // the default, as one would write it
	doc      string // one sentence, for --help and docs/configuration.md
	set      func(c *Config, text string) error
}

// kind says how a value is written.
type kind string

const (
	kindText     kind = "text"
	kindFlag     kind = "bool"
	kindList     kind = "list" // in the file also a YAML list; a flag may be repeated
	kindNumber   kind = "number"
	kindAddress  kind = "address"
	kindSize     kind = "bytes"
	kindSpan     kind = "duration"
	kindPath     kind = "path"
	kindDatabase kind = "database" // may hold a password: also as …-file, shown without it
	kindSecret   kind = "secret"   // also as …-file, never shown, and no flag takes the value
)

// settings is the table, in the order of docs/configuration.md.
var settings = []setting{
	{"database-url", kindDatabase, "sqlite:data/rollcall.db",
		"Where the data is: `sqlite:path` or `postgres://…`.",
		into(func(c *Config) *DatabaseURL { return &c.DatabaseURL }, parseDatabaseURL)},
	{"secret-key", kindSecret, "",
		"Seals secrets at rest: 32 bytes in base64; without it a key file is made once beside the SQLite file, or in data-dir.",
		into(func(c *Config) *Secret { return &c.SecretKey }, parseSecretKey)},
	{"data-dir", kindPath, "data",
		"Folder for what the server keeps outside a PostgreSQL database.",
		into(func(c *Config) *string { return &c.DataDir }, notEmpty)},

	{"url", kindText, "",
		"Public address of the server, as browsers and clients see it; without it links use the host that the request names.",
		into(func(c *Config) *string { return &c.URL }, parseURL)},
	{"listen", kindAddress, ":8095",
		"Address of the public listener.",
		into(func(c *Config) *string { return &c.Listen }, parseAddress)},
	{"management-listen", kindAddress, "127.0.0.1:8096",
		"Address of /livez, /readyz and /metrics; empty switches them off.",
		into(func(c *Config) *string { return &c.ManagementListen }, orEmpty(parseAddress))},
	{"trusted-proxies", kindList, "",
		"Networks of the reverse proxies whose X-Forwarded-For, -Proto and -Host headers are believed.",
		into(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }, parsePrefixes)},
	{"tls-cert-file", kindPath, "",
		"Certificate chain in PEM; read again when it changes.",
		into(func(c *Config) *string { return &c.TLSCertFile }, anyText)},
	{"tls-key-file", kindPath, "",
		"Private key of the certificate in PEM; read again when it changes.",
		into(func(c *Config) *string { return &c.TLSKeyFile }, anyText)},
	{"http2", kindFlag, "false",
		"Offer HTTP/2 to TLS clients; off, because Crowd's module for Apache reads only an HTTP/1 status line.",
		into(func(c *Config) *bool { return &c.HTTP2 }, parseBool)},

	{"log-level", kindText, "info",
		"Least level that is logged: debug (a line per request), info, warn or error.",
		into(func(c *Config) *slog.Level { return &c.LogLevel }, parseLevel)},
	{"log-format", kindText, LogJSON,
		"Form of the log: json or text.",
		into(func(c *Config) *string { return &c.LogFormat }, oneOf(LogJSON, LogText))},
	{"slow-request", kindSpan, "1s",
		"A request that takes longer is logged as slow; 0 logs none.",
		into(func(c *Config) *time.Duration { return &c.SlowRequest }, durationIn(0, time.Hour))},

	{"max-header", kindSize, "64KiB",
		"Largest request line and headers; more is answered 431.",
		into(func(c *Config) *Bytes { return &c.MaxHeader }, bytesIn(4*KiB, MiB))},
	{"max-body", kindSize, "1MiB",
		"Largest request body; more is answered 413.",
		into(func(c *Config) *Bytes { return &c.MaxBody }, bytesIn(KiB, 64*MiB))},
	{"read-header-timeout", kindSpan, "10s",
		"Time in which a client has to send a request's headers.",
		into(func(c *Config) *time.Duration { return &c.ReadHeaderTimeout }, durationIn(100*time.Millisecond, time.Hour))},
	{"read-timeout", kindSpan, "30s",
		"Time in which a client has to send a request's body.",
		into(func(c *Config) *time.Duration { return &c.ReadTimeout }, durationIn(100*time.Millisecond, time.Hour))},
	{"write-stall", kindSpan, "30s",
		"A client that takes nothing of its answer for so long is cut off.",
		into(func(c *Config) *time.Duration { return &c.WriteStall }, durationIn(100*time.Millisecond, time.Hour))},
	{"idle-timeout", kindSpan, "2m",
		"A kept connection without requests is closed after so long; it should be longer than the proxy's own.",
		into(func(c *Config) *time.Duration { return &c.IdleTimeout }, durationIn(time.Second, 24*time.Hour))},
	{"drain-time", kindSpan, "1s",
		"How long a stopping server still takes requests while /readyz says 503; behind a load balancer, twice its probe interval.",
		into(func(c *Config) *time.Duration { return &c.DrainTime }, durationIn(0, 10*time.Minute))},
	{"shutdown-timeout", kindSpan, "25s",
		"A stop, drain-time included, takes no longer: requests still running then are cut off.",
		into(func(c *Config) *time.Duration { return &c.ShutdownTimeout }, durationIn(100*time.Millisecond, time.Hour))},

	{"password-hashes", kindNumber, "0",
		"Password hashes computed at once; 0 means one per processor.",
		into(func(c *Config) *int { return &c.PasswordHashes }, numberIn(0, 1024))},
	{"argon-memory", kindSize, "19MiB",
		"Memory of one argon2id hash.",
		into(func(c *Config) *Bytes { return &c.ArgonMemory }, bytesIn(64*KiB, 256*MiB))},
	{"argon-time", kindNumber, "2",
		"Passes of one argon2id hash over its memory.",
		into(func(c *Config) *int { return &c.ArgonTime }, numberIn(1, 10))},

	{"session-timeout", kindSpan, "30m",
		"A single sign-on session ends after so long without use.",
		into(func(c *Config) *time.Duration { return &c.SessionTimeout }, durationIn(time.Minute, 366*24*time.Hour))},
	{"require-same-address", kindFlag, "true",
		"Bind single sign-on sessions to the client address that the application gives.",
		into(func(c *Config) *bool { return &c.RequireSameAddress }, parseBool)},
	{"tell-access-denied", kindFlag, "false",
		"Answer /authentication with 403 APPLICATION_ACCESS_DENIED to a person who may not use the application, instead of the 400 of a wrong password.",
		into(func(c *Config) *bool { return &c.TellAccessDenied }, parseBool)},
	{"cookie-name", kindText, "crowd.token_key",
		"Name of the single sign-on cookie, as applications are told.",
		into(func(c *Config) *string { return &c.CookieName }, parseCookieName)},
	{"cookie-domain", kindText, "",
		"Domain of the single sign-on cookie, as applications are told; empty tells them none.",
		into(func(c *Config) *string { return &c.CookieDomain }, orEmpty(parseDomain))},
	{"cookie-secure", kindFlag, "false",
		"Tell applications to send the single sign-on cookie over https only.",
		into(func(c *Config) *bool { return &c.CookieSecure }, parseBool)},
	{"crowd-version", kindText, "Crowd/5.1.0",
		"Value of the X-Embedded-Crowd-Version header, by which clients know a Crowd server.",
		into(func(c *Config) *string { return &c.CrowdVersion }, parseHeaderValue)},

	{"mail-host", kindText, "",
		"Mail server that takes the letters for new passwords and forgotten names; empty: there are none.",
		into(func(c *Config) *string { return &c.MailHost }, anyText)},
	{"mail-port", kindNumber, "0",
		"Port of the mail server; 0 means 465 with mail-tls=tls, else 587.",
		into(func(c *Config) *int { return &c.MailPort }, numberIn(0, 65535))},
	{"mail-from", kindText, "",
		"Sender of the letters: `rollcall@example.com`, or `Rollcall <rollcall@example.com>`.",
		into(func(c *Config) *string { return &c.MailFrom }, anyText)},
	{"mail-user", kindText, "",
		"Name at the mail server; empty: no login.",
		into(func(c *Config) *string { return &c.MailUser }, anyText)},
	{"mail-password", kindSecret, "",
		"Password at the mail server.",
		into(func(c *Config) *Secret { return &c.MailPassword }, parseSecret)},
	{"mail-tls", kindText, string(mail.StartTLS),
		"How the connection to the mail server is kept secret: starttls (nothing is sent without), tls, or none.",
		into(func(c *Config) *string { return &c.MailTLS }, oneOf(string(mail.StartTLS), string(mail.ImplicitTLS), string(mail.NoTLS)))},
	{"mail-ca-file", kindPath, "",
		"Certificates in PEM of who signs the mail server's; empty: those that the system trusts.",
		into(func(c *Config) *string { return &c.MailCAFile }, anyText)},
}

// into connects a parser with the field that it fills. A text that doesn't parse leaves the
// field as it was.
func into[T any](field func(*Config) *T, parse func(string) (T, error)) func(*Config, string) error {
	return func(c *Config, text string) error {
		v, err := parse(text)
		if err == nil {
			*field(c) = v
		}
		return err
	}
}

// envPrefix begins the name of every variable that the program reads.
const envPrefix = "ROLLCALL_"

// envName gives the variable of a key: "listen" is ROLLCALL_LISTEN.
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
}

// mayBeFile says whether the value may also stand in a file of its own, named by name-file.
func (s *setting) mayBeFile() bool { return s.kind == kindSecret || s.kind == kindDatabase }

// shown gives text as people may see it.
func (s *setting) shown(text string) string {
	switch s.kind {
	case kindSecret:
		return Secret(text).String()
	case kindDatabase:
		return DatabaseURL(text).String()
	}
	return text
}

// settingNamed finds the setting of a key; nil when there is none.
func settingNamed(name string) *setting {
	for i := range settings {
		if settings[i].name == name {
			return &settings[i]
		}
	}
	return nil
}
