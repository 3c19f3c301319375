package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// A demoCloud is a fake cloud that answers, and what somebody needs to sync from it.
type demoCloud struct {
	*fakecloud.Cloud
	called string   // what it plays
	name   string   // of the directory in the lines to paste
	file   string   // where its secret is
	takes  string   // who may come with it: a sentence that ends with the file
	create []string // the settings of a directory that reads it, as flags
}

// demoClouds are the providers that demo-cloud can play: where each listens unless it is told,
// and how it is started.
var demoClouds = map[string]struct {
	listen string
	start  func(ctx context.Context, gen fakecloud.Gen, listen, out string) (*demoCloud, error)
}{
	"entra":  {"127.0.0.1:9701", startDemoEntra},
	"google": {"127.0.0.1:9702", startDemoGoogle},
	"okta":   {"127.0.0.1:9703", startDemoOkta},
}

type demoCloudObject struct {
	Provider string   `json:"provider" doc:"what it plays"`
	URL      string   `json:"url" doc:"where it answers"`
	File     string   `json:"file" doc:"the file with the secret"`
	Lines    []string `json:"lines" doc:"the commands that sync from it"`
}

func demoCloudCommand(p *program) *cobra.Command {
	var provider, listen, out string
	var users, groups int
	var remote bool
	var every time.Duration
	providers := slices.Sorted(maps.Keys(demoClouds))
	cmd := &cobra.Command{
		Use: "demo-cloud", Short: "Play a cloud directory of made-up people, to try a sync with", Args: takes(0, 0),
		Long: `Play a cloud directory of made-up people, until it is told to stop (SIGTERM, or Ctrl-C), and
print the lines that sync from it. It takes any tenant and any client with the secret that it
writes to a file; the same file is used again at the next start.

It listens on --listen ADDRESS, by default 127.0.0.1 and port 9701 (entra), 9702 (google) or
9703 (okta). An address that others can reach is refused without --allow-remote. The people are
the same at each start, and nothing changes unless --changes-every is given.`,
		Example: "  rollcall demo-cloud --provider entra --users 5000 --groups 200\n  rollcall demo-cloud --out /tmp --changes-every 30s",
	}
	cmd.RunE = p.alone(func(ctx context.Context, _ *cobra.Command, _ []string) error {
		known, ok := demoClouds[provider]
		switch {
		case !ok:
			return wrongUsage("", "--provider: there is no %q; choose one of %s", provider, strings.Join(providers, ", "))
		case users < 0 || groups < 0 || users > 10_000_000 || groups > 1_000_000:
			return wrongUsage("", "--users can be up to 10000000, --groups up to 1000000")
		case every < 0:
			return wrongUsage("", "--changes-every: %v is no length of time to wait", every)
		}
		listen = cmp.Or(listen, known.listen)
		if !remote && !isLoopback(listen) {
			return wrongUsage("it has a secret that others may read in an open terminal; add --allow-remote if you mean it",
				"--listen: %q can be reached by others", listen)
		}
		cloud, err := known.start(ctx, fakecloud.Typical(users, groups), listen, out)
		if err != nil {
			return err
		}
		defer cloud.Close()
		if err := p.showDemoCloud(provider, cloud, users, groups, !remote); err != nil {
			return err
		}
		p.playDays(ctx, cloud, every)
		return nil
	})
	flags := cmd.Flags()
	flags.StringVar(&provider, "provider", "entra", "the `NAME` of the cloud to play: "+strings.Join(providers, ", "))
	flags.IntVar(&users, "users", 5000, "how many users it has")
	flags.IntVar(&groups, "groups", 200, "how many groups it has; a group has 50 members on average")
	flags.StringVar(&listen, "listen", "", "the `ADDRESS` to listen on")
	flags.BoolVar(&remote, "allow-remote", false, "let other machines reach it")
	flags.StringVar(&out, "out", ".", "the `DIR` to write the file with the secret to")
	flags.DurationVar(&every, "changes-every", 0, "how often something small changes, as in 30s; 0 is never")
	return p.answersJSON(cmd, demoCloudObject{})
}

// showDemoCloud says where the cloud is and how to sync from it.
func (p *program) showDemoCloud(provider string, cloud *demoCloud, users, groups int, local bool) error {
	o := demoCloudObject{Provider: provider, URL: cloud.URL, File: cloud.file, Lines: []string{
		"rollcall directory create " + cloud.name + " --kind " + provider + " " + strings.Join(cloud.create, " "),
		"rollcall sync " + cloud.name,
		"rollcall sync " + cloud.name + " --apply",
	}}
	return p.show(o, func(w *sheet) {
		w.text(fmt.Sprintf("A made-up %s with %d users and %d groups answers at %s.", cloud.called, users, groups, o.URL))
		if local {
			w.text("Nobody but this machine can reach it. Stop it with Ctrl-C.")
		}
		w.text(cloud.takes + " " + o.File + ".")
		w.text("")
		w.text("Paste these into another terminal:")
		w.text("")
		for _, line := range o.Lines {
			w.text(line)
		}
	})
}

// playDays waits for the end, and changes something every now and then.
func (p *program) playDays(ctx context.Context, cloud *demoCloud, every time.Duration) {
	var tick <-chan time.Time
	if every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
			p.note("%s", cloud.Everyday())
		}
	}
}

// isLoopback says whether host:port can be reached from this machine only.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// reachable is the address under which this machine reaches a cloud that listens on all of its
// addresses.
func reachable(base string) string {
	for _, all := range []string{"://0.0.0.0:", "://[::]:"} {
		base = strings.Replace(base, all, "://127.0.0.1:", 1)
	}
	return base
}

// startDemoEntra starts a fake Entra ID.
func startDemoEntra(ctx context.Context, gen fakecloud.Gen, listen, out string) (*demoCloud, error) {
	secret, err := demoSecretIn(out, "entra-client-secret")
	if err != nil {
		return nil, err
	}
	e := fakecloud.NewEntra(fakecloud.EntraConfig{Gen: gen, Open: true, Secret: secret.value.Reveal()})
	if err := e.Cloud.Start(ctx, listen); err != nil {
		return nil, err
	}
	if err := secret.keep(); err != nil {
		e.Close()
		return nil, err
	}
	e.URL = reachable(e.URL)
	return &demoCloud{Cloud: e.Cloud, called: "Entra ID", name: "cloud", file: secret.file,
		takes: "It takes any tenant and any client, with the secret in", create: []string{
			"--set tenant=" + e.Tenant, "--set client-id=" + e.ClientID, "--set-file client-secret=" + quotedArg(secret.file),
			"--set graph-url=" + e.GraphURL(), "--set authority-url=" + e.AuthorityURL(),
		}}, nil
}
