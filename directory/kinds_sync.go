package directory

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/adhocore/gronx"

	"github.com/rollcall-id/rollcall/models"
)

// mirrored is the row of a kind whose directories are kept equal to a source: nobody else
// writes there.
func mirrored(required func(has func(string) bool) []string, own ...Setting) kind {
	return kind{
		writes:   map[models.Writer]part{models.ByOperator: nothing, models.ByLogin: nothing, models.BySync: everything},
		settings: slices.Concat(own, syncSettings),
		required: required,
	}
}

// syncSettings are the settings that all mirrored directories have.
var syncSettings = []Setting{
	{Name: "groups", Reads: true, Doc: "groups to publish, by comma: id:ID, re:PATTERN (RE2, whole name), or a name with *; empty is all", Check: groupList},
	{Name: "users", Reads: true, Default: "all", Doc: "all, or members: only users in a chosen group, directly or nested", Check: oneOf("all", "members")},
	{Name: "guests", Reads: true, Default: "include", Doc: "include or exclude guest accounts", Check: oneOf("include", "exclude")},
	{Name: "disabled", Reads: true, Default: "include", Doc: "include disabled accounts as inactive users, or exclude them", Check: oneOf("include", "exclude")},
	{Name: "nested", Reads: true, Default: "keep", Doc: "keep groups in groups, or flatten them: members of members become members", Check: oneOf("keep", "flatten")},
	{Name: "username", Reads: true, Default: "upn", Doc: "upn (the login), mail, upn-local-part, mail-local-part or attribute:NAME", Check: usernameSource},
	{Name: "username-rules", Reads: true, Doc: "PATTERN=>REPLACEMENT in order, one a line or separated by ;;", Check: rewrites},
	{Name: "username-case", Reads: true, Default: "lower", Doc: "lower, or keep the source's spelling", Check: oneOf("lower", "keep")},
	{Name: "group-name", Reads: true, Default: "name", Doc: "name, mail or mail-local-part", Check: oneOf("name", "mail", "mail-local-part")},
	{Name: "group-rules", Reads: true, Doc: "as username-rules, for groups' names", Check: rewrites},
	{Name: "group-names", Reads: true, Default: "keep", Doc: "keep a group's first name, or follow the source: the old group goes, a new one comes", Check: oneOf("keep", "follow")},
	{Name: "attributes", Reads: true, Doc: "attributes to publish, by comma: SOURCE or SOURCE=NAME", Check: text},
	{Name: "allow-groups", Reads: true, Doc: "protected group names that may come from the source all the same, by comma", Check: text},
	{Name: "purge-after", Reads: true, Default: "30", Doc: "days after which what left the source is removed", Check: number(0, 3650)},
	{Name: "interval", Default: "1h", Doc: "time between two runs, such as 15m or 4h", Check: duration(time.Minute, 7*24*time.Hour)},
	{Name: "schedule", Doc: "on, off, or cron text such as 0 */2 * * *; empty is on once a run was applied by hand", Check: schedule},
	{Name: "deadline", Default: "12h", Doc: "longest time that a run may take", Check: duration(time.Minute, 7*24*time.Hour)},
	{Name: "history", Default: "90", Doc: "days for which the records of runs are kept", Check: number(1, 3650)},
	{Name: "guard-users", Default: "10,5%", Doc: "a run is held when more users leave than both COUNT and PERCENT% of them", Check: limit},
	{Name: "guard-groups", Default: "5,10%", Doc: "the same of groups that are emptied or removed", Check: limit},
	{Name: "guard-memberships", Default: "100,10%", Doc: "the same of memberships that are removed", Check: limit},
	{Name: "guard-adds", Doc: "the same of users, groups and memberships that come, each; empty is no limit", Check: limit},
	{Name: "alarm-mail", Doc: "address to write to when runs fail, are held, or a secret ends", Check: mailAddress},
	{Name: "alarm-webhook", Secret: true, Doc: "https address to post JSON to on the same occasions", Check: secretAddress},
	{Name: "secret-ends", Doc: "the day on which the credentials end, as 2027-05-01, where the source doesn't tell", Check: day},
	{Name: "proxy", Doc: "proxy on the way to the source, as http://proxy.example.test:3128", Check: proxyAddress},
	{Name: "ca", Doc: "certificates to trust beside the system's, in PEM", Check: certificates},
}

