package main_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/testkit"
)

// These tests run the pages of docs/connect: what somebody would type, word for word, against
// the real program. What a fenced block is stands behind its language:
//
//	sh run            commands; all must succeed
//	text output       what the block before it prints; "…" stands for anything
//	sh settings       settings of the server
//	nginx file=PATH   a file; nginx runs when there are some (js file=PATH likewise)
//
// All other blocks are only shown. Every page begins where the blocks of docs/connect/README.md
// under "The commands assume" end. $PASSWORD is the last password that a command has told.

const connectDocs = "../../docs/connect"

func TestConnectPages(t *testing.T) {
	t.Parallel()
	for _, page := range connectPages(t) {
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			t.Parallel()
			runPage(t, page)
		})
	}
}

func connectPages(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(connectDocs, "*.md"))
	if err != nil || len(pages) < 14 {
		t.Fatalf("there are %d pages (%v)", len(pages), err)
	}
	return pages
}

// A block is one fenced block of a page.
type block struct {
	language string
	role     string // run, output, settings, file=…; empty: only shown
	text     string
	line     int
}

func blocks(t *testing.T, page string) (found []block) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	for i, line := range strings.Split(string(text), "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			language, role, _ := strings.Cut(info, " ")
			open = &block{language: language, role: role, line: i + 1}
		case fence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: the block does not end", page, open.line)
	}
	return found
}

// A stage is where a page is played: a server, a folder, and what curl must know to find it
// under the addresses that the page uses.
type stage struct {
	t        *testing.T
	page     string
	dir      string // what is under / on the machine of the page is under this
	env      []string
	server   *testkit.Server
	password string
	changed  time.Time // when a command changed something last
	web      string    // where nginx listens, once there are files for it
	nginx    *nginx
}

func runPage(t *testing.T, page string) {
	s := newStage(t, page)
	assumed := blocks(t, filepath.Join(connectDocs, "README.md"))
	if filepath.Base(page) != "README.md" {
		s.run(assumed[0], nil)
	}
	list := blocks(t, page)
	for i, b := range list {
		switch file, isFile := strings.CutPrefix(b.role, "file="); {
		case isFile:
			s.write(file, b.text)
		case b.role == "run":
			var want *block
			if i+1 < len(list) && list[i+1].role == "output" {
				want = &list[i+1]
			}
			s.nginx.serve(t)
			s.run(b, want)
		}
	}
	if s.nginx.cmd != nil {
		const logged = "auth request unexpected status: 500 while sending to client"
		s.nginx.stop()
		if said := s.nginx.output.String(); !strings.Contains(said, logged) || !strings.Contains(readText(t, page), "`"+logged+"`") {
			t.Errorf("the page's first likely error is not what nginx logs:\n%s", said)
		}
	}
}

func newStage(t *testing.T, page string) *stage {
	t.Helper()
	db := testkit.NewSQLite(t)
	s := &stage{t: t, page: page, dir: t.TempDir()}
	var settings []string
	for _, b := range blocks(t, page) {
		if b.role == "settings" {
			settings = append(settings, strings.Fields(b.text)...)
		}
	}
	program := filepath.Dir(testkit.Binary(t))
	s.server = testkit.StartServer(t, db, settings)
	s.web = freeAddress(t)
	s.env = append(db.Env(t), "HOME="+s.dir, "LC_ALL=C.UTF-8", "PATH="+program+string(filepath.ListSeparator)+realPath(t))
	s.nginx = &nginx{address: s.web, dir: s.dir}
	s.write("/.curlrc", s.curlrc())
	s.write("/var/www/html/index.html", "This is the wiki.\n")
	return s
}

// realPath is PATH without the folder of TestScripts, which has a curl of its own.
func realPath(t *testing.T) string {
	t.Helper()
	folders := slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool {
		return strings.Contains(dir, "testscript-main")
	})
	for _, dir := range folders {
		if _, err := exec.LookPath(filepath.Join(dir, "curl")); err == nil {
			return strings.Join(folders, string(filepath.ListSeparator))
		}
	}
	t.Fatal("curl is missing. On Debian or Ubuntu: sudo apt-get install -y --no-install-recommends curl ca-certificates")
	return ""
}

// curlrc sends curl to where the page's addresses are on this machine.
func (s *stage) curlrc() string {
	lines := fmt.Sprintf("connect-to = \"127.0.0.1:8095:%s\"\n", strings.TrimPrefix(s.server.URL, "http://"))
	for _, host := range webHosts {
		lines += fmt.Sprintf("connect-to = \"%s:443:%s\"\n", host, s.web)
	}
	return lines + fmt.Sprintf("cacert = \"%s\"\n", filepath.Join(s.dir, certificateFile))
}

var webHosts = []string{"id.example.com", "wiki.example.com", "files.example.com"}

