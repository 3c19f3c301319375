package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rollcall-id/rollcall/models"
)

// demoSecretMark begins the secrets of demo clouds, so that no other file is taken for one.
const demoSecretMark = "rollcall-demo-cloud-"

// A demoSecret is the secret of a demo cloud, and the file that has it.
type demoSecret struct {
	value models.Secret
	file  string
	isNew bool
}

// demoSecretIn gives the secret that an earlier demo cloud left in a folder, so that directories
// made for that one still work; or a new one, which keep writes. A file that is none of ours is
// left alone.
func demoSecretIn(folder, name string) (*demoSecret, error) {
	file, err := filepath.Abs(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &demoSecret{value: models.Secret(demoSecretMark + rand.Text()), file: file, isNew: true}, nil
	}
	if err != nil {
		return nil, err
	}
	notOurs := fmt.Errorf("%s is there already and is not a demo cloud's; move it away, or name another folder with --out", file)
	if !info.Mode().IsRegular() || info.Size() > 1<<10 {
		return nil, notOurs
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	value := strings.TrimSuffix(string(data), "\n")
	if !strings.HasPrefix(value, demoSecretMark) || strings.ContainsAny(value, "\r\n") {
		return nil, notOurs
	}
	return &demoSecret{value: models.Secret(value), file: file}, nil
}

// keep writes a new secret to its file, for its owner only.
func (s *demoSecret) keep() error {
	if !s.isNew {
		return os.Chmod(s.file, 0o600)
	}
	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(s.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(s.value.Reveal() + "\n")
	return errors.Join(err, f.Close())
}