// atOnce is how much a source is asked at the same time.
func atOnce(usual string) Setting {
	return Setting{Name: "requests-at-once", Default: usual, Doc: "most requests to the source at the same time", Check: number(1, 32)}
}

func init() {
	kinds[models.KindEntra] = mirrored(entraRequires,
		Setting{Name: "tenant", Reads: true, Doc: "tenant id or domain", Check: text},
		Setting{Name: "client-id", Reads: true, Doc: "application (client) id", Check: text},
		Setting{Name: "client-secret", Secret: true, Doc: "client secret", Check: secretText},
		Setting{Name: "client-certificate", Secret: true, Doc: "certificate and private key in PEM, instead of a secret", Check: certificateAndKey},
		Setting{Name: "token-file", Doc: "file with a federated token (workload identity), instead of a secret", Check: text},
		Setting{Name: "graph-url", Reads: true, Default: "https://graph.microsoft.com/v1.0", Doc: "address of Microsoft Graph, for national clouds", Check: address},
		Setting{Name: "authority-url", Reads: true, Default: "https://login.microsoftonline.com", Doc: "address that gives tokens, for national clouds", Check: address},
		atOnce("16"),
	)
	kinds[models.KindGoogle] = mirrored(requires("credentials", "subject"),
		Setting{Name: "credentials", Secret: true, Doc: "the service account's key file (JSON)", Check: jsonObject},
		Setting{Name: "subject", Reads: true, Doc: "administrator in whose name the directory is read", Check: text},
		Setting{Name: "customer", Reads: true, Default: "my_customer", Doc: "customer id", Check: text},
		Setting{Name: "directory-url", Reads: true, Default: "https://admin.googleapis.com", Doc: "address of the Admin SDK", Check: address},
		atOnce("16"),
	)
	kinds[models.KindOkta] = mirrored(oktaRequires,
		Setting{Name: "org-url", Reads: true, Doc: "address of the organisation, as https://example.okta.com", Check: address},
		Setting{Name: "token", Secret: true, Doc: "API token", Check: secretText},
		Setting{Name: "client-id", Reads: true, Doc: "id of the service application, instead of a token", Check: text},
		Setting{Name: "private-key", Secret: true, Doc: "its private key, as PEM or JWK", Check: secretText},
		Setting{Name: "key-id", Doc: "the key's id (kid) at Okta, when it is PEM and not the application's only one", Check: text},
		Setting{Name: "inactive-statuses", Reads: true, Doc: "statuses that count as inactive beside SUSPENDED, by comma, as LOCKED_OUT,PROVISIONED",
			Check: someOf("ACTIVE", "PASSWORD_EXPIRED", "LOCKED_OUT", "RECOVERY", "PROVISIONED")},
		Setting{Name: "group-types", Reads: true, Doc: "types of groups to read, by comma: OKTA_GROUP, APP_GROUP, BUILT_IN; empty is all",
			Check: someOf("OKTA_GROUP", "APP_GROUP", "BUILT_IN")},
		atOnce("8"), // a tenth of what Okta answers at once, of all programs and people
	)
}

func requires(names ...string) func(func(string) bool) []string {
	return func(has func(string) bool) (missing []string) {
		for _, name := range names {
			if !has(name) {
				missing = append(missing, name)
			}
		}
		return missing
	}
}

func entraRequires(has func(string) bool) []string {
	missing := requires("tenant", "client-id")(has)
	if !has("client-secret") && !has("client-certificate") && !has("token-file") {
		missing = append(missing, "client-secret (or client-certificate, or token-file)")
	}
	return missing
}

func oktaRequires(has func(string) bool) []string {
	missing := requires("org-url")(has)
	if !has("token") && !(has("client-id") && has("private-key")) {
		missing = append(missing, "token (or client-id and private-key)")
	}
	return missing
}

func oneOf(words ...string) func(string) error {
	return func(value string) error {
		if slices.Contains(words, value) {
			return nil
		}
		return fmt.Errorf("%q is not one of: %s", value, strings.Join(words, ", "))
	}
}

// someOf takes a list of words by comma.
func someOf(words ...string) func(string) error {
	one := oneOf(words...)
	return func(value string) error {
		for _, item := range List(value) {
			if err := one(item); err != nil {
				return err
			}
		}
		return nil
	}
}

