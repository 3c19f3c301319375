package main_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// A syncing process is `rollcall sync cloud --apply` on its way.
type syncing struct {
	cmd    *exec.Cmd
	output bytes.Buffer
	ended  chan struct{}
}

func startSyncing(t *testing.T, db testkit.Database) *syncing {
	t.Helper()
	s := &syncing{cmd: exec.Command(testkit.Binary(t), "sync", "cloud", "--apply", "--json"), ended: make(chan struct{})}
	s.cmd.Dir = t.TempDir()
	s.cmd.Env = append(db.Env(t), "PATH="+os.Getenv("PATH"), "HOME="+s.cmd.Dir)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // its code is in ProcessState
		close(s.ended)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may be gone
		<-s.ended
	})
	return s
}

// A kept directory is looked at past all processes.
type kept struct {
	t  *testing.T
	st *store.Store
	id models.ID
}

func look(t *testing.T, db testkit.Database) *kept {
	t.Helper()
	st := db.Open(t)
	dir, err := st.DirectoryByName(t.Context(), "cloud")
	if err != nil {
		t.Fatal(err)
	}
	return &kept{t, st, dir.ID}
}

// sizes counts the rows that a run writes.
func (k *kept) sizes() string {
	k.t.Helper()
	c, err := k.st.ContentsOf(k.t.Context(), k.id)
	if err != nil {
		k.t.Fatal(err)
	}
	return fmt.Sprintf("%d users, %d groups, %d memberships", c.Users, c.Groups, c.Memberships)
}

// runOut lets the lease run out at once that a killed or frozen process holds for a minute.
func (k *kept) runOut() {
	k.t.Helper()
	state, err := k.st.SyncState(k.t.Context(), k.id)
	if err == nil {
		err = k.st.GiveLease(k.t.Context(), k.id, state.Epoch)
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// equal wants a full read to find nothing to do, and the feed to tell what the rows say.
func (k *kept) equal(db testkit.Database) {
	k.t.Helper()
	if r := testkit.Run(k.t, db.Env(k.t), "sync", "cloud", "--full"); r.Code != 0 {
		k.t.Errorf("a full run would still do something (code %d):\n%.2000s%s", r.Code, r.Stdout, r.Stderr)
	}
	doctorAgrees(k.t, db)
}

// The process is killed again and again, while it reads, between reading and writing, and while
// it writes. What it has read the next one doesn't read again; nothing is ever half applied; and
// at the end all is there.
func TestKillNineWhileSynchronising(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		cloud := startCloud(t, db, fakecloud.EntraConfig{Gen: fakecloud.Typical(2000, 60), PageLimit: 100})
		k := look(t, db)
		seed := rand.Uint64()
		t.Logf("the seed is %d", seed)
		random := rand.New(rand.NewPCG(seed, 1))
		var u []fakecloud.UserNo
		g := fakecloud.GroupNo(0)
		for round := range 2 { // the first import, then changes
			before := k.sizes()
			var seen []string
			usersRead := false
			for try := range 6 {
				cloud.ForgetRequests()
				s := startSyncing(t, db)
				at, pause := 1+random.IntN(28), 20*time.Millisecond // the request at which it dies
				if round == 1 {
					at = 1 + random.IntN(4)
				}
				if try > 3 { // when it may be comparing or writing
					at, pause = 3, 150*time.Millisecond
				}
				reached := make(chan struct{})
				cloud.After("/v1.0/", at, func() { close(reached) })
				select {
				case <-reached:
					time.Sleep(rand.N(pause))
				case <-s.ended:
				}
				_ = s.cmd.Process.Kill() // it may be gone
				<-s.ended
				if n := cloud.Requests("GET /v1.0/users"); usersRead && n > 0 {
					t.Errorf("all users were read before a kill, and then %d pages again", n)
				}
				usersRead = usersRead || cloud.Requests("GET /v1.0/groups") > 0
				seen = append(seen, k.sizes())
				k.runOut()
			}
			run := syncApply(t, db)
			after := k.sizes()
			for _, now := range seen {
				if now != before && now != after {
					t.Errorf("after a kill there were %s: neither as before (%s) nor as afterwards (%s)", now, before, after)
				}
			}
			t.Logf("round %d: %s, %q, at last %s (%s)", round, before, seen, after, run.Outcome)
			k.equal(db)
			cloud.Edit(func(e *fakecloud.Edit) {
				if round == 0 {
					g = e.CreateGroup(fakecloud.Group{Name: "made here"})
					for i := range 300 {
						u = append(u, e.CreateUser(fakecloud.User{Login: fmt.Sprint("made", i)}))
						e.AddUser(g, u[i])
					}
				}
			})
		}
	})
}

