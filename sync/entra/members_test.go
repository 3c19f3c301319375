package entra_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	dirsync "github.com/rollcall-id/rollcall/sync"
)

// The pages on which large groups go on come one by one. When none comes any more, the run ends,
// instead of asking once for each group.
func TestAnOutageAfterTheFirstPagesEndsTheRun(t *testing.T) {
	t.Parallel()
	cloud := startEntra(t, fakecloud.EntraConfig{PageLimit: 2})
	var ids []string
	cloud.Edit(func(e *fakecloud.Edit) {
		for range 3 {
			e.CreateUser(fakecloud.User{Login: "a@contoso.example"})
		}
		for n := range 300 {
			g := e.CreateGroup(fakecloud.Group{Name: fmt.Sprint(n)})
			ids = append(ids, cloud.GroupID(g))
			for u := range fakecloud.UserNo(3) {
				e.AddUser(g, u)
			}
		}
	})
	cloud.Fail(fakecloud.Fault{Path: "^/v1.0/groups/[^/]+/members.*skiptoken", Do: fakecloud.Unavailable, Times: -1})
	o := optionsFor(cloud)
	o.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	err := newSource(t, o).Members(t.Context(), ids, func(dirsync.Members) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "had to be repeated") {
		t.Errorf("want the end of the run, got %v", err)
	}
	if n := cloud.Requests(""); n > 150 {
		t.Errorf("it was asked %d times before it was given up", n)
	}
}
