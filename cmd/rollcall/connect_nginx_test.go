package main_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An nginx serves the files of a page: Debian's program, with everything that it reads and writes
// under one folder.
type nginx struct {
	address string
	dir     string

	cmd    *exec.Cmd // nil: it doesn't run
	files  int       // with how many it was started
	output bytes.Buffer
	ended  chan struct{}
}

// serve starts nginx once there are files for it, and again when there are more.
func (n *nginx) serve(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(n.dir, "/etc/nginx/conf.d/*.conf"))
	if err != nil || len(files) == n.files {
		return
	}
	if n.cmd == nil {
		n.prepare(t)
		t.Cleanup(func() {
			n.stop()
			if t.Failed() {
				t.Logf("nginx says:\n%s", n.output.String())
			}
		})
	} else {
		n.stop()
	}
	n.files = len(files)
	n.ended = make(chan struct{})
	n.cmd = exec.Command(nginxProgram(t), "-p", n.dir, "-c", filepath.Join(n.dir, "nginx.conf"), "-e", "stderr")
	n.cmd.Stdout, n.cmd.Stderr = &n.output, &n.output
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(n.cmd, n.ended)
	n.untilItAnswers(t)
}

func (n *nginx) untilItAnswers(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", n.address)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-n.ended:
			t.Fatalf("nginx ended:\n%s", n.output.String())
		default:
			if time.Now().After(deadline) {
				t.Fatalf("nginx does not answer: %v", err)
			}
		}
	}
}

// stop ends nginx and waits for it.
func (n *nginx) stop() {
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-n.ended:
	case <-time.After(20 * time.Second):
		_ = n.cmd.Process.Kill()
		<-n.ended
	}
}

// nginxProgram finds nginx, also for those who don't have /usr/sbin in their PATH.
func nginxProgram(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("nginx is missing; this page is played with it. On Debian or Ubuntu:\n" +
		"  sudo apt-get update && sudo apt-get install -y --no-install-recommends nginx libnginx-mod-http-js")
	return ""
}

// prepare writes Debian's main file as far as it matters, and a certificate.
func (n *nginx) prepare(t *testing.T) {
	t.Helper()
	writeCertificate(t, filepath.Join(n.dir, certificateFile), filepath.Join(n.dir, certificateKeyFile))
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("    %s_temp_path %s/tmp-%s;\n", kind, n.dir, kind)
	}
	owner := "" // a worker of root's nginx would be somebody else, who can't read the folder
	if os.Getuid() == 0 {
		owner = "user root;\n"
	}
	text := owner + strings.NewReplacer("DIR", n.dir, "TEMP", temp).Replace(`daemon off;
include /etc/nginx/modules-enabled/*.conf;
pid DIR/nginx.pid;
events {}
http {
TEMP    access_log off;
    include DIR/etc/nginx/conf.d/*.conf;
}
`)
	if err := os.WriteFile(filepath.Join(n.dir, "nginx.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// Debian's modules are named relative to the folder that nginx was told.
	if err := os.Symlink("/usr/lib/nginx/modules", filepath.Join(n.dir, "modules")); err != nil {
		t.Fatal(err)
	}
}

// writeCertificate writes a certificate for the pages' hosts that signs itself.
func writeCertificate(t *testing.T, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: webHosts[0]}, DNSNames: webHosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
