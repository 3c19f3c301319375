package crowd_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/api/crowd"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/internal/audit"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/login"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
	"github.com/rollcall-id/rollcall/session"
	"github.com/rollcall-id/rollcall/store"
)

// again is one more server on the same database.
func (w *world) again(db testkit.Database, o login.Options) *world {
	w.t.Helper()
	next := &world{t: w.t, clock: w.clock}
	next.store = db.Open(w.t, func(o *store.Options) { o.Now = w.clock.Now })
	hasher, log := testkit.NewHasher(), testkit.Log(w.t)
	refusals := audit.New(next.store, audit.Options{})
	directories := directory.New(next.store, hasher, log)
	next.apps = application.New(next.store, directories, hasher, log, refusals, roster.New(next.store, log))
	logins := login.New(next.store, directories, session.New(next.store, session.Options{}), refusals, o)
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = api.ErrorHandler
	crowd.Register(e, crowd.Deps{Application: next.apps, Login: logins})
	next.url = testkit.ServeHandler(w.t, e)
	return next
}

// eachSynced runs do on each database, in a world that was made a while ago by furnish. An event
// token counts from where the feed ended two seconds ago, or when the server started; before
// that applications are made, which expires their tokens.
func eachSynced(t *testing.T, furnish, do func(w *world)) {
	t.Helper()
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		first := newWorld(t, db, crowd.Options{})
		furnish(first)
		first.eventually(func() bool {
			end, err := first.store.Place(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			beyond, err := first.store.ChangesBetween(t.Context(), end, math.MaxInt64, 1)
			return err == nil && len(beyond) == 0
		})
		do(first.again(db, login.Options{}))
	})
}

// eventually asks again and again until the answer is yes. On PostgreSQL the feed ends before
// the oldest transaction that is open, even if it is another test's in another database.
func (w *world) eventually(yes func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !yes() && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
}

func nobody(*world) {}

var eventsRoot = regexp.MustCompile(`^` + regexp.QuoteMeta(declaration) + `<events newEventToken="([^"]+)" incrementalSynchronisationAvailable="true"(?:/>|>(.*)</events>)$`)

// eventToken asks an application's way for a new token.
func (w *world) eventToken(as string) string {
	w.t.Helper()
	a := w.call(call{do: "GET /event", as: as, accept: "-", want: 200})
	found := eventsRoot.FindStringSubmatch(a.body)
	if found == nil || found[2] != "" {
		w.t.Fatalf("a new token comes as %s", a.body)
	}
	return found[1]
}

// A stream is an application that asks for events as Atlassian's client does.
type stream struct {
	*world
	as    string
	token string
}

func (w *world) follow(as string) *stream {
	w.t.Helper()
	return &stream{w, as, w.eventToken(as)}
}

// next asks once, and gives what stands between the root's tags.
func (s *stream) next() string {
	s.t.Helper()
	a := s.call(call{do: "GET /event/" + strings.ReplaceAll(s.token, ":", "%3A"), as: s.as, accept: "-", want: 200})
	found := eventsRoot.FindStringSubmatch(a.body)
	if found == nil {
		s.t.Fatalf("events come as %s", a.body)
	}
	s.token = found[1]
	return found[2]
}

// wants asks until it was told all of want, and then once more: nothing must be told twice.
func (s *stream) wants(what string, want ...string) {
	s.t.Helper()
	all, got := strings.Join(want, ""), ""
	s.eventually(func() bool {
		got += s.next()
		return len(got) >= len(all)
	})
	got += s.next()
	if got != all {
		s.t.Errorf("%s (-want +got):\n%s", what, cmp.Diff(want, strings.SplitAfter(got, "Event>")))
	}
}

