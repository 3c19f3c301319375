package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/rollcall-id/rollcall/models"
)

// A secretInput says where a command takes a password from. It is never an argument: every user
// of the machine can read those.
type secretInput struct {
	stdin bool
	file  string
}

func (s *secretInput) flags(cmd *cobra.Command, what string) *cobra.Command {
	cmd.Flags().BoolVar(&s.stdin, "password-stdin", false, "read "+what+" from stdin: one line")
	cmd.Flags().StringVar(&s.file, "password-file", "", "read "+what+" from a `FILE`: one line")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "password-file")
	return cmd
}

// read gives the password that the flags name; nil when they name none.
func (s *secretInput) read(ctx context.Context, p *program) (*models.Secret, error) {
	switch {
	case s.file != "":
		f, err := os.Open(s.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readSecret(f, s.file)
	case s.stdin && terminalOf(p.stdin) != nil:
		return p.prompt(ctx, "Password: ")
	case s.stdin:
		return readSecret(p.stdin, "stdin")
	}
	return nil, nil
}

// maxSecret bounds what is read; a longer password than 1 KiB is refused later anyway.
const maxSecret = 64 << 10

// readSecret reads one line, without its end.
func readSecret(from io.Reader, name string) (*models.Secret, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxSecret))
	if err != nil {
		return nil, err
	}
	line, rest, _ := strings.Cut(string(data), "\n")
	line = strings.TrimSuffix(line, "\r")
	switch {
	case strings.TrimSpace(rest) != "":
		return nil, wrongUsage("a password is one line", "%s has more than one line", name)
	case line == "":
		return nil, wrongUsage("write the password there, as in: printf 'secret-1\\n' | rollcall …", "%s has no password", name)
	case !utf8.ValidString(line):
		return nil, wrongUsage("", "the password in %s is not UTF-8", name)
	}
	secret := models.Secret(line)
	return &secret, nil
}

// prompt asks for a password on the terminal, twice, without showing it.
func (p *program) prompt(ctx context.Context, label string) (*models.Secret, error) {
	terminal := terminalOf(p.stdin)
	if terminal == nil {
		return nil, wrongUsage("add --password-stdin or --password-file FILE", "there is no terminal to ask for the password on")
	}
	show, err := hideInput(terminal)
	if err != nil {
		return nil, err
	}
	defer show()
	from, typed := bufio.NewReader(terminal), [2]string{}
	for i, label := range []string{label, "The same again: "} {
		fmt.Fprint(p.stderr, label)
		typed[i], err = readLine(ctx, from)
		fmt.Fprintln(p.stderr)
		if err != nil {
			return nil, err
		}
	}
	if typed[0] != typed[1] {
		return nil, fmt.Errorf("the two are not the same; nothing was changed")
	}
	return readSecret(strings.NewReader(typed[0]), "the prompt")
}

// randomPassword makes one of 26 letters and digits, which hold 130 random bits.
func randomPassword() models.Secret { return models.Secret(rand.Text()) }
