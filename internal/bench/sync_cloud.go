package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
	"github.com/rollcall-id/rollcall/models"
)

// A cloudShape says which cloud is played, and how large it is.
type cloudShape struct {
	Kind          models.Kind
	Users, Groups int
}

// A cloudState is what a cloud says of itself.
type cloudState struct {
	Users, Groups, Memberships int
	MemberPages                int               // of 200 members: what Google takes to tell all memberships
	Settings                   map[string]string // of a directory that reads it
	Violations                 []string
}

// playCloud plays a cloud until ctx ends. It has a second listener, for its state and for changes:
// the cloud itself changes by nothing that a client can ask for.
func (c cloudShape) playCloud(ctx context.Context) error {
	played, settings, err := c.start(ctx)
	if err != nil {
		return err
	}
	defer played.Close()
	turn := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		s := stateOf(played)
		s.Settings = settings
		_ = json.NewEncoder(w).Encode(s) // who doesn't get it says so
	})
	mux.HandleFunc("POST /changes", func(w http.ResponseWriter, _ *http.Request) {
		made := c.changes().make(played, turn)
		turn++
		_ = json.NewEncoder(w).Encode(made)
	})
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { control.Close() })
	fmt.Println("listens", l.Addr())
	if err := control.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// start starts the cloud, and gives the settings of a directory that reads it.
func (c cloudShape) start(ctx context.Context) (*fakecloud.Cloud, map[string]string, error) {
	const listen = "127.0.0.1:0"
	gen := fakecloud.Typical(c.Users, c.Groups)
	switch c.Kind {
	case models.KindEntra:
		e := fakecloud.NewEntra(fakecloud.EntraConfig{Gen: gen})
		err := e.Cloud.Start(ctx, listen)
		return e.Cloud, map[string]string{"tenant": e.Tenant, "client-id": e.ClientID, "client-secret": e.Secret,
			"graph-url": e.GraphURL(), "authority-url": e.AuthorityURL()}, err
	case models.KindGoogle:
		gen.Domain = "example.test"
		g := fakecloud.NewGoogle(fakecloud.GoogleConfig{Gen: gen})
		err := g.Cloud.Start(ctx, listen)
		return g.Cloud, map[string]string{"credentials": string(g.Credentials()), "subject": g.Subject(), "directory-url": g.URL}, err
	case models.KindOkta:
		o := fakecloud.NewOkta(fakecloud.OktaConfig{Gen: gen})
		err := o.Cloud.Start(ctx, listen)
		return o.Cloud, map[string]string{"org-url": o.URL, "token": o.Token}, err
	}
	return nil, nil, fmt.Errorf("nobody plays the cloud %q", c.Kind)
}

func stateOf(c *fakecloud.Cloud) (s cloudState) {
	for range c.Directory.Users() {
		s.Users++
	}
	var groups []fakecloud.GroupNo
	for g := range c.Directory.Groups() {
		groups = append(groups, g)
	}
	s.Groups, s.Violations = len(groups), c.Violations()
	for _, g := range groups {
		members := 0
		for range c.Directory.Members(g) {
			members++
		}
		s.Memberships += members
		s.MemberPages += max(1, (members+199)/200)
	}
	return s
}

// A played cloud is one that another process plays.
type played struct {
	*anchor
	shape cloudShape
	state cloudState // as it began
}

// play starts a cloud in a process of its own: its processor time is nobody's who is measured, but
// the same for both sides.
func (b *bench) play(ctx context.Context, c cloudShape) (*played, error) {
	a, err := startAnchor(ctx, "cloud", order{Cloud: c})
	if err != nil {
		return nil, err
	}
	p := &played{anchor: a, shape: c}
	if err := p.ask(ctx, http.MethodGet, "/state", &p.state); err != nil {
		p.stop()
		return nil, err
	}
	b.say("a made-up %s has %d users, %d groups, %d memberships", c.Kind, p.state.Users, p.state.Groups, p.state.Memberships)
	return p, nil
}

// end ends the cloud; it is an error if somebody asked it what no real one answers.
func (p *played) end(ctx context.Context) error {
	defer p.stop()
	var now cloudState
	if err := p.ask(ctx, http.MethodGet, "/state", &now); err != nil {
		return err
	}
	if len(now.Violations) > 0 {
		return fmt.Errorf("the made-up %s complains %d times: %s", p.shape.Kind, len(now.Violations), now.Violations[0])
	}
	return nil
}

// change makes a thousand changes.
func (p *played) change(ctx context.Context) (made changesMade, err error) {
	err = p.ask(ctx, http.MethodPost, "/changes", &made)
	return made, err
}

func (p *played) ask(ctx context.Context, method, path string, v any) error {
	r, err := http.NewRequestWithContext(ctx, method, p.url+path, nil)
	if err != nil {
		return err
	}
	got, err := client.Do(r)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if err := json.NewDecoder(got.Body).Decode(v); err != nil {
		return fmt.Errorf("%s %s of the made-up %s: %s: %w", method, path, p.shape.Kind, got.Status, err)
	}
	return nil
}
