package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// slapdPlaces are where Debian has slapd's programs, which the PATH of an ordinary user leaves out.
const slapdPlaces = "/usr/sbin/"

func slapdProgram(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	path, err := exec.LookPath(slapdPlaces + name)
	if err != nil {
		err = fmt.Errorf("%s is missing: run `make bench`, which installs it", name)
	}
	return path, err
}

func slapdVersion() string {
	path, err := slapdProgram("slapd")
	if err != nil {
		return "no slapd"
	}
	out, _ := exec.Command(path, "-VV").CombinedOutput() // it ends with 1 after it told
	line, _, _ := strings.Cut(strings.TrimPrefix(string(out), "@(#) $"), "(")
	return strings.TrimSpace(line)
}

// slapdConfig is OpenLDAP as it is set up for looking people up: the mdb backend, everything in
// memory, an index on what is asked for.
const slapdConfig = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
loglevel 0
database mdb
maxsize 4294967296
suffix "dc=bench"
directory %s
index objectClass eq
index uid eq
`

// A slapd is a running OpenLDAP with a world's users.
type slapd struct {
	*process
	url string
	dir string
}

// startSlapd fills and starts one.
func (w *world) startSlapd(ctx context.Context) (s *slapd, err error) {
	s = &slapd{dir: filepath.Join(w.dir, "slapd")}
	config, people, db := filepath.Join(s.dir, "slapd.conf"), filepath.Join(s.dir, "people.ldif"), filepath.Join(s.dir, "db")
	if err := os.MkdirAll(db, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(config, fmt.Appendf(nil, slapdConfig, db), 0o600); err != nil {
		return nil, err
	}
	if err := w.writeLDIF(people); err != nil {
		return nil, err
	}
	add, err := slapdProgram("slapadd")
	if err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, add, "-q", "-f", config, "-l", people).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("slapadd: %w\n%s", err, out)
	}
	program, err := slapdProgram("slapd")
	if err != nil {
		return nil, err
	}
	address, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	s.url = "ldap://" + address
	// With this level it stays in the foreground and tells nothing of requests.
	s.process, err = launch(ctx, exec.Command(program, "-d", "none", "-f", config, "-h", s.url),
		func(line string) bool { return strings.Contains(line, "slapd starting") })
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, conn.Close()
}

// writeLDIF writes the world's users as slapadd reads them.
func (w *world) writeLDIF(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	fmt.Fprint(b, "dn: dc=bench\nobjectClass: dcObject\nobjectClass: organization\ndc: bench\no: bench\n\ndn: ou=people,dc=bench\nobjectClass: organizationalUnit\nou: people\n")
	for u := range w.users {
		name, first, last := userName(u), firstName(u), lastName(u)
		fmt.Fprintf(b, "\ndn: uid=%[1]s,ou=people,dc=bench\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: %[2]s %[3]s\ngivenName: %[2]s\nsn: %[3]s\n"+
			"displayName: %[2]s %[3]s\nmail: %[1]s@example.test\nemployeeNumber: 00000000-0000-4000-8000-%012[4]d\nemployeeType: active\n", name, first, last, u)
	}
	return errors.Join(b.Flush(), f.Close())
}

// search looks users up by uid, one after the other on each of so many connections, and gives how
// many were found; each user is one of names.
func (s *slapd) search(ctx context.Context, connections int, names []string) (found int, err error) {
	var group errgroup.Group
	each := make([]int, connections)
	for i := range connections {
		group.Go(func() error {
			file, err := os.CreateTemp(s.dir, "names-*")
			if err != nil {
				return err
			}
			defer os.Remove(file.Name())
			var mine []string
			for n := i; n < len(names); n += connections {
				mine = append(mine, names[n])
			}
			_, err = file.WriteString(strings.Join(mine, "\n") + "\n")
			if err := errors.Join(err, file.Close()); err != nil {
				return err
			}
			out, err := s.ask(ctx, "-f", file.Name(), "(uid=%s)")
			each[i] = bytes.Count(out, []byte("\nuid: "))
			return err
		})
	}
	err = group.Wait()
	for _, n := range each {
		found += n
	}
	return found, err
}

// ask runs ldapsearch for what a user is in Crowd's API.
func (s *slapd) ask(ctx context.Context, arguments ...string) ([]byte, error) {
	arguments = append([]string{"-x", "-LLL", "-o", "ldif-wrap=no", "-H", s.url, "-b", "ou=people,dc=bench"}, arguments...)
	arguments = append(arguments, "uid", "givenName", "sn", "displayName", "mail", "employeeNumber", "employeeType")
	cmd := exec.CommandContext(ctx, "ldapsearch", arguments...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("ldapsearch: %w\n%s", err, stderr.String())
	}
	return out, err
}