func TestQuirk45Events(t *testing.T) {
	eachSynced(t, nobody, func(w *world) {
		s := w.follow("")
		bob := func(fields string) string {
			return `<user name="Bob">` + self("/user?username=Bob") + fields + `</user>`
		}
		fields := `<first-name>Bob</first-name><last-name>B</last-name><display-name>Bob B</display-name><email>%</email><key>1:<uuid></key><active>true</active>`
		group := func(name, description string) string {
			return `<group name="` + name + `">` + self("/group?groupname="+name) + description + `<type>GROUP</type><active>true</active></group>`
		}
		userEvent := func(operation, inside string) string {
			return "<userEvent><operation>" + operation + "</operation>" + inside + "</userEvent>"
		}
		groupEvent := func(operation, inside string) string {
			return "<groupEvent><operation>" + operation + "</operation>" + inside + "</groupEvent>"
		}
		joined := func(operation, group string) string {
			return "<userMembershipEvent><operation>" + operation + `</operation><childUser name="Bob"/><parentGroups><group name="` + group + `"/></parentGroups></userMembershipEvent>`
		}
		nested := func(operation string) string {
			return "<groupMembershipEvent><operation>" + operation + `</operation><group name="Devs"/><parentGroups><group name="all"/></parentGroups><childGroups/></groupMembershipEvent>`
		}
		was, is := strings.ReplaceAll(fields, "%", "b@example.test"), strings.ReplaceAll(fields, "%", "bob@example.test")
		stored := `<storedAttributes><attribute name="dept"><values><value>Ops</value></values></attribute></storedAttributes>`
		var told []string
		for _, c := range []struct {
			call
			events []string
		}{
			{call{do: "POST /user", want: 201, body: `{"name":"Bob","first-name":"Bob","last-name":"B","email":"b@example.test","attributes":{"attributes":[{"name":"dept","values":["Ops"]}]}}`},
				[]string{userEvent("CREATED", bob(was)), userEvent("UPDATED", stored+bob(was))}},
			{call{do: "PUT /user?username=bob", want: 204, body: `{"name":"bob","email":"bob@example.test"}`}, []string{userEvent("UPDATED", bob(is))}},
			{call{do: "PUT /user/password?username=bob", want: 204, body: `{"value":"x"}`}, nil},
			{call{do: "POST /authentication?username=bob", want: 200, body: `{"value":"x"}`}, nil},
			{call{do: "DELETE /user/attribute?username=bob&attributename=dept", want: 204},
				[]string{userEvent("UPDATED", `<deletedAttributes><attribute name="dept"/></deletedAttributes>`+bob(is))}},
			{call{do: "POST /group", want: 201, body: `{"name":"Devs","description":"who write it"}`}, []string{groupEvent("CREATED", group("Devs", "<description>who write it</description>"))}},
			{call{do: "POST /group", want: 201, body: `{"name":"all"}`}, []string{groupEvent("CREATED", group("all", "<description/>"))}},
			{call{do: "PUT /group?groupname=devs", want: 200, body: `{"name":"devs","description":"x"}`}, []string{groupEvent("UPDATED", group("Devs", "<description>x</description>"))}},
			{call{do: "POST /group/attribute?groupname=devs", want: 204, body: `{"attributes":[{"name":"dept","values":["Ops"]}]}`},
				[]string{groupEvent("UPDATED", stored+group("Devs", "<description>x</description>"))}},
			{call{do: "POST /group/user/direct?groupname=devs", want: 201, body: `{"name":"bob"}`}, []string{joined("CREATED", "Devs")}},
			{call{do: "POST /user/group/direct?username=bob", want: 201, body: `{"name":"all"}`}, []string{joined("CREATED", "all")}},
			{call{do: "DELETE /user/group/direct?username=bob&groupname=ALL", want: 204}, []string{joined("DELETED", "all")}},
			{call{do: "POST /group/child-group/direct?groupname=all", want: 201, body: `{"name":"devs"}`}, []string{nested("CREATED")}},
			{call{do: "DELETE /group/child-group/direct?groupname=all&child-groupname=devs", want: 204}, []string{nested("DELETED")}},
			{call{do: "POST /group/parent-group/direct?groupname=devs", want: 201, body: `{"name":"all"}`}, []string{nested("CREATED")}},
			{call{do: "POST /group", want: 400, body: `{"name":"all"}`}, nil},
			// A user or group that is gone takes its memberships along, as the client knows.
			{call{do: "DELETE /group?groupname=all", want: 204}, []string{groupEvent("DELETED", `<group name="all">`+self("/group?groupname=all")+`</group>`)}},
			{call{do: "DELETE /user?username=bob", want: 204}, []string{userEvent("DELETED", bob(""))}},
			{call{do: "DELETE /group?groupname=devs", want: 204}, []string{groupEvent("DELETED", `<group name="Devs">`+self("/group?groupname=Devs")+`</group>`)}},
		} {
			w.call(c.call)
			told = append(told, c.events...)
		}
		s.wants("all that was written", told...)
	})
}