// A process that is frozen, and comes back after another one took over and wrote, writes nothing.
func TestAFrozenProcessComesBackTooLate(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		cloud := startCloud(t, db, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 50, Groups: 5, AvgMembers: 5}})
		syncApply(t, db)
		k := look(t, db)
		cloud.Edit(func(e *fakecloud.Edit) { e.CreateUser(fakecloud.User{Login: "first"}) })
		reached, goOn := make(chan struct{}), make(chan struct{})
		cloud.After("/v1.0/groups/delta", 1, func() { close(reached); <-goOn })
		frozen := startSyncing(t, db)
		select {
		case <-reached:
		case <-frozen.ended:
			t.Fatalf("the run ended early:\n%s", &frozen.output)
		}
		if err := frozen.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		close(goOn)
		k.runOut()
		cloud.Edit(func(e *fakecloud.Edit) { e.CreateUser(fakecloud.User{Login: "second"}) })
		if run := syncApply(t, db); run.Users.Created != 2 || run.Joined {
			t.Fatalf("the one that took over: %+v", run)
		}
		before := k.sizes()
		if err := frozen.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		<-frozen.ended
		if code := frozen.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(frozen.output.String(), "lease") {
			t.Errorf("the one that came back too late ended with %d:\n%s", code, &frozen.output)
		}
		if now := k.sizes(); now != before {
			t.Errorf("it wrote: %s, before %s", now, before)
		}
		k.equal(db)
	})
}

// When the disk is full while the source is read, the run fails with a sentence, the directory is
// as it was, and with room again the next run ends well.
func TestFullDiskWhileSynchronising(t *testing.T) {
	t.Parallel()
	t.Run(testkit.SQLite, func(t *testing.T) {
		t.Parallel()
		disk := smallDisk(t)
		db := testkit.NewSQLite(t)
		text, err := os.ReadFile(db.Path())
		if err != nil || os.WriteFile(disk+"/rollcall.db", text, 0o600) != nil {
			t.Fatalf("move the database to %s: %v", disk, err)
		}
		db.URL = "sqlite:" + disk + "/rollcall.db"
		cloud := startCloud(t, db, fakecloud.EntraConfig{Gen: fakecloud.Gen{Users: 1500, Groups: 20, AvgMembers: 30}})
		k := look(t, db)
		before := k.sizes()
		cloud.After("/v1.0/users", 1, func() { fill(t, disk+"/ballast") })
		r := testkit.Run(t, db.Env(t), "sync", "cloud", "--apply")
		if text := r.Stdout + r.Stderr; r.Code != 1 || !strings.Contains(text, "full") || !strings.Contains(text, "cloud") {
			t.Errorf("with a full disk the run ended with %d:\n%s", r.Code, text)
		}
		if now := k.sizes(); now != before {
			t.Errorf("there are %s, before %s", now, before)
		}
		if err := os.Remove(disk + "/ballast"); err != nil {
			t.Fatal(err)
		}
		k.runOut()
		if run := syncApply(t, db); run.Users.Created != 1500 {
			t.Errorf("with room again: %+v", run)
		}
		k.equal(db)
	})
}
