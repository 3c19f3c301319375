package entra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-id/rollcall/sync/cloud"
)

// refusals are the ways out of what Entra's token endpoint says, by the number after AADSTS.
var refusals = map[int]string{
	7000215: "the client secret is wrong: paste the secret's value, not its id, which Entra shows beside it",
	7000222: "the client secret has ended: make a new one in Entra, under Certificates & secrets, and set client-secret",
	7000218: "the application needs a secret or a certificate: set client-secret or client-certificate",
	700016:  "there is no such application in this tenant: check client-id and tenant, and that an administrator consented",
	90002:   "there is no such tenant: check tenant, and authority-url for a national cloud",
	900023:  "the tenant's name is malformed: set tenant to the directory (tenant) id of the application's overview page",
	900382:  "the application belongs to another national cloud: check authority-url and graph-url",
	700027:  "the certificate isn't registered at the application: upload it in Entra, under Certificates & secrets",
	700021:  "the token of workload identity isn't for this application: check the federated credential's issuer, subject and audience",
	70021:   "no federated credential of the application matches: check its issuer, subject and audience",
	700211:  "no federated credential of the application has this issuer: check it in Entra, under Certificates & secrets",
	700213:  "no federated credential of the application has this subject: check it in Entra, under Certificates & secrets",
	1002012: "the scope is malformed: check graph-url",
	500011:  "Graph isn't known under this address: check graph-url",
	53003:   "a conditional access policy blocks the application: exclude it, or allow this machine's address",
	7000112: "the application is disabled: enable it in Entra, under Enterprise applications, Properties",
	5000225: "the tenant is blocked, because it was not used: for 20 days Microsoft's support revives it when an administrator asks",
	7000229: "the application has no service principal in this tenant: let an administrator consent",
	50034:   "there is no such account in this tenant: check tenant and client-id",
}

// passing are refusals that go away by themselves.
var passing = []int{90033, 90024, 50196, 90055, 90056}

// clockRefusals come from a clock that is off.
var clockRefusals = []int{700024, 500133}

// tokenError is the token endpoint's form of an error.
type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Correlation string `json:"correlation_id"`
}

var aadsts = regexp.MustCompile(`^AADSTS(\d+): `)

// judgeToken says what the token endpoint's answers mean.
func judgeToken(a cloud.Answer) cloud.Verdict {
	v := cloud.Judge(a)
	if a.OK() {
		return v
	}
	if v.Act == cloud.Renew { // a refused client, not a refused token
		v.Act = cloud.Fail
	}
	var e tokenError
	v.Err = &cloud.Error{}
	if json.Unmarshal(a.Body, &e) != nil || e.Error == "" {
		if a.Status == http.StatusNotFound {
			v.Err.Hint = "check authority-url and tenant"
		}
		return v
	}
	code := 0
	if len(e.Codes) > 0 {
		code = e.Codes[0]
	}
	v.Err.Code, v.Err.ID = e.Error, e.Correlation
	v.Err.Said, _, _ = strings.Cut(e.Description, " Trace ID: ")
	if m := aadsts.FindStringSubmatch(v.Err.Said); m != nil {
		if code == 0 {
			code, _ = strconv.Atoi(m[1])
		}
		v.Err.Said = v.Err.Said[len(m[0]):]
	}
	if code != 0 {
		v.Err.Code = fmt.Sprintf("AADSTS%d %s", code, e.Error)
	}
	v.Err.Hint = refusals[code]
	switch {
	case slices.Contains(clockRefusals, code):
		v.Err.Hint = clock(a.ServerTime().Sub(a.Now))
	case code == 700027 && strings.Contains(v.Err.Said, "is expired"): // else it isn't registered
		v.Err.Hint = "the certificate has ended: make a new one, upload it in Entra, under Certificates & secrets, and set client-certificate"
	}
	if e.Error == "temporarily_unavailable" || slices.Contains(passing, code) {
		v.Act = cloud.Retry
	}
	return v
}

// clock says how far clocks differ.
func clock(ahead time.Duration) string {
	ahead = ahead.Round(time.Second)
	switch {
	case ahead >= 2*time.Second:
		return fmt.Sprintf("this machine's clock is %v behind Entra's: set it right", ahead)
	case ahead <= -2*time.Second:
		return fmt.Sprintf("this machine's clock is %v ahead of Entra's: set it right", -ahead)
	}
	return "this machine's clock agrees with Entra's"
}
