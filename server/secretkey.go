package server

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ResolveSecretKey gives the key that seals secrets at rest, and says where it came from. Without
// a key in the settings it is the one in a file that is made once: beside a SQLite database, or
// in the data folder. Processes that start at the same moment agree on one key.
//
// It has to be called before the database is opened: a SQLite file that exists while its key
// file doesn't is a restored copy, or one whose key was in the settings, and a new key would be
// of no use to it.
func ResolveSecretKey(c Config) (key []byte, from string, err error) {
	if c.SecretKey != "" {
		key, err = decodeKey(c.SecretKey.Reveal())
		if err != nil {
			return nil, "", fmt.Errorf("secret-key %w", err)
		}
		return key, "setting secret-key", nil
	}
	file := keyFile(c)
	hadDatabase := databaseExists(c) // asked before the key is: whoever makes both makes the key first
	key, err = readKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		if hadDatabase {
			return nil, "", fmt.Errorf("the database %q exists, and the key of its secrets is missing: put its file %q back, or set %s",
				c.DatabaseURL, file, envName("secret-key"))
		}
		if err = makeKey(file); err == nil {
			key, err = readKey(file)
		}
	}
	if err != nil {
		return nil, "", err
	}
	return key, "file " + file, nil
}

// keyFile names the file of the key.
func keyFile(c Config) string {
	if database, ok := c.DatabaseURL.SQLitePath(); ok {
		return database + ".key"
	}
	return filepath.Join(c.DataDir, "secret.key")
}

func databaseExists(c Config) bool {
	database, ok := c.DatabaseURL.SQLitePath()
	if !ok {
		return false // whether a PostgreSQL database is ours, its key's fingerprint tells
	}
	info, err := os.Stat(database)
	return err == nil && info.Size() > 0
}

// readKey reads a key file that nobody else may read.
func readKey(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the secret key %q is no ordinary file", file)
	}
	// Windows keeps permissions elsewhere and reports 0666 for every file.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("the secret key %q can be read by others (mode %04o); run `chmod 600 %s`, and think about who has read it", file, mode, file)
	}
	var data [1 << 10]byte
	n, err := f.Read(data[:])
	if err != nil && n == 0 && info.Size() > 0 {
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	key, err := decodeKey(strings.TrimSpace(string(data[:n])))
	if err != nil {
		return nil, fmt.Errorf("the secret key %q %w; put the right file back: without it the secrets in the database are lost", file, err)
	}
	return key, nil
}

// makeKey makes a key file unless there is one. The file appears under its name complete or not
// at all: a link never replaces what another process has put there first.
func makeKey(file string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("make the secret key %q (or set %s): %w", file, envName("secret-key"), err)
		}
	}()
	folder := filepath.Dir(file)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	draft, err := writeDraft(folder)
	if err != nil {
		return err
	}
	defer os.Remove(draft)
	if err := os.Link(draft, file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(folder)
}

// writeDraft writes a random key into a file with a name of its own; os.CreateTemp gives it
// mode 0600 and lets no other file be taken for it.
func writeDraft(folder string) (name string, err error) {
	f, err := os.CreateTemp(folder, ".key-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(f.Name())
		}
	}()
	var key [secretKeyBytes]byte
	rand.Read(key[:])
	if _, err := f.WriteString(base64.StdEncoding.EncodeToString(key[:]) + "\n"); err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
}

// syncFolder makes a new name in the folder survive a power cut: a database sealed with a key
// that is gone would be worth nothing.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // folders can't be opened there
	}
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