func groupList(value string) error {
	for _, item := range List(value) {
		if _, err := NamePattern(item); err != nil {
			return err
		}
	}
	return text(value)
}

func usernameSource(value string) error {
	if name, ok := strings.CutPrefix(value, "attribute:"); ok && name != "" {
		return text(name)
	}
	if err := oneOf("upn", "mail", "upn-local-part", "mail-local-part")(value); err != nil {
		return fmt.Errorf("%w, or attribute:NAME", err)
	}
	return nil
}

func rewrites(value string) error {
	_, err := Rewrites(value)
	return err
}

func duration(least, most time.Duration) func(string) error {
	return func(value string) error {
		if d, err := time.ParseDuration(value); err != nil || d < least || d > most {
			return fmt.Errorf("%q is no time from %s to %s, such as 15m or 4h", value, least, most)
		}
		return nil
	}
}

func schedule(value string) error {
	if value == "on" || value == "off" || gronx.IsValid(value) {
		return nil
	}
	return fmt.Errorf("%q is neither on, off, nor cron text such as \"0 */2 * * *\"", value)
}

// limit wants one: to have none, the setting is left empty.
func limit(value string) error {
	l, err := ReadLimit(value)
	if err == nil && !l.Set {
		return fmt.Errorf("%q is not of the form COUNT,PERCENT%%, such as 10,5%%", value)
	}
	return err
}

func mailAddress(value string) error {
	if at := strings.LastIndexByte(value, '@'); at < 1 || at == len(value)-1 || strings.ContainsAny(value, " ,;<>") {
		return fmt.Errorf("%q is no mail address", value)
	}
	return text(value)
}

// address takes https, and plain http on this machine only.
func address(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.User != nil {
		return fmt.Errorf("%q is no address such as https://example.test", value)
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("%q must begin with https:// (http:// is for this machine only)", value)
}

// secretAddress takes what address does, and doesn't repeat it: it may hold a token.
func secretAddress(value string) error {
	if address(value) != nil {
		return errors.New("it must be an address that begins with https:// (http:// is for this machine only)")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func proxyAddress(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) {
		return fmt.Errorf("%q is no address of a proxy such as http://proxy.example.test:3128", withoutPassword(value))
	}
	return nil
}

func withoutPassword(value string) string {
	if at := strings.LastIndexByte(value, '@'); at >= 0 {
		return "…" + value[at:]
	}
	return value
}

func day(value string) error {
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		return fmt.Errorf("%q is no day such as 2027-05-01", value)
	}
	return nil
}

func certificates(value string) error {
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(value)) {
		return errors.New("there is no certificate in it; PEM begins with -----BEGIN CERTIFICATE-----")
	}
	return nil
}

// certificateAndKey wants both in one PEM text; it must not show any of it.
func certificateAndKey(value string) error {
	var cert, key bool
	for rest := []byte(value); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		switch {
		case block.Type == "CERTIFICATE":
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return fmt.Errorf("its certificate can't be read: %w", err)
			}
			cert = true
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			key = true
		}
	}
	if !cert || !key {
		return errors.New("it must hold a certificate and its private key, both in PEM")
	}
	return nil
}

func jsonObject(value string) error {
	var object map[string]any
	if err := json.Unmarshal([]byte(value), &object); err != nil {
		return errors.New("it is not the JSON file that was downloaded with the key")
	}
	return nil
}

// secretText takes anything on one line; what it is must not be shown.
func secretText(value string) error {
	if strings.TrimSpace(value) == "" {
		return errors.New("it is empty")
	}
	return nil
}

// protectedGroups are names that give power in Atlassian products. Whoever may make groups at
// a source must not get it by that.
var protectedGroups = []string{
	"administrators", "jira-administrators", "jira-system-administrators", "jira-core-administrators",
	"jira-servicedesk-administrators", "confluence-administrators", "crowd-administrators", "bitbucket-administrators",
	"bitbucket-system-administrators", "stash-administrators", "bamboo-admin", "bamboo-administrators",
	"fisheye-administrators", "crucible-administrators", "system-administrators", "site-admins", "nx-admin",
}

// ProtectedGroups lists the names of groups that give power in an Atlassian product.
func ProtectedGroups() []string { return slices.Clone(protectedGroups) }

// Protected tells whether a group's name gives power in an Atlassian product.
func Protected(name string) bool { return slices.Contains(protectedGroups, models.Key(name)) }