const certificateFile, certificateKeyFile = "/etc/ssl/certs/id.example.com.pem", "/etc/ssl/private/id.example.com.key"

// write writes a file of the page, with the page's addresses and folders made this machine's.
func (s *stage) write(path, text string) {
	s.t.Helper()
	if strings.HasPrefix(path, "/etc/nginx/") {
		text = regexp.MustCompile(`(/etc|/var/www)/`).ReplaceAllString(text, s.dir+"$1/")
		text = strings.NewReplacer(
			"listen 443 ssl", "listen "+s.web+" ssl",
			"http://127.0.0.1:8095", s.server.URL,
			base64.StdEncoding.EncodeToString([]byte("nginx:$PASSWORD")), base64.StdEncoding.EncodeToString([]byte("nginx:"+s.password)),
		).Replace(text)
	}
	path = filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

var toldPassword = regexp.MustCompile(`(?m)^password: (\S+)$`)

// run runs a block of commands.
func (s *stage) run(b block, want *block) {
	s.t.Helper()
	if strings.Contains(b.text, "curl ") {
		time.Sleep(time.Until(s.changed.Add(time.Second))) // within a second a running server knows
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", b.text)
	cmd.Dir = s.dir
	cmd.Env = append(slices.Clone(s.env), "PASSWORD="+s.password)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		s.t.Fatalf("%s:%d: %v\n%s%s", filepath.Base(s.page), b.line, err, stdout.String(), stderr.String())
	}
	if strings.Contains(b.text, "rollcall ") {
		s.changed = time.Now()
	}
	if told := toldPassword.FindStringSubmatch(stdout.String()); told != nil {
		s.password = told[1]
	}
	if want == nil {
		return
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want.text)), "…", "(?s:.*?)")
	if !regexp.MustCompile(`^` + pattern + `$`).MatchString(strings.TrimSpace(stdout.String())) {
		s.t.Errorf("%s:%d: the block prints\n%s%s\nand line %d says\n%s", filepath.Base(s.page), b.line, stdout.String(), stderr.String(), want.line, want.text)
	}
}

// freeAddress gives an address of 127.0.0.1 on which nobody listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

var (
	errorRow  = regexp.MustCompile("(?m)^\\| .*`.* \\|$")
	localLink = regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`)
)

// sourcePages are those of clouds that directories are read from.
var sourcePages = []string{"entra.md", "google.md", "okta.md"}

// Each page has what an administrator needs to connect that client, or that source; what all
// clients share stands in README.md and is only linked.
func TestConnectPagesAreComplete(t *testing.T) {
	t.Parallel()
	index := readText(t, filepath.Join(connectDocs, "README.md"))
	for _, page := range connectPages(t) {
		name := filepath.Base(page)
		text := readText(t, page)
		checkLinks(t, page, text)
		if name == "README.md" {
			continue
		}
		if !strings.Contains(index, "("+name+")") {
			t.Errorf("%s is not in README.md", name)
		}
		parts := []string{
			"/crowd`", "rollcall app create ", "curl ", "\n## In Rollcall\n", "\n## Likely errors\n", "un here",
			"README.md#allowed-addresses", "README.md#directories-and-their-order", "README.md#who-may-log-in", "README.md#groups-in-groups",
		}
		if slices.Contains(sourcePages, name) {
			parts = []string{
				"rollcall directory create ", "rollcall directory test ", "rollcall sync ", "rollcall app map ", "rollcall demo-cloud ",
				"\n## In Rollcall\n", "\n## What to expect\n", "\n## Likely errors\n", "ot run against",
			}
		}
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %q", name, part)
			}
		}
		_, errors, _ := strings.Cut(text, "\n## Likely errors\n")
		if rows := len(errorRow.FindAllString(errors, -1)); rows != 3 {
			t.Errorf("%s has %d likely errors, want three, each with its exact text", name, rows)
		}
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkLinks wants what a page links to in this repository to be there, headings included.
func checkLinks(t *testing.T, page, text string) {
	t.Helper()
	for _, link := range localLink.FindAllStringSubmatch(text, -1) {
		target, anchor := link[1], link[2]
		if u, err := url.Parse(target); err != nil || u.Scheme != "" {
			continue
		}
		path := page
		if target != "" {
			path = filepath.Join(filepath.Dir(page), target)
		}
		linked, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%s links to %s: %v", filepath.Base(page), target, err)
			continue
		}
		if anchor != "" && !slices.Contains(anchors(string(linked)), anchor) {
			t.Errorf("%s links to %s%s, and there is no such heading", filepath.Base(page), target, anchor)
		}
	}
}

var notInAnchor = regexp.MustCompile("[^a-z0-9 _-]")

// anchors gives the headings of a page as links write them.
func anchors(text string) (found []string) {
	for line := range strings.Lines(text) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			plain := notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			found = append(found, "#"+strings.ReplaceAll(plain, " ", "-"))
		}
	}
	return found
}
