package crowd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/models"
)

// readFilter reads a restriction as POST /search does.
func readFilter(kind, body string, of searched) (models.Filter, error) {
	request := httptest.NewRequest(http.MethodPost, "/search", strings.NewReader(body))
	request.Header.Set(echo.HeaderContentType, kind)
	var r restriction
	if err := api.ReadBody(echo.New().NewContext(request, httptest.NewRecorder()), &r, api.Strict); err != nil {
		return models.Filter{}, err
	}
	return r.filter(of)
}

const asXML, asJSON = "application/xml", "application/json"

// Comparisons in both formats, written as Crowd's reference has them.
func xmlComparison(property, kind, match, value string) string {
	return fmt.Sprintf(`<property-search-restriction><property><name>%s</name><type>%s</type></property>`+
		`<match-mode>%s</match-mode>%s</property-search-restriction>`, property, kind, match, value)
}

func jsonComparison(property, kind, match, value string) string {
	return fmt.Sprintf(`{"restriction-type":"property-search-restriction","property":{"name":%q,"type":%q},"match-mode":%q%s}`, property, kind, match, value)
}

func TestRestrictionComparisons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		property, kind, match string
		value                 string // "-": none
		want                  models.Filter
	}{
		{"email", "STRING", "EXACTLY_MATCHES", "bob@example.net", is("email", "bob@example.net")},
		{"email", "STRING", "EXACTLY_MATCHES", "Bob@Example.net", is("email", "bob@example.net")},
		{"name", "string", "starts_with", "bo", compared("name", models.StartsWith, "bo")},
		{"name", "String", "Ends_With", "ob", compared("name", models.EndsWith, "ob")},
		{"displayName", "STRING", "CONTAINS", "b b", compared("displayName", models.Contains, "b b")},
		{"name", "STRING", "EXACTLY_MATCHES", "bo*", is("name", "bo*")}, // no wildcards here
		{"name", "STRING", "EXACTLY_MATCHES", "", is("name", "")},
		{"name", "STRING", "NULL", "-", compared("name", models.Null, "")}, // Jira's test of its connection
		{"email", "STRING", "NULL", "whatever", compared("email", models.Null, "")},
		{"active", "BOOLEAN", "EXACTLY_MATCHES", "true", flag("active", true)},
		{"active", "BOOLEAN", "EXACTLY_MATCHES", "TRUE", flag("active", true)},
		{"active", "BOOLEAN", "EXACTLY_MATCHES", "yes", flag("active", false)},
		{"active", "STRING", "EXACTLY_MATCHES", "true", flag("active", true)}, // we know its type
		{"createdDate", "DATE", "GREATER_THAN", "2010-12-08T16:11:21.181+1100", dated("createdDate", models.Greater, "2010-12-08T16:11:21.181+11:00")},
		{"updatedDate", "DATE", "LESS_THAN", "2010-12-08T16:11:21.181+11:00", dated("updatedDate", models.Less, "2010-12-08T16:11:21.181+11:00")},
		{"updatedDate", "DATE", "EXACTLY_MATCHES", "2010-12-08T16:11:21Z", dated("updatedDate", models.Equals, "2010-12-08T16:11:21Z")},
		{"createdDate", "DATE", "NULL", "-", compared("createdDate", models.Null, "")},
		{"department", "STRING", "EXACTLY_MATCHES", "Ops", is("department", "ops")},
		{"retired", "BOOLEAN", "EXACTLY_MATCHES", "true", is("retired", "true")}, // values of attributes are texts
		{"department", "", "NULL", "-", compared("department", models.Null, "")},
	} {
		xmlValue, jsonValue := "<value>"+c.value+"</value>", fmt.Sprintf(`,"value":%q`, c.value)
		if c.value == "-" {
			xmlValue, jsonValue = "", ""
		}
		for kind, body := range map[string]string{
			asXML:  xmlComparison(c.property, c.kind, c.match, xmlValue),
			asJSON: jsonComparison(c.property, c.kind, c.match, jsonValue),
		} {
			got, err := readFilter(kind, body, searchedUsers)
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%s (-want +got):\n%s%v", body, diff, err)
			}
		}
	}
}

