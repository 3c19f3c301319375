package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/models"
)

func TestCertificate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name         string
		begins, ends time.Time
		note, want   string
	}{
		{"good for long", now.AddDate(0, -1, 0), now.AddDate(0, 3, 0), "it ends on 2026-06-02", ""},
		{"near its end", now.AddDate(0, -2, 0), now.AddDate(0, 0, 10), "", "ends on 2026-03-12, in 10 days"},
		{"over", now.AddDate(0, -2, 0), now.AddDate(0, 0, -1), "", "ended on 2026-03-01"},
		{"not begun", now.AddDate(0, 0, 1), now.AddDate(1, 0, 0), "", "is valid from 2026-03-03 only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var f Finding
			if err := certificate(t.Context(), &Case{Certificate: makeCertificate(t, c.begins, c.ends), Now: now}, &f); err != nil {
				t.Fatal(err)
			}
			if f.Note != c.note {
				t.Errorf("want the note %q, got %q", c.note, f.Note)
			}
			if got := fmt.Sprint(f.Problems); (c.want == "") != (len(f.Problems) == 0) || !strings.Contains(got, c.want) {
				t.Errorf("want the problem %q, got %s", c.want, got)
			}
		})
	}
}

func makeCertificate(t *testing.T, begins, ends time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begins, NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPrivateFiles(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "rollcall.db")
	for mode, problems := range map[os.FileMode]int{0o600: 0, 0o400: 0, 0o640: 1, 0o604: 1} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		var f Finding
		if err := privateFiles(t.Context(), &Case{Private: []string{name, name + ".missing"}}, &f); err != nil {
			t.Fatal(err)
		}
		if len(f.Problems) != problems {
			t.Errorf("mode %04o: want %d problems, got %v", mode, problems, f.Problems)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFindCircle(t *testing.T) {
	t.Parallel()
	type graph = map[models.ID][]models.ID
	for _, c := range []struct {
		name   string
		inside graph
		want   string
	}{
		{"nothing", graph{}, "[]"},
		{"a tree", graph{1: {2, 3}, 2: {4}, 3: {5}}, "[]"},
		{"two ways to one group", graph{1: {2, 3}, 2: {4}, 3: {4}}, "[]"},
		{"itself", graph{1: {1}}, "[1 1]"},
		{"two", graph{1: {2}, 2: {1}}, "[1 2 1]"},
		{"below others", graph{1: {2}, 2: {3, 4}, 4: {5}, 5: {2}}, "[2 4 5 2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := fmt.Sprint(findCircle(c.inside)); got != c.want {
				t.Errorf("want %s, got %s", c.want, got)
			}
		})
	}
}

// A long chain of groups is walked without running out of stack, and once only.
func TestFindCircleInALongChain(t *testing.T) {
	t.Parallel()
	inside := map[models.ID][]models.ID{}
	const length = 200_000
	for i := models.ID(1); i < length; i++ {
		inside[i] = []models.ID{i + 1}
	}
	if got := findCircle(inside); got != nil {
		t.Errorf("want no circle, got %v", got)
	}
	inside[length] = []models.ID{1}
	if got := findCircle(inside); len(got) != length+1 {
		t.Errorf("want a circle of all, got %d", len(got))
	}
}
