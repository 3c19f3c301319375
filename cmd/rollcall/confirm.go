package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// A confirmation is what a command that deletes needs: --yes, or on a terminal the name of what
// is to go, typed once more.
type confirmation struct{ yes bool }

func (c *confirmation) flag(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "don't ask; needed where nobody can be asked")
	return cmd
}

// ask says what is about to happen and waits for the name. Without a terminal nobody is asked.
func (c *confirmation) ask(ctx context.Context, p *program, name, what string) error {
	if c.yes {
		return nil
	}
	terminal := terminalOf(p.stdin)
	if terminal == nil {
		return wrongUsage("add --yes if that is what you want", "%s; nothing was done, since there is no terminal to ask on", what)
	}
	fmt.Fprintf(p.stderr, "%s. Type its name to go on: ", what)
	typed, err := readLine(ctx, bufio.NewReader(terminal))
	if err != nil {
		return err
	}
	if strings.TrimSpace(typed) != name {
		return fmt.Errorf("%q is not its name; nothing was done", strings.TrimSpace(typed))
	}
	return nil
}

// readLine waits for a line; it gives up when ctx ends, which a read itself doesn't notice.
func readLine(ctx context.Context, from *bufio.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		line, err := from.ReadString('\n')
		if line != "" {
			err = nil
		}
		answered <- answer{strings.TrimRight(line, "\r\n"), err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-answered:
		return a.line, a.err
	}
}