func TestRestrictionXML(t *testing.T) {
	t.Parallel()
	bob, ada := is("name", "bob"), is("name", "ada")
	nameIs := func(name string) string {
		return xmlComparison("name", "STRING", "EXACTLY_MATCHES", "<value>"+name+"</value>")
	}
	boolean := func(logic, inside string) string {
		return `<boolean-search-restriction boolean-logic="` + logic + `"><restrictions>` + inside + `</restrictions></boolean-search-restriction>`
	}
	for _, c := range []struct {
		name, body string
		want       models.Filter
	}{
		{"null", `<null-search-restriction/>`, everything},
		{"null, declared and with something inside", `<?xml version="1.0" encoding="UTF-8"?><null-search-restriction><x/></null-search-restriction>`, everything},
		{"and", boolean("and", nameIs("bob")+nameIs("ada")), and(bob, ada)},
		{"or, as Atlassian's client writes it", boolean("OR", nameIs("bob")+nameIs("ada")), or(bob, ada)},
		{"nested", boolean("and", nameIs("bob")+boolean("or", nameIs("ada")+nameIs("bob"))), and(bob, or(ada, bob))},
		{"one child", boolean("or", nameIs("bob")), bob},
		{"no children", boolean("and", ""), everything},
		{"no list", `<boolean-search-restriction boolean-logic="and"/>`, everything},
		{"null inside", boolean("or", nameIs("bob")+"<null-search-restriction/>"), or(bob, everything)},
		{"a list without its wrapper", `<boolean-search-restriction boolean-logic="or">` + nameIs("bob") + nameIs("ada") + `</boolean-search-restriction>`, or(bob, ada)},
		{"another order, blanks, unknown elements", "<property-search-restriction>\n <extra><name>x</name></extra>\n <value>bob</value>\n" +
			" <match-mode>\n  exactly_matches </match-mode>\n <property>\n  <type>STRING</type>\n  <name>\n   name\n  </name>\n </property>\n</property-search-restriction>", bob},
		{"CDATA and escapes", xmlComparison("displayName", "STRING", "CONTAINS", "<value>R&amp;D <![CDATA[<b>]]></value>"), compared("displayName", models.Contains, "r&d <b>")},
		{"an empty value", xmlComparison("email", "STRING", "EXACTLY_MATCHES", "<value/>"), is("email", "")},
	} {
		got, err := readFilter(asXML, c.body, searchedUsers)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", c.name, diff, err)
		}
	}
	for _, c := range []struct{ name, body, want string }{
		{"another root", `<user name="bob"/>`, "There is no restriction <user>"},
		{"an unknown restriction inside", boolean("and", nameIs("bob")+"<like-search-restriction/>"), "There is no restriction <like-search-restriction>"},
		{"no logic", `<boolean-search-restriction><restrictions/></boolean-search-restriction>`, `"and" or "or"`},
		{"another logic", boolean("not", nameIs("bob")), `"and" or "or"`},
		{"no property", `<property-search-restriction><match-mode>NULL</match-mode></property-search-restriction>`, "names no property"},
		{"another type", xmlComparison("name", "NUMBER", "NULL", ""), "type of property <name>"},
		{"no match mode", xmlComparison("name", "STRING", "", "<value>x</value>"), "match-mode of property <name>"},
		{"another match mode", xmlComparison("name", "STRING", "LIKE", "<value>x</value>"), "match-mode of property <name>"},
		{"no value", xmlComparison("name", "STRING", "CONTAINS", ""), "<name> has no value"},
		{"an order of texts", xmlComparison("name", "STRING", "GREATER_THAN", "<value>x</value>"), "<name> can not be compared by GREATER_THAN"},
		{"an order of booleans", xmlComparison("active", "BOOLEAN", "LESS_THAN", "<value>true</value>"), "<active> can not be compared by LESS_THAN"},
		{"an order of an attribute", xmlComparison("since", "DATE", "LESS_THAN", "<value>2010-12-08T16:11:21.181+1100</value>"), "<since> can not be compared by LESS_THAN"},
		{"part of a date", xmlComparison("createdDate", "DATE", "CONTAINS", "<value>2010</value>"), "can not be compared by CONTAINS"},
		{"a bad date", xmlComparison("createdDate", "DATE", "GREATER_THAN", "<value>yesterday</value>"), "is not a date like"},
		{"a date without a time", xmlComparison("createdDate", "DATE", "GREATER_THAN", "<value>2010-12-08</value>"), "is not a date like"},
		{"a document type", `<!DOCTYPE x [<!ENTITY e "x">]><null-search-restriction/>`, "document type"},
		{"cut off", `<boolean-search-restriction boolean-logic="and"><restrictions>`, "not the XML"},
		{"two roots", `<null-search-restriction/><null-search-restriction/>`, "second root"},
	} {
		if _, err := readFilter(asXML, c.body, searchedUsers); !models.Is(err, models.IllegalArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRestrictionJSON(t *testing.T) {
	t.Parallel()
	bob, ada := is("name", "bob"), is("name", "ada")
	nameIs := func(name string) string {
		return jsonComparison("name", "STRING", "EXACTLY_MATCHES", `,"value":"`+name+`"`)
	}
	boolean := func(logic, inside string) string {
		return `{"restriction-type":"boolean-search-restriction","boolean-logic":"` + logic + `","restrictions":[` + inside + `]}`
	}
	for _, c := range []struct {
		name, body string
		want       models.Filter
	}{
		{"null", `{"restriction-type":"null-search-restriction"}`, everything},
		{"and", boolean("and", nameIs("bob")+","+nameIs("ada")), and(bob, ada)},
		{"or in capitals, nested", boolean("OR", nameIs("bob")+","+boolean("AND", nameIs("ada")+","+nameIs("bob"))), or(bob, and(ada, bob))},
		{"no children", boolean("or", ""), everything},
		{"no list", `{"restriction-type":"boolean-search-restriction","boolean-logic":"or"}`, everything},
		{"another spelling of the mode", `{"restriction-type":"property-search-restriction","property":{"name":"name","type":"STRING"},"matchMode":"STARTS_WITH","value":"b"}`, compared("name", models.StartsWith, "b")},
		{"a boolean that is one", jsonComparison("active", "BOOLEAN", "EXACTLY_MATCHES", `,"value":true`), flag("active", true)},
		{"a number", jsonComparison("room", "STRING", "EXACTLY_MATCHES", `,"value":42`), is("room", "42")},
		{"null without a value", jsonComparison("name", "STRING", "NULL", `,"value":null`), compared("name", models.Null, "")},
		{"the type in capitals", `{"restriction-type":"NULL-SEARCH-RESTRICTION","extra":{"x":[1]}}`, everything},
	} {
		got, err := readFilter(asJSON, c.body, searchedUsers)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", c.name, diff, err)
		}
	}
	for _, c := range []struct{ name, body, want string }{
		{"no type", `{"property":{"name":"name"},"match-mode":"NULL"}`, "no restriction-type"},
		{"nothing", `{}`, "no restriction-type"},
		{"null itself", `null`, "no restriction-type"},
		{"a list", `[{"restriction-type":"null-search-restriction"}]`, "must be a JSON object, not an array"},
		{"nothing inside", boolean("and", "{}"), "no restriction-type"},
		{"another type", `{"restriction-type":"like"}`, "There is no restriction <like>"},
		{"a value that is an object", jsonComparison("name", "STRING", "CONTAINS", `,"value":{"x":1}`), `"value" of the body can't be an object`},
		{"a value that is a list, inside", boolean("and", jsonComparison("name", "STRING", "CONTAINS", `,"value":[1]`)), `value" of the body can't be an array`},
		{"a property that is a text", `{"restriction-type":"property-search-restriction","property":"name"}`, `"property" of the body can't be a string`},
		{"a zero in a value", jsonComparison("name", "STRING", "CONTAINS", `,"value":"a\u0000"`), "has a control character"},
		{"a zero in a property", `{"restriction-type":"property-search-restriction","property":{"name":"a\u0000"},"match-mode":"NULL"}`, "has a control character"},
		{"null as a value", jsonComparison("name", "STRING", "CONTAINS", `,"value":null`), "<name> has no value"},
		{"a bad date", jsonComparison("createdDate", "DATE", "LESS_THAN", `,"value":1291785081181`), "is not a date like"},
	} {
		if _, err := readFilter(asJSON, c.body, searchedUsers); !models.Is(err, models.IllegalArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRestrictionLimits(t *testing.T) {
	t.Parallel()
	nested := func(depth int) (inXML, inJSON string) {
		inXML, inJSON = xmlComparison("a", "STRING", "NULL", ""), jsonComparison("a", "STRING", "NULL", "")
		for range depth {
			inXML = `<boolean-search-restriction boolean-logic="and"><restrictions>` + inXML + `</restrictions></boolean-search-restriction>`
			inJSON = `{"restriction-type":"boolean-search-restriction","boolean-logic":"or","restrictions":[` + inJSON + `]}`
		}
		return inXML, inJSON
	}
	many := func(n int) (inXML, inJSON string) {
		inXML = `<boolean-search-restriction boolean-logic="and"><restrictions>` +
			strings.Repeat(xmlComparison("a", "STRING", "NULL", ""), n) + `</restrictions></boolean-search-restriction>`
		inJSON = `{"restriction-type":"boolean-search-restriction","boolean-logic":"or","restrictions":[` +
			strings.Repeat(jsonComparison("a", "STRING", "NULL", "")+",", n-1) + jsonComparison("a", "STRING", "NULL", "") + `]}`
		return inXML, inJSON
	}
	for _, c := range []struct {
		make  func(int) (inXML, inJSON string)
		limit int
		want  string
	}{
		{nested, maxFilterDepth, "nested deeper than 20"},
		{many, maxFilterTerms, "compares more than 500 times"},
	} {
		inXML, inJSON := c.make(c.limit)
		for kind, body := range map[string]string{asXML: inXML, asJSON: inJSON} {
			if _, err := readFilter(kind, body, searchedUsers); err != nil {
				t.Errorf("at the limit: %v", err)
			}
		}
		inXML, inJSON = c.make(c.limit + 1)
		for kind, body := range map[string]string{asXML: inXML, asJSON: inJSON} {
			if _, err := readFilter(kind, body, searchedUsers); !models.Is(err, models.IllegalArgument) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("beyond the limit: %v, want %q", err, c.want)
			}
		}
	}
}

// fuzzRestriction checks what holds for whatever a stranger sends: no panic, every failure is
// the caller's, limits are kept, and what was read means the same when it is written as CQL.
func fuzzRestriction(t *testing.T, kind, body string, users bool) {
	t.Helper()
	of := searchedGroups
	if users {
		of = searchedUsers
	}
	filter, err := readFilter(kind, body, of)
	if err != nil {
		if code := models.CodeOf(err); code != models.IllegalArgument && code != models.UnsupportedMedia { // a charset
			t.Fatalf("%q: %v", body, err)
		}
		return
	}
	if depth, terms := depthOf(filter); depth > maxFilterDepth || terms > maxFilterTerms {
		t.Fatalf("%q is %d deep and has %d terms", body, depth, terms)
	}
	printsBack(t, filter, of)
}

func FuzzRestrictionXML(f *testing.F) {
	comparison := xmlComparison("name", "STRING", "CONTAINS", "<value>Bob</value>")
	for _, body := range []string{
		`<null-search-restriction/>`, comparison,
		`<boolean-search-restriction boolean-logic="or"><restrictions>` + comparison + comparison + `</restrictions></boolean-search-restriction>`,
		xmlComparison("active", "BOOLEAN", "EXACTLY_MATCHES", "<value>true</value>"),
		xmlComparison("createdDate", "DATE", "GREATER_THAN", "<value>2010-12-08T16:11:21.181+1100</value>"),
		xmlComparison("x", "", "NULL", ""), `<property-search-restriction><property>`, `<!DOCTYPE x><x/>`, `<?xml version="1.0" encoding="latin1"?><x/>`,
	} {
		f.Add(body, true)
	}
	f.Fuzz(func(t *testing.T, body string, users bool) { fuzzRestriction(t, asXML, body, users) })
}

func FuzzRestrictionJSON(f *testing.F) {
	comparison := jsonComparison("name", "STRING", "CONTAINS", `,"value":"Bob"`)
	for _, body := range []string{
		`{"restriction-type":"null-search-restriction"}`, comparison, `{}`, `null`, `[]`, `{"restriction-type"`,
		`{"restriction-type":"boolean-search-restriction","boolean-logic":"or","restrictions":[` + comparison + "," + comparison + `]}`,
		jsonComparison("active", "BOOLEAN", "EXACTLY_MATCHES", `,"value":true`), jsonComparison("x", "", "NULL", ""),
		jsonComparison("createdDate", "DATE", "GREATER_THAN", `,"value":"2010-12-08T16:11:21.181+1100"`),
	} {
		f.Add(body, true)
	}
	f.Fuzz(func(t *testing.T, body string, users bool) { fuzzRestriction(t, asJSON, body, users) })
}