func TestEventsInJSON(t *testing.T) {
	eachSynced(t, nobody, func(w *world) {
		s := w.follow("")
		w.call(call{do: "GET /event", want: 200, has: []string{`{"newEventToken":"`, `,"incrementalSynchronisationAvailable":true,"events":[]}`}})
		w.call(call{do: "POST /group", want: 201, body: `{"name":"devs"}`})
		want := `"events":[{"operation":"CREATED","group":{` + selfJSON("/group?groupname=devs") + `,"name":"devs","description":"","type":"GROUP","active":true}}]}`
		asked := call{do: "GET /event/" + s.token, want: 200, has: []string{want}} // unescaped, as curl would
		w.eventually(func() bool { return strings.Contains(w.send(asked).body, want) })
		w.call(asked)
	})
}

// Jira asks for a token, reads everything, asks again, and keeps the second. What changed between
// the two, behind its back, must be told.
func TestEventsDuringAFullRead(t *testing.T) {
	eachSynced(t, (*world).people, func(w *world) {
		first := w.eventToken("")
		var want []string
		for i, read := range []call{
			{do: "POST /search?entity-type=user&start-index=0&max-results=-1&expand=user", body: "<null-search-restriction/>", want: 200},
			{do: "POST /search?entity-type=group&start-index=0&max-results=-1&expand=group", body: "<null-search-restriction/>", want: 200},
			{do: "GET /group/membership", accept: asXML, want: 200},
		} {
			w.call(read)
			name := fmt.Sprintf("meanwhile-%d", i)
			w.call(call{do: "POST /group", body: `{"name":"` + name + `"}`, want: 201})
			want = append(want, `<groupEvent><operation>CREATED</operation><group name="`+name+`">`+self("/group?groupname="+name)+
				`<description/><type>GROUP</type><active>true</active></group></groupEvent>`)
		}
		s := w.follow("")
		if s.token != first {
			w.t.Errorf("the second token is %s, want the first, %s", s.token, first)
		}
		s.wants("what changed meanwhile", want...)
	})
}

// Quirk 47: 404 would mean that we are too old for events.
func TestQuirk47EventTokensThatDoNotCount(t *testing.T) {
	eachSynced(t, func(w *world) { w.people(); w.app("wiki", "127.0.0.1") }, func(w *world) {
		token := w.eventToken("")
		elsewhere := newWorld(w.t, testkit.Empty(w.t, "sqlite"), crowd.Options{}).eventToken("")
		ended := token[:len(token)-1] + "x"
		for name, bad := range map[string]string{
			"made up": "1234:5", "a word": "x", "long": strings.Repeat("x", 3000), "altered": ended, "another installation's": elsewhere,
			"another application's": w.eventToken("wiki:secret-of-wiki"), "escapes": "%00%FF", "a later place": strings.Replace(token, ":", ":9", 1),
			"a slash": "a%2Fb", "of Crowd": "8423648238462%3A17", "a suffix": token + ".xml.xml",
		} {
			w.run(call{name: name, do: "GET /event/" + strings.ReplaceAll(bad, ":", "%3A"), want: 410, reason: "EVENT_TOKEN_EXPIRED"})
		}
		w.run(
			call{name: "the token itself", do: "GET /event/" + token, want: 200},
			call{name: "in XML", do: "GET /event/x", accept: "-", want: 410, has: []string{declaration + "<error><reason>EVENT_TOKEN_EXPIRED</reason><message>"}},
			call{name: "another method", do: "POST /event", want: 405},
			call{name: "without a password", do: "GET /event/" + token, as: "-", want: 401},
		)
	})
}

