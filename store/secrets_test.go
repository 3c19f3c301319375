package store_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestSealedSecretOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s, other := db.Open(t), db.Open(t)
		sealed := s.Seal("password of staff", []byte("hunter2"))
		if bytes.Contains(sealed, []byte("hunter2")) || bytes.Equal(sealed, s.Seal("password of staff", []byte("hunter2"))) {
			t.Error("want a sealed text that is unlike the secret, and another each time")
		}
		if got, err := other.Unseal("password of staff", sealed); err != nil || string(got) != "hunter2" {
			t.Errorf("with the same key and label: want hunter2, got %q, %v", got, err)
		}
		sealed[0] ^= 1
		for what, unseal := range map[string]func() ([]byte, error){
			"changed":          func() ([]byte, error) { return s.Unseal("password of staff", sealed) },
			"in another place": func() ([]byte, error) { return s.Unseal("password of partners", sealed) },
			"cut short":        func() ([]byte, error) { return s.Unseal("password of staff", sealed[:5]) },
			"empty":            func() ([]byte, error) { return s.Unseal("password of staff", nil) },
		} {
			if got, err := unseal(); err == nil {
				t.Errorf("%s: it opened as %q", what, got)
			}
		}
	})
}

func TestAnotherKeyIsRefusedAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		for what, key := range map[string][]byte{"another": bytes.Repeat([]byte{1}, store.KeySize), "too short": []byte("short"), "none": nil} {
			o := db.Options(t)
			o.Key = key
			s, err := store.Open(t.Context(), o)
			if err == nil {
				s.Close()
				t.Fatalf("%s: it was opened", what)
			}
			if what == "another" && !strings.Contains(err.Error(), "ROLLCALL_SECRET_KEY") {
				t.Errorf("want a text that names ROLLCALL_SECRET_KEY, got: %v", err)
			}
		}
	})
}

func TestSecretsAreUnreadableInTheRows(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		const secret, open = "swordfish-hunter2", "ldap.example.test"
		dir := &models.Directory{Name: "staff", Kind: models.KindInternal, Settings: map[string]string{"password": secret, "host": open}}
		secrets := map[string]bool{"password": true}
		write(t, s, func(tx *store.Tx) error {
			if err := tx.CreateDirectory(dir, secrets); err != nil {
				return err
			}
			if err := tx.SaveDirectory(dir, dir, secrets); err != nil {
				return err
			}
			return tx.Post(&models.OutboxItem{Kind: "letter", Recipient: "ada@example.test", Payload: []byte(`{"code":"` + secret + `"}`)})
		})

		var all strings.Builder
		for _, rows := range db.Contents(t) {
			all.WriteString(strings.Join(rows, "\n"))
		}
		if !strings.Contains(all.String(), open) || strings.Contains(all.String(), secret) {
			t.Error("want the host in the rows, and not the secret")
		}
		if db.Kind == testkit.SQLite {
			for _, path := range []string{db.Path(), db.Path() + "-wal"} {
				file, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(file, []byte(secret)) || bytes.Contains(file, []byte("c3dvcmRmaXNo")) {
					t.Errorf("the secret can be read in %s", path)
				}
			}
		}
		got, err := s.DirectoryByName(t.Context(), "staff")
		if err != nil || got.Settings["password"] != secret {
			t.Errorf("want the secret back, got %v, %v", got, err)
		}
	})
}
