package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rollcall-id/rollcall/internal/fakecloud"
)

// startDemoGoogle starts a fake Google Workspace, which takes one service account.
func startDemoGoogle(ctx context.Context, gen fakecloud.Gen, listen, out string) (*demoCloud, error) {
	file, err := filepath.Abs(filepath.Join(out, "service-account.json"))
	if err != nil {
		return nil, err
	}
	key, err := demoGoogleKey(file)
	if err != nil {
		return nil, err
	}
	gen.Domain = "example.test"
	g := fakecloud.NewGoogle(fakecloud.GoogleConfig{Gen: gen, Open: true, Key: key})
	if err := g.Cloud.Start(ctx, listen); err != nil {
		return nil, err
	}
	g.URL = reachable(g.URL)
	if err := keepCredentials(file, g.Credentials()); err != nil {
		g.Close()
		return nil, err
	}
	return &demoCloud{Cloud: g.Cloud, called: "Google Workspace", name: "ws", file: file,
		takes: "It takes any administrator, with the service account's key in", create: []string{
			"--set-file credentials=" + quotedArg(file), "--set subject=" + g.Subject(),
			"--set customer=my_customer", "--set directory-url=" + g.URL,
		}}, nil
}

// demoGoogleKey gives the key that an earlier demo cloud left in a file, so that directories made
// for that one still work, or a new one. A file that is none of ours is left alone.
func demoGoogleKey(file string) (*rsa.PrivateKey, error) {
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fakecloud.NewGoogleKey(), nil
	}
	if err != nil {
		return nil, err
	}
	notOurs := fmt.Errorf("%s is there already and is not a demo cloud's; move it away, or name another folder with --out", file)
	if !info.Mode().IsRegular() || info.Size() > 16<<10 {
		return nil, notOurs
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var before struct {
		Email string `json:"client_email"`
		Key   string `json:"private_key"`
	}
	if json.Unmarshal(data, &before) != nil || before.Email != fakecloud.GoogleAccount {
		return nil, notOurs
	}
	block, _ := pem.Decode([]byte(before.Key))
	if block == nil {
		return nil, notOurs
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, notOurs
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, notOurs
	}
	return key, nil
}

// keepCredentials writes the key file, for its owner only; in place of that of a demo cloud that
// answered at another address.
func keepCredentials(file string, credentials []byte) error {
	if before, err := os.ReadFile(file); err == nil && bytes.Equal(before, credentials) {
		return os.Chmod(file, 0o600)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	beside, err := os.CreateTemp(filepath.Dir(file), ".service-account-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = beside.Write(credentials)
	if err = errors.Join(err, beside.Close()); err == nil {
		err = os.Rename(beside.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside.Name()))
	}
	return nil
}
