package server

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestSecretKeyFromTheSettings(t *testing.T) {
	key, from, err := ResolveSecretKey(Config{SecretKey: aKey})
	if err != nil || string(key) != strings.Repeat("A", 32) || from != "setting secret-key" {
		t.Error(key, from, err)
	}
	// The other alphabet of base64, and no padding.
	url := strings.Repeat("_-", 21) + "8"
	standard := strings.Repeat("/+", 21) + "8="
	a, err := decodeKey(url)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := decodeKey(standard); err != nil || !bytes.Equal(a, b) {
		t.Error(a, b, err)
	}
}

func TestSecretKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		database DatabaseURL
		dataDir  string
		want     string
	}{
		{"beside the SQLite file", "sqlite:IN/new/rollcall.db?_pragma=x", "IN/other", "IN/new/rollcall.db.key"},
		{"in the data folder", "postgres://db/x", "IN/new/data", "IN/new/data/secret.key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := strings.NewReplacer("IN", t.TempDir())
			c := Config{DatabaseURL: DatabaseURL(in.Replace(string(test.database))), DataDir: in.Replace(test.dataDir)}
			key, from, err := ResolveSecretKey(c)
			file := in.Replace(test.want)
			if err != nil || len(key) != 32 || from != "file "+file {
				t.Fatal(key, from, err)
			}
			for name, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
				if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: want mode %v, got %v, %v", name, want, info.Mode(), err)
				}
			}
			if again, _, err := ResolveSecretKey(c); err != nil || !bytes.Equal(key, again) {
				t.Error("the second start has another key", err)
			}
			if files, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".key-*")); len(files) > 0 {
				t.Error("left behind", files)
			}
		})
	}
}

func TestProcessesThatStartTogetherAgreeOnOneKey(t *testing.T) {
	t.Parallel()
	c := Config{DatabaseURL: DatabaseURL("sqlite:" + filepath.Join(t.TempDir(), "a", "b", "rollcall.db"))}
	keys := make([][]byte, 16)
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			key, _, err := ResolveSecretKey(c)
			if err != nil {
				t.Error(err)
			}
			keys[i] = key
		})
	}
	group.Wait()
	for _, key := range keys[1:] {
		if !bytes.Equal(keys[0], key) {
			t.Fatal("two keys")
		}
	}
}

func TestSecretKeyFileThatIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		content string
		mode    os.FileMode
		want    string
	}{
		{"readable by the group", aKey, 0o640, "chmod 600"},
		{"readable by all", aKey, 0o644, "mode 0644"},
		{"empty", "", 0o600, "32 bytes in base64"},
		{"too short", "QUFB", 0o600, "32 bytes in base64"},
		{"too long", aKey[:43] + aKey, 0o600, "32 bytes in base64"},
		{"something else", strings.Repeat("x", 4000), 0o600, "put the right file back"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			database := filepath.Join(t.TempDir(), "rollcall.db")
			write(t, database+".key", test.content)
			if err := os.Chmod(database+".key", test.mode); err != nil {
				t.Fatal(err)
			}
			_, _, err := ResolveSecretKey(Config{DatabaseURL: DatabaseURL("sqlite:" + database)})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want %q, got %v", test.want, err)
			}
			if err != nil && test.content != "" && strings.Contains(err.Error(), test.content) {
				t.Errorf("the key is in the message: %v", err)
			}
		})
	}
}

// A database without its key file was copied without it, or its key was in the settings: a new
// key would only look like the right one.
func TestNoNewKeyForAnOldDatabase(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "rollcall.db")
	write(t, database, "SQLite format 3")
	_, _, err := ResolveSecretKey(Config{DatabaseURL: DatabaseURL("sqlite:" + database)})
	if err == nil || !strings.Contains(err.Error(), "ROLLCALL_SECRET_KEY") || !strings.Contains(err.Error(), "rollcall.db.key") {
		t.Error(err)
	}
	if _, err := os.Stat(database + ".key"); err == nil {
		t.Error("a key was made")
	}
}

func TestSecretKeyThatCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	_, _, err := ResolveSecretKey(Config{DatabaseURL: DatabaseURL("sqlite:" + file + "/rollcall.db")})
	if err == nil || !strings.Contains(err.Error(), "secret key") {
		t.Error(err)
	}
}