// Each of these makes what the application has read doubtful, so that it must read everything.
func TestWhatExpiresEventTokens(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(w *world) error
		other bool // whether another application's token expires too
	}{
		"a user's rename": {func(w *world) error {
			w.call(call{do: "POST /user/rename?username=ada", body: `{"new-name":"countess"}`, want: 200})
			return nil
		}, true},
		"an alias": {func(w *world) error {
			return w.apps.SetAlias(w.t.Context(), models.System, "jira", "ada", "countess")
		}, false},
		"its switches": {func(w *world) error {
			return w.apps.Set(w.t.Context(), models.System, "jira", application.Options{Aggregate: new(true)}, nil)
		}, false},
		"a mapping that goes": {func(w *world) error {
			return w.apps.Unmap(w.t.Context(), models.System, "jira", "staff")
		}, false},
		"a week and a day": {func(w *world) error {
			w.clock.Advance(8 * 24 * time.Hour)
			w.call(call{do: "POST /group", body: `{"name":"later"}`, want: 201})
			_, err := w.store.PruneFeed(w.t.Context())
			return err
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			eachSynced(t, func(w *world) { w.people(); w.app("wiki", "127.0.0.1") }, func(w *world) {
				s, other := w.follow(""), w.follow("wiki:secret-of-wiki")
				w.call(call{do: "POST /group", body: `{"name":"devs"}`, want: 201})
				if err := c.do(w); err != nil {
					w.t.Fatal(err)
				}
				w.expires(s, 410)
				if c.other {
					w.expires(other, 410)
				} else {
					w.expires(other, 200)
				}
			})
		})
	}
}

// A token that is taken right after such a change counts, though tokens look two seconds back.
func TestATokenTakenAfterAnExpiryCounts(t *testing.T) {
	eachSynced(t, (*world).people, func(w *world) {
		w.call(call{do: "POST /user/rename?username=ada", body: `{"new-name":"countess"}`, want: 200})
		w.eventually(func() bool { return w.send(call{do: "GET /event/" + w.eventToken("")}).status == 200 })
		s := w.follow("")
		w.call(call{do: "POST /group", body: `{"name":"devs"}`, want: 201})
		w.expires(s, 200)
	})
}

// expires asks until the answer has the status.
func (w *world) expires(s *stream, status int) {
	w.t.Helper()
	c := call{do: "GET /event/" + s.token, as: s.as, want: status}
	w.eventually(func() bool { return w.send(c).status == status })
	w.call(c)
}

// An application is told only of what it sees, under the names by which it knows it.
func TestEventsAreThoseThatTheApplicationSees(t *testing.T) {
	eachSynced(t, func(w *world) {
		w.people()
		w.partners()
		w.app("quiet", "127.0.0.1", func(n *application.NewApplication) { n.Options.LowerCase = new(true) })
		if err := w.apps.SetAlias(w.t.Context(), models.System, "both", "ada", "Countess"); err != nil {
			w.t.Fatal(err)
		}
	}, func(w *world) {
		jira, both, quiet := w.follow(""), w.follow("both:secret-of-both"), w.follow("quiet:secret-of-quiet")
		named := func(s *stream, want string) {
			w.t.Helper()
			got := ""
			w.eventually(func() bool {
				for _, name := range regexp.MustCompile(`<(?:user|group|childUser) name="([^"]*)"`).FindAllStringSubmatch(s.next(), -1) {
					got += " " + name[1]
				}
				return len(got) > len(want)
			})
			if got = strings.TrimSpace(got); got != want {
				w.t.Errorf("%s is told of %q, want %q", s.as, got, want)
			}
		}
		w.call(call{do: "PUT /user?username=bob", as: "outside:secret-of-outside", body: `{"name":"bob","email":"x@example.test"}`, want: 204}) // shadowed for both
		w.call(call{do: "PUT /user?username=ada", body: `{"name":"ada","email":"x@example.test"}`, want: 204})
		w.call(call{do: "PUT /user?username=zoe", as: "outside:secret-of-outside", body: `{"name":"zoe","email":"x@example.test"}`, want: 204})
		w.call(call{do: "POST /group", body: `{"name":"Writers"}`, want: 201})
		named(jira, "Ada Writers")
		named(both, "Countess zoe Writers")
		named(quiet, "ada writers")
	})
}
