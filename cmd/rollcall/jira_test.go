package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// A re-enacted Jira keeps a copy of the directory while scripts and Jira itself change it at
// random. Its incremental copy, a copy read afresh, and what the writer believes are one, also
// when the server is killed and started again in the middle.
func TestJiraKeepsItsCopy(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		const changes = 1000
		newStaff(t, db)
		server := testkit.StartServer(t, db, nil)
		seed := rand.Uint64()
		t.Logf("the seed is %d", seed)
		j := testkit.NewJira(t, jiraApp(server))
		if err := j.Test(); err != nil {
			t.Fatalf("test settings: %v", err)
		}
		if full, err := j.Sync(); err != nil || !full {
			t.Fatalf("the first synchronisation: full %v, %v, want full", full, err)
		}
		s := &scriptWriter{t: t, jira: testkit.NewJira(t, jiraApp(server)), random: rand.New(rand.NewPCG(seed, 1))}
		incremental := 0
		for i := range changes {
			s.change()
			if i%40 == 39 {
				full, err := j.Sync()
				if err != nil {
					t.Fatalf("synchronisation after %d changes: %v", i+1, err)
				}
				if !full {
					incremental++
				}
				sameCopy(t, fmt.Sprintf("the copy after %d changes (full %v)", i+1, full), server, j)
			}
			if i == changes/2 {
				server.Kill()
				server = testkit.StartServer(t, db, nil)
				j.Moved(jiraApp(server))
				s.jira.Moved(jiraApp(server))
			}
		}
		if incremental < 3 || j.Steps < 50 {
			t.Errorf("%d synchronisations of %d were incremental, with %d events; want most", incremental, changes/40, j.Steps)
		}
		t.Logf("%d full and %d incremental synchronisations, %d events", j.Fulls, incremental, j.Steps)
	})
}

func jiraApp(server *testkit.Server) testkit.App {
	return testkit.App{URL: server.URL + "/crowd", Name: "probe", Password: probePassword}
}

// sameCopy compares with a copy that is read afresh. On PostgreSQL events wait for every
// transaction in the whole server, also for those of other tests: then it syncs once more.
func sameCopy(t *testing.T, what string, server *testkit.Server, j *testkit.Jira) {
	t.Helper()
	fresh := testkit.NewJira(t, jiraApp(server))
	if err := fresh.Full(); err != nil {
		t.Fatalf("read everything afresh: %v", err)
	}
	want := fresh.Copy.Plain()
	within(t, 30*time.Second, what+" equals one that is read afresh", func() bool {
		if cmp.Equal(want, j.Copy.Plain()) {
			return true
		}
		if _, err := j.Sync(); err != nil {
			t.Fatalf("synchronise again: %v", err)
		}
		return false
	})
	testkit.Diff(t, what, want, j.Copy.Plain())
}

// A scriptWriter changes a directory at random, among few names so that changes meet.
type scriptWriter struct {
	t      *testing.T
	jira   *testkit.Jira
	random *rand.Rand
}

func (s *scriptWriter) change() {
	s.t.Helper()
	user, group, other := s.pick("user", 12), s.pick("group", 6), s.pick("group", 6)
	u, g := url.QueryEscape(user), url.QueryEscape(group)
	var err error
	switch n := s.random.IntN(100); {
	case n < 22:
		err = s.jira.CreateUser(user, user+"@example.test", "difference")
	case n < 32:
		err = s.jira.CreateGroup(group)
	case n < 55:
		err = s.jira.AddMember(user, group)
	case n < 65:
		err = s.jira.RemoveMember(user, group)
	case n < 75:
		err = s.jira.Do("PUT", "/user?username="+u, fmt.Sprintf(`<user name="%s"><email>%d@example.test</email><active>%v</active></user>`, user, s.random.IntN(1000), s.random.IntN(2) == 0))
	case n < 80:
		err = s.jira.Do("PUT", "/group?groupname="+g, fmt.Sprintf(`<group name="%s"><type>GROUP</type><description>%d</description></group>`, group, s.random.IntN(1000)))
	case n < 88:
		err = s.jira.Do("POST", "/group/child-group/direct?groupname="+g, fmt.Sprintf(`<group name="%s"/>`, other))
	case n < 91:
		err = s.jira.Do("DELETE", "/group/child-group/direct?groupname="+g+"&child-groupname="+url.QueryEscape(other), "")
	case n < 94:
		err = s.jira.Do("POST", "/user/attribute?username="+u, fmt.Sprintf(`<attributes><attribute name="n"><values><value>%d</value></values></attribute></attributes>`, n))
	case n < 96:
		err = s.jira.RemoveUser(user)
	case n < 98:
		err = s.jira.Do("DELETE", "/group?groupname="+g, "")
	case n < 99:
		err = s.jira.Do("PUT", "/user/password?username="+u, "<password><value>engine</value></password>")
	default:
		if s.random.IntN(4) == 0 {
			err = s.jira.Do("POST", "/user/rename?username="+u, fmt.Sprintf("<new-name>%s</new-name>", s.pick("user", 12)))
		}
	}
	// Names that aren't there, or are there already, are refused; nothing else may go wrong.
	if failure, ok := errors.AsType[*testkit.JiraFailure](err); err != nil && (!ok || failure.Status >= 500 || failure.Status == 401 || failure.Status == 403) {
		s.t.Fatalf("a change failed: %v", err)
	}
}

func (s *scriptWriter) pick(kind string, of int) string {
	name := fmt.Sprintf("%s-%d", kind, s.random.IntN(of))
	if s.random.IntN(5) == 0 { // another spelling of the same name
		return strings.ToUpper(name)
	}
	return name
}
