package main

import (
	"context"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// startDemoOkta starts a fake Okta org, which takes one API token.
func startDemoOkta(ctx context.Context, gen fakecloud.Gen, listen, out string) (*demoCloud, error) {
	token, err := demoSecretIn(out, "okta-token")
	if err != nil {
		return nil, err
	}
	o := fakecloud.NewOkta(fakecloud.OktaConfig{Gen: gen, Open: true, Token: token.value.Reveal()})
	if err := o.Cloud.Start(ctx, listen); err != nil {
		return nil, err
	}
	if err := token.keep(); err != nil {
		o.Close()
		return nil, err
	}
	o.URL = reachable(o.URL)
	return &demoCloud{Cloud: o.Cloud, called: "Okta org", name: "ok", file: token.file,
		takes:  "Its API token is in",
		create: []string{"--set org-url=" + o.URL, "--set-file token=" + quotedArg(token.file)},
	}, nil
}
