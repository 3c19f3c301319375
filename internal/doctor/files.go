package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"
)

// privateFiles looks at who may read the database's file and the key that seals its secrets.
// Windows keeps permissions elsewhere.
func privateFiles(_ context.Context, c *Case, f *Finding) error {
	if c.Key != "" {
		f.Note = "the secret key is from " + c.Key
	}
	for _, name := range c.Private {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
			f.problem("chmod 600 "+name+", and think about who has read it", "others may read or write %s (mode %04o)", name, mode)
		}
	}
	return nil
}

// nearEnd is when a certificate's end becomes a problem.
const nearEnd = 30 * 24 * time.Hour

// certificate looks at the server's certificate, the first in its file.
func certificate(_ context.Context, c *Case, f *Finding) error {
	if c.Certificate == "" {
		f.Note = "the server has none (tls-cert-file)"
		return nil
	}
	leaf, err := readCertificate(c.Certificate)
	if err != nil {
		f.problem("put the certificate chain there, in PEM", "the certificate can't be read: %v", err)
		return nil
	}
	end := leaf.NotAfter.UTC().Format(time.DateOnly)
	const renew = "renew it; a running server takes the new files by itself"
	switch {
	case c.Now.Before(leaf.NotBefore):
		f.problem("look at this machine's clock, or at who issued it", "the certificate in %s is valid from %s only", c.Certificate, leaf.NotBefore.UTC().Format(time.DateOnly))
	case !c.Now.Before(leaf.NotAfter):
		f.problem(renew, "the certificate in %s ended on %s", c.Certificate, end)
	case leaf.NotAfter.Sub(c.Now) < nearEnd:
		f.problem(renew, "the certificate in %s ends on %s, in %d days", c.Certificate, end, int(leaf.NotAfter.Sub(c.Now).Hours()/24))
	default:
		f.Note = "it ends on " + end
	}
	return nil
}

func readCertificate(name string) (*x509.Certificate, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return nil, fmt.Errorf("%s has no certificate in PEM", name)
}
